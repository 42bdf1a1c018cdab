"""The translator's prompt, `prompts/translate.txt`, filled so that data stays data; and what is read out of a reply."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from string import Template

from lira_rag.languages import UNKNOWN, display_name, primary_language
from lira_rag.protocols import Message
from lira_rag.text.border import prompt_safe

__all__ = ["clean_reply", "translate_messages", "translate_prompt_hash"]

FILE = Path(__file__).parent.parent / "prompts" / "translate.txt"
Example = tuple[str, str]


def translate_messages(text: str, source: str, target: str, examples: Sequence[Example] = ()) -> list[Message]:
    """The conversation that asks for a translation; examples stand in it as earlier turns.

    Args:
        text: the source text; put on one line.
        source, target: BCP-47 tags; "und" is named "the language of the text".
        examples: pairs of (text, translation) in the same two languages.
    """
    system, user = _template().split("---\n", 1)
    unknown = primary_language(source) == UNKNOWN
    names = {
        "source_language": "the language of the text" if unknown else display_name(source),
        "target_language": display_name(target),
    }
    turns: list[Message] = [{"role": "system", "content": Template(system).substitute(names).strip()}]
    for given, translated in examples:
        turns.append({"role": "user", "content": _filled(user, names, given)})
        turns.append({"role": "assistant", "content": _one_line(translated)})
    turns.append({"role": "user", "content": _filled(user, names, text)})
    return turns


def translate_prompt_hash() -> str:
    """Hex hash of the prompt file: changes whenever the prompt changes."""
    return hashlib.blake2b(_template().encode(), digest_size=6).hexdigest()


@cache
def _template() -> str:
    return FILE.read_text(encoding="utf-8")


def _filled(user: str, names: dict[str, str], text: str) -> str:
    return Template(user).substitute(names, text=_one_line(text)).strip()


def _one_line(text: str) -> str:
    """`text` on one line, without bidi controls, with the control tokens of chat templates broken up."""
    plain = " ".join(prompt_safe(text).split())
    for token, broken in (("<|", "< |"), ("|>", "| >"), ("[INST]", "[ INST]"), ("[/INST]", "[ /INST]")):
        plain = plain.replace(token, broken)
    return plain


_LEAD = re.compile(
    r"^(?:(?:sure|certainly|of course|okay|ok)[!,.]\s*)?"
    r"(?:(?:here(?:'s| is)|this is|the)\s+[^:\n]{0,60}translation[^:\n]{0,60}:|(?:the )?translation[^:\n]{0,40}:|"
    r"(?:in )?english(?: translation)?\s*:|(?:assistant|model|output|answer|target)\s*:)\s*",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"\s*[\(\[]?\b(?:note|explanation|literally|transliteration|source|original)\s*:.*$", re.IGNORECASE
)
_QUOTES = (('"', '"'), ("“", "”"), ("«", "»"), ("'", "'"), ("‘", "’"), ("`", "`"), ("**", "**"), ("„", "“"))


def clean_reply(reply: str) -> str:
    """The translation in a reply: its first line that is not an introduction, without quotes, labels and notes."""
    lines = [line.strip() for line in reply.strip().splitlines()]
    lines = [line for line in lines if line and not line.startswith("```")]
    for line in lines:
        text = _BEHIND.sub("", _LEAD.sub("", line.lstrip("*#>- ") if line[0] in "*#>-" else line)).strip()
        text = _unquoted(text)
        if text and not text.endswith(":"):
            return text
    return ""


def _unquoted(text: str) -> str:
    for opening, closing in _QUOTES:
        long_enough = len(text) > len(opening) + len(closing)
        inner = text[len(opening) : -len(closing)]
        if long_enough and text.startswith(opening) and text.endswith(closing) and opening not in inner:
            return inner.strip()
    return text
