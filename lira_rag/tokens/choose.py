"""Which counter is the right one."""

from __future__ import annotations

from functools import lru_cache

from lira_rag.config import LiraConfig
from lira_rag.errors import InvalidInput, LiraError, MissingDependency
from lira_rag.models import CATALOG, is_pulled, locate
from lira_rag.protocols import ChatModel
from lira_rag.tokens.counter import CautiousCounter, ChatCounter, TokenCounter
from lira_rag.tokens.openai import TiktokenCounter, encoding_name
from lira_rag.tokens.served import ServedCounter
from lira_rag.tokens.tokenizer import TokenizerCounter

__all__ = ["at_hand", "counter_for", "counter_of"]

NONE = "none"


def counter_for(what: LiraConfig | str) -> TokenCounter:
    """The counter of a model. Nothing is downloaded.

    Args:
        what: settings, whose chat model counts (the server at chat_url, or the model in this process; a bound when
            there is none); or a name: a packaged model, an OpenAI model or encoding, a folder, a hub id that was
            downloaded before, or "bytes" for the bound.

    Raises:
        InvalidInput: the name is empty or no name.
        ModelNotFound: the model is not on this machine; the hint names the command that brings it.
    """
    if isinstance(what, LiraConfig):
        return _of_settings(what)
    if not isinstance(what, str) or not what.strip():
        raise InvalidInput(f"what must be settings or a model's name, but got {what!r}")
    return _named(what)


def counter_of(chat: ChatModel | None, config: LiraConfig | None = None) -> TokenCounter:
    """The counter of a chat model object.

    Args:
        chat: its attribute ``token_counter`` is taken, or its ``count_tokens``.
        config: the settings it may have been made from: says which server it speaks to.

    Returns:
        the bound of `CautiousCounter` when nobody can count for it.
    """
    own = getattr(chat, "token_counter", None)
    if own is not None:
        if not isinstance(own, TokenCounter):
            raise InvalidInput(f"token_counter must be a TokenCounter, but got {type(own).__name__}")
        return own
    if chat is not None and hasattr(chat, "count_tokens"):
        return ChatCounter(chat)
    if chat is not None and config is not None and config.chat_url and chat.name == config.chat_model:
        return _of_settings(config)
    return CautiousCounter(getattr(chat, "context", None))


def at_hand() -> list[TokenCounter]:
    """A counter for every packaged model and OpenAI vocabulary that is on this machine, in the catalogue's order."""
    found = []
    for name, model in CATALOG.items():
        try:
            if model.kind == "vocabulary" or is_pulled(name):
                counter = counter_for(name)
                counter.count("a")  # whether its files are there is known now
                found.append(counter)
        except LiraError:
            continue
    return found


def _of_settings(config: LiraConfig) -> TokenCounter:
    if config.chat_url is not None and config.chat_model is not None:
        key = config.chat_api_key.get_secret_value() if config.chat_api_key else None
        return _served(config.chat_url, config.chat_model, key)
    return CautiousCounter() if config.chat == NONE else _named(config.chat)


@lru_cache(maxsize=8)
def _served(url: str, model: str, key: str | None) -> TokenCounter:
    """One for each server and model, so that what it learnt about the server lasts."""
    return ServedCounter(url, model, api_key=key, fallback=_openai(model))


def _openai(name: str) -> TokenCounter | None:
    """A counter for an OpenAI model whose vocabulary is here."""
    try:
        if encoding_name(name) is None:
            return None
        counter = TiktokenCounter(name)
        counter.count("a")
        return counter
    except LiraError:
        return None


@lru_cache(maxsize=16)
def _named(name: str) -> TokenCounter:
    if name == CautiousCounter().name:
        return CautiousCounter()
    packaged = CATALOG.get(name)
    if packaged is None or packaged.kind == "vocabulary":
        try:
            if encoding_name(name) is not None:
                return TiktokenCounter(name)
        except MissingDependency:
            if packaged is not None:
                raise
    return TokenizerCounter(locate(name, offline=True), name=name)
