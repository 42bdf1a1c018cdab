"""Cooperating agents: translators propose, guards object, critics score, an actor decides, and a team runs them.

Source: LiRA, arXiv 2510.14466, section "Arca" (multi-agent encoding). Each agent is a small object with one method, and
works alone; `docs/agents.md` shows how to add one.

==================  ==================================================================================================
`Team`              runs them side by side under one deadline; is itself a translator; `Decision` says how it decided
`translators`       six of them
`guards`            need no model: loops, wrong script, lost numbers and names, copies …; `standard_guards()`
`glossary`          terms that must survive, masked on the way
`TranslationCritic` an LLM as judge: fidelity, emotion, tone
`EmbeddingCritic`   similarity of the two paths' vectors
`RewardActor`       the highest reward; `PolicyActor` is the trained one
==================  ==================================================================================================
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lira_rag.agents.actor import PolicyActor, RewardActor
    from lira_rag.agents.budget import Budget, MeteredChat, OverBudget
    from lira_rag.agents.cache import MemoryCache, SqliteCache
    from lira_rag.agents.critic import TranslationCritic
    from lira_rag.agents.embedding_critic import EmbeddingCritic
    from lira_rag.agents.glossary import Glossary, GlossaryTranslator
    from lira_rag.agents.guards import standard_guards
    from lira_rag.agents.team import Team
    from lira_rag.agents.trace import Candidate, Decision, Step
    from lira_rag.agents.translators import (
        ApertiumTranslator,
        ChatTranslator,
        LexiconTranslator,
        PreparedTranslations,
        Seq2SeqTranslator,
        TranslationMemory,
    )

_MODULES = {
    "ApertiumTranslator": "translators",
    "Budget": "budget",
    "Candidate": "trace",
    "ChatTranslator": "translators",
    "Decision": "trace",
    "EmbeddingCritic": "embedding_critic",
    "Glossary": "glossary",
    "GlossaryTranslator": "glossary",
    "LexiconTranslator": "translators",
    "MemoryCache": "cache",
    "MeteredChat": "budget",
    "OverBudget": "budget",
    "PolicyActor": "actor",
    "PreparedTranslations": "translators",
    "RewardActor": "actor",
    "Seq2SeqTranslator": "translators",
    "SqliteCache": "cache",
    "Step": "trace",
    "Team": "team",
    "TranslationCritic": "critic",
    "TranslationMemory": "translators",
    "standard_guards": "guards",
}

__all__ = [
    "ApertiumTranslator",
    "Budget",
    "Candidate",
    "ChatTranslator",
    "Decision",
    "EmbeddingCritic",
    "Glossary",
    "GlossaryTranslator",
    "LexiconTranslator",
    "MemoryCache",
    "MeteredChat",
    "OverBudget",
    "PolicyActor",
    "PreparedTranslations",
    "RewardActor",
    "Seq2SeqTranslator",
    "SqliteCache",
    "Step",
    "Team",
    "TranslationCritic",
    "TranslationMemory",
    "standard_guards",
]


def __getattr__(name: str) -> object:
    """Import on first use: an agent costs nothing before it is asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
