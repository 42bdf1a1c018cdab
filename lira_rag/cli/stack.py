"""What a stack of settings does for one language: the facts behind `lira doctor --language`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lira_rag.config import LiraConfig
from lira_rag.languages import XLMR_LANGUAGES
from lira_rag.profile import LanguageProfile

__all__ = ["languages_of_model", "profiles_of", "report_of"]

_FROM_XLMR = re.compile(r"e5-small-int4|multilingual-e5-(small|base|large|large-instruct)|bge-m3")
_ENGLISH = re.compile(
    r"minilm-l6|all-minilm-l(6|12)-v2|e5-(small|base|large)(-v2)?|bge-(small|base|large)-en(-v1\.5)?|gte-(small|base|large)"
)


def profiles_of(config: LiraConfig, tags: Sequence[str]) -> list[LanguageProfile]:
    """The profile of each language in the stack that `config` describes.

    Raises:
        InvalidInput: a tag is unknown.
    """
    from lira_rag.lasr.phrases import NO_ANSWER_PHRASES

    served = f"{config.chat_model} at {config.chat_url}" if config.chat_url else config.chat
    return [
        LanguageProfile.of(
            tag,
            encoder=config.encoder,
            encoder_languages=languages_of_model(config.encoder),
            chat=served,
            chat_languages=None if config.chat_url else languages_of_model(config.chat),
            phrases=NO_ANSWER_PHRASES.keys(),
        )
        for tag in tags
    ]


def languages_of_model(name: str) -> frozenset[str] | None:
    """BCP-47 tags of the languages a model was trained on, by its name; None when they are not known here."""
    from lira_rag.models import CATALOG

    last = Path(name).name.lower()
    if (name in CATALOG and CATALOG[name].languages == "en") or _ENGLISH.fullmatch(last):
        return frozenset({"en"})
    return XLMR_LANGUAGES if _FROM_XLMR.fullmatch(last) else None


def report_of(profile: LanguageProfile) -> dict[str, Any]:
    """A profile as JSON: its facts, one row a stage, and the names of the weak stages."""
    return {
        "language": profile.tag,
        "name": profile.name,
        "script": profile.script,
        "direction": profile.direction,
        "stages": [
            {"stage": name, "served by": stage.served_by, "quality": stage.quality, "why": stage.why}
            for name, stage in profile.stages.items()
        ],
        "weak": list(profile.weak),
    }
