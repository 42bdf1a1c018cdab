"""The seam `TokenCounter`, a cache that all counters share, and the two counters that need no tokenizer."""

from __future__ import annotations

import hashlib
import json
import threading
import unicodedata
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from lira_rag.errors import InvalidInput
from lira_rag.protocols import ChatModel, Message

__all__ = ["CachedCounter", "CautiousCounter", "ChatCounter", "TokenCounter", "context_of", "message_tokens"]

MESSAGE_TOKENS = 16
TEMPLATE_TOKENS = 128
"""Allowed for a chat template that cannot be asked: for each message, and once. ChatML adds 5 a message, Llama 3 adds
6 and a preamble of about 25 tokens, gpt-oss a system message of about 70."""


@runtime_checkable
class TokenCounter(Protocol):
    """Counts the tokens of texts. Special tokens that frame a text are not counted; one written in it is plain text."""

    @property
    def name(self) -> str:
        """What counts, as shown to users: a model, a tokenizer or a rule."""
        ...

    @property
    def exact(self) -> bool:
        """True when counts are the model's own; False when they are an upper bound."""
        ...

    def count(self, text: str) -> int:
        """Tokens of one text, >= 0."""
        ...

    def count_many(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, in order."""
        ...


class CachedCounter(ABC):
    """A `TokenCounter` that remembers; safe to share between threads.

    Attributes:
        context: the model's window in tokens, or None when nobody said.
        remembered: texts whose counts are kept, by a hash of 16 bytes each; the texts themselves are not.
    """

    context: int | None = None
    remembered = 4096

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, int] = OrderedDict()
        self._guard = threading.Lock()

    @property
    @abstractmethod
    def name(self) -> str: ...

    @property
    @abstractmethod
    def exact(self) -> bool: ...

    @abstractmethod
    def _count_new(self, texts: Sequence[str]) -> Sequence[int]:
        """Count texts that are not remembered; each is valid UTF-8 and not empty."""

    def count(self, text: str) -> int:
        """Tokens of one text, >= 0.

        Raises:
            InvalidInput: `text` is not a str.
        """
        return self.count_many([text])[0]

    def count_many(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, in order.

        Raises:
            InvalidInput: `texts` is one str, or holds something that is not a str.
        """
        safe = _checked(texts)
        found = self._recall(safe)
        missing = [text for text in dict.fromkeys(safe) if text not in found]
        if missing:
            found |= self._remember(missing, self._count_new(missing))
        return [found[text] for text in safe]

    def count_messages(self, messages: Sequence[Message]) -> int:
        """Tokens of a whole prompt; the chat template is allowed for generously."""
        return sum(self.count_many([m["content"] for m in messages])) + template_allowance(messages)

    def _recall(self, texts: Sequence[str]) -> dict[str, int]:
        found = {"": 0}
        with self._guard:
            for text in texts:
                key = _key(text)
                if key in self._known:
                    self._known.move_to_end(key)
                    found[text] = self._known[key]
        return found

    def _remember(self, texts: Sequence[str], counts: Sequence[int]) -> dict[str, int]:
        with self._guard:
            for text, number in zip(texts, counts, strict=True):
                self._known[_key(text)] = number
            while len(self._known) > self.remembered:
                self._known.popitem(last=False)
        return dict(zip(texts, counts, strict=True))


class CautiousCounter(CachedCounter):
    """An upper bound for any tokenizer in use, from bytes: for models that nobody can ask.

    Byte-level BPE starts from one token a byte and only merges, so it never has more tokens than bytes. SentencePiece
    takes at least one character a token, or falls back to bytes, after it has put one space in front. Some tokenizers
    first write characters out by NFKC or NFD, which can make a text longer; so the longer of the text and its NFKD form
    counts. The price: English is taken for about four times what it is.

    Args:
        context: the model's window in tokens, if known.
    """

    def __init__(self, context: int | None = None) -> None:
        super().__init__()
        self.context = _window(context)

    def __repr__(self) -> str:
        return f"CautiousCounter(context={self.context})"

    @property
    def name(self) -> str:
        """Always "bytes"."""
        return "bytes"

    @property
    def exact(self) -> bool:
        """Always False."""
        return False

    def _count_new(self, texts: Sequence[str]) -> list[int]:
        return [max(_bytes(text), _bytes(unicodedata.normalize("NFKD", text))) + 1 for text in texts]


class ChatCounter(CachedCounter):
    """Counts with the ``count_tokens(text)`` of a chat model object.

    Args:
        chat: an object with ``count_tokens``. Its window is its attribute ``context``, or what the config.json in its
            ``folder`` says.

    Raises:
        InvalidInput: the object has no ``count_tokens``.
    """

    def __init__(self, chat: ChatModel) -> None:
        super().__init__()
        count = getattr(chat, "count_tokens", None)
        if not callable(count):
            raise InvalidInput(f"chat must have count_tokens(text), but {type(chat).__name__} has not")
        self._chat, self._counts = chat, count
        folder = getattr(chat, "folder", None)
        self.context = _window(getattr(chat, "context", None)) or (folder_context(Path(folder)) if folder else None)

    @property
    def name(self) -> str:
        """The chat model's name."""
        return self._chat.name

    @property
    def exact(self) -> bool:
        """True: the model counts for itself."""
        return True

    def _count_new(self, texts: Sequence[str]) -> list[int]:
        return [int(self._counts(text)) for text in texts]


def message_tokens(counter: TokenCounter, messages: Sequence[Message]) -> int:
    """Tokens of a prompt, chat template included: by the counter's own `count_messages`, or with an allowance."""
    own = getattr(counter, "count_messages", None)
    if own is not None:
        return int(own(messages))
    return sum(counter.count_many([m["content"] for m in messages])) + template_allowance(messages)


def template_allowance(messages: Sequence[Message]) -> int:
    """Tokens put aside for the chat template around `messages`."""
    return TEMPLATE_TOKENS + MESSAGE_TOKENS * len(messages)


def context_of(counter: TokenCounter) -> int | None:
    """The window of the counter's model in tokens, or None when it does not know."""
    return _window(getattr(counter, "context", None))


def folder_context(folder: Path) -> int | None:
    """What config.json says about the longest input of a causal model; None when it says nothing."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    inner = config.get("text_config", config) if isinstance(config, dict) else {}
    found = inner.get("max_position_embeddings") if isinstance(inner, dict) else None
    return found if isinstance(found, int) and found > 0 else None


def _window(context: int | None) -> int | None:
    if context is not None and (not isinstance(context, int) or isinstance(context, bool) or context <= 0):
        raise InvalidInput(f"context must be a whole number of tokens > 0, but got {context!r}")
    return context


def _checked(texts: Sequence[str]) -> list[str]:
    """The texts without lone surrogates, which no tokenizer takes."""
    if isinstance(texts, str):
        raise InvalidInput("texts must be a list of str, but got one str", hint="use count(text)")
    for text in texts:
        if not isinstance(text, str):
            raise InvalidInput(f"text must be a str, but got {type(text).__name__}")
    return [text.encode("utf-8", "replace").decode("utf-8") for text in texts]


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8"), digest_size=16).digest()


def _bytes(text: str) -> int:
    return len(text.encode("utf-8"))
