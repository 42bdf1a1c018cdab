"""Translators: agents that propose English for a text. Each is a `lira_rag.protocols.Translator` and works alone.

==========================  ==========================================================================================
`LexiconTranslator`         a gloss learned in seconds from a user's own sentence pairs, for languages no model serves
`TranslationMemory`         the English side of the most similar sentence of a parallel bank
`PreparedTranslations`      a file made offline
`ChatTranslator`            any chat model: served by vLLM, or in this process
`Seq2SeqTranslator`         NLLB, M2M-100, MADLAD, OPUS-MT; CTranslate2 where installed
`ApertiumTranslator`        the `apertium` program
==========================  ==========================================================================================

All can be cancelled, none has a deadline beyond its own timeout: the caller (a `Team`) sets one. Faults are
`LiraError`; texts are never logged.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lira_rag.agents.translators.apertium import ApertiumTranslator
    from lira_rag.agents.translators.chat import ChatTranslator
    from lira_rag.agents.translators.lexicon import Lexicon, LexiconTranslator
    from lira_rag.agents.translators.memory import TranslationMemory
    from lira_rag.agents.translators.prepared import PreparedTranslations
    from lira_rag.agents.translators.seq2seq import Seq2SeqTranslator

_MODULES = {
    "ApertiumTranslator": "apertium",
    "ChatTranslator": "chat",
    "Lexicon": "lexicon",
    "LexiconTranslator": "lexicon",
    "PreparedTranslations": "prepared",
    "Seq2SeqTranslator": "seq2seq",
    "TranslationMemory": "memory",
}

__all__ = [
    "ApertiumTranslator",
    "ChatTranslator",
    "Lexicon",
    "LexiconTranslator",
    "PreparedTranslations",
    "Seq2SeqTranslator",
    "TranslationMemory",
]


def __getattr__(name: str) -> object:
    """Import on first use: no translator costs anything before it is asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
