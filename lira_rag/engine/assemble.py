"""Parts of an engine from its settings: the encoder, Arca and the chat model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from lira_rag.arca import Arca
from lira_rag.arca.maps import AnchorMaps, find_packaged
from lira_rag.config import INDEX_SETTINGS, LiraConfig, load_config
from lira_rag.errors import ConfigError
from lira_rag.lasr.head import FoundHead, LasrHead, packaged_head
from lira_rag.profile import LanguageProfile
from lira_rag.protocols import ChatModel, Encoder, TokenEncoder, Translator

__all__ = [
    "build_arca",
    "build_chat",
    "build_head",
    "build_translator",
    "describe",
    "objects_and_settings",
    "settings_of",
]

CUSTOM = "custom:"
URLS = ("http://", "https://")


def build_arca(config: LiraConfig, encoder: Encoder | None) -> Arca:
    """The two-path encoder of these settings; a given encoder object takes the place of the named one.

    Anchoring maps are taken from the adaptor's folder where there is an adaptor, because maps stand behind it.

    Raises:
        CheckpointError, FingerprintMismatch: a folder holds no checkpoint, or one for another encoder.
    """
    native = encoder or _named_encoder(config)
    if config.adaptor is None:
        return Arca(native, maps=_maps(config.maps, native.fingerprint))
    if not isinstance(native, TokenEncoder):
        raise ConfigError(f"an adaptor needs token states, and {type(native).__name__} has no encode_tokens")
    return Arca.load(Path(config.adaptor), native)


def _maps(name: str, fingerprint: str) -> AnchorMaps | None:
    """The named maps; "packaged" is None for an encoder that the library ships none for."""
    folder = {"packaged": find_packaged(fingerprint), "none": None}.get(name, Path(name))
    return None if folder is None else _loaded_maps(folder, fingerprint)


@lru_cache(maxsize=4)
def _loaded_maps(folder: Path, fingerprint: str) -> AnchorMaps:
    return AnchorMaps.load(folder, fingerprint)


def _named_encoder(config: LiraConfig) -> Encoder:
    if config.encoder.startswith(CUSTOM):
        raise ConfigError(
            f"the index was made with an encoder object of class {config.encoder.removeprefix(CUSTOM)}",
            hint="pass it again: Lira.open(path, encoder=…)",
        )
    if config.encoder.startswith(URLS):
        return _served_encoder(config)
    return _local_encoder(config.encoder, config.precision, config.pooling, config.query_prefix, config.passage_prefix)


def _served_encoder(config: LiraConfig) -> Encoder:
    """The encoder behind a URL, or several; texts are counted here when its tokenizer is a packaged model's."""
    from lira_rag.clients import VLLMEndpoint
    from lira_rag.encoders import ServedEncoder
    from lira_rag.models import CATALOG, folder_of, is_pulled

    model = config.encoder_model
    server = VLLMEndpoint(config.encoder, model, api_key=_secret(config.encoder_api_key), timeout=config.add_deadline)
    return ServedEncoder(
        server,
        pooling=config.pooling,
        query_prefix=config.query_prefix,
        passage_prefix=config.passage_prefix,
        tokenizer=folder_of(model) if model and model in CATALOG and is_pulled(model) else None,
    )


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None


@lru_cache(maxsize=4)
def _local_encoder(
    name: str, precision: str, pooling: str | None, query_prefix: str | None, passage_prefix: str | None
) -> Encoder:
    """One encoder a process for equal settings: weights are loaded once however many indexes are open."""
    from lira_rag.encoders import load_encoder
    from lira_rag.models import locate

    return load_encoder(
        locate(name),
        name=name,
        precision=precision,  # type: ignore[arg-type]
        pooling=pooling,  # type: ignore[arg-type]
        query_prefix=query_prefix,
        passage_prefix=passage_prefix,
    )


def build_head(config: LiraConfig, arca: Arca) -> FoundHead:
    """The fusion head of these settings, or why there is none for this encoder and these maps: belief fuses then.

    Raises:
        CheckpointError, FingerprintMismatch: a named folder holds no head, or one for other parts.
    """
    maps = arca.maps.marks if arca.maps is not None else {}
    plain = arca.adaptor is None and arca.english is None and isinstance(arca.native, TokenEncoder)
    if config.head == "none" or (config.head == "packaged" and not plain):
        return FoundHead(None)
    if config.head == "packaged":
        return packaged_head(arca.native.fingerprint, maps)
    return FoundHead(LasrHead.load(Path(config.head), arca.native.fingerprint, maps))


def build_translator(config: LiraConfig) -> Translator | None:
    """The translator of these settings: the lexicon, if one is named.

    Raises:
        CheckpointError: the folder holds no lexicons.
    """
    if config.lexicon is None:
        return None
    from lira_rag.agents.translators.lexicon import LexiconTranslator

    return LexiconTranslator.load(Path(config.lexicon))


def build_chat(config: LiraConfig) -> ChatModel | None:
    """The chat model of these settings: an endpoint when chat_url is set, else in-process, or None for "none"."""
    if config.chat_url is not None:
        from lira_rag.clients import VLLMEndpoint
        from lira_rag.models import CATALOG

        assert config.chat_model is not None  # LiraConfig requires it with chat_url
        return VLLMEndpoint(
            config.chat_url,
            config.chat_model,
            api_key=_secret(config.chat_api_key),
            timeout=config.ask_deadline,
            strict=False,
            small=config.chat_model in CATALOG,  # what is packaged is small
        )
    if config.chat == "none":
        return None
    return _local_chat(config.chat)


@lru_cache(maxsize=2)
def _local_chat(name: str) -> ChatModel:
    from lira_rag.clients import LocalChat
    from lira_rag.models import locate

    return LocalChat(locate(name), name=name)


def describe(config: LiraConfig, encoder: Encoder | None) -> dict[str, str | int | float | bool]:
    """The index-bound settings, as an index stores them."""
    kept = {name: getattr(config, name) for name in INDEX_SETTINGS}
    if encoder is not None:
        kept["encoder"] = CUSTOM + type(encoder).__name__
    return {name: value for name, value in kept.items() if value is not None}


def objects_and_settings(
    encoder: Encoder | str | None, chat: ChatModel | str | None, settings: dict[str, Any]
) -> tuple[Encoder | None, ChatModel | None]:
    """Tell objects from names: a string given as encoder or chat is a setting and is put among `settings`.

    "profiles" is taken out of them: the breakers of these `LanguageProfile`s are registered, and their tags are added
    to `languages`, where that names the languages users write in.
    """
    _apply(settings.pop("profiles", ()), settings)
    if isinstance(encoder, str):
        settings["encoder"] = encoder
    if isinstance(chat, str):
        settings["chat"] = chat
    return (None if isinstance(encoder, str) else encoder), (None if isinstance(chat, str) else chat)


def _apply(profiles: Iterable[LanguageProfile], settings: dict[str, Any]) -> None:
    for profile in profiles:
        if not isinstance(profile, LanguageProfile):
            raise ConfigError(f"profiles must be LanguageProfile objects, but got {type(profile).__name__}")
        profile.apply()
        if settings.get("languages"):
            settings["languages"] = (*settings["languages"], profile.tag)


def settings_of(description: Mapping[str, Any], overrides: Mapping[str, Any]) -> LiraConfig:
    """Settings for an index that exists: what it was made with, then what the caller changes."""
    stored = {name: description[name] for name in INDEX_SETTINGS if name in description}
    return load_config(**{**stored, **overrides})
