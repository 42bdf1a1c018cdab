"""The judge's prompt: `prompts/judge.txt` and `prompts/judge_again.txt`, filled so that data stays data.

Source and candidates come from strangers. Each becomes one JSON string on one line, with ``<``, ``>``, ``[`` and ``]``
written as escapes, so that no text can end its string, start a line or spell a control token of a chat template. They
stand between two lines holding a mark made from the data itself: no text can hold the mark that depends on it, and
equal questions give equal prompts. This makes it hard to pass for an instruction, not impossible; see `verdicts.py`
for what is believed of the reply.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from string import Template

from lira_rag.languages import UNKNOWN, display_name
from lira_rag.protocols import Message

__all__ = ["judge_messages", "judge_order", "judge_prompt_hash"]

FOLDER = Path(__file__).parent / "prompts"
ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>[]\u2028\u2029\x85"}


def judge_messages(
    text: str, candidates: Sequence[str], source: str, target: str, *, refused: str = ""
) -> list[Message]:
    """The conversation that asks for scores.

    Args:
        text: the source text.
        candidates: in the order of their numbers, from 1.
        source, target: BCP-47 tags.
        refused: why the last reply was not usable, in our words; empty on the first ask.
    """
    lines = [f"source: {_quoted(text)}"]
    lines += [f"candidate {number}: {_quoted(candidate)}" for number, candidate in enumerate(candidates, 1)]
    data = "\n".join(lines)
    values = {
        "data": data,
        "fence": "=== " + hashlib.blake2b(data.encode("utf-8", "replace"), digest_size=6).hexdigest() + " ===",
        "count": str(len(candidates)),
        "source_language": "an unknown language" if source == UNKNOWN else display_name(source),
        "target_language": display_name(target),
    }
    system, user = _template("judge").split("---\n", 1)
    if refused:
        user += Template(_template("judge_again")).substitute(reason=refused)
    return [
        {"role": "system", "content": Template(system).substitute(values).strip()},
        {"role": "user", "content": Template(user).substitute(values).strip()},
    ]


def judge_order(text: str, candidates: Sequence[str]) -> list[int]:
    """An order to show candidates in that depends on the texts only, so that no proposer gets the best place."""

    def place(number: int) -> bytes:
        return hashlib.blake2b(f"{text}\0{candidates[number]}".encode("utf-8", "replace"), digest_size=8).digest()

    return sorted(range(len(candidates)), key=place)


def judge_prompt_hash() -> str:
    """Hex hash of both files: changes whenever the prompt changes."""
    both = _template("judge") + "\0" + _template("judge_again")
    return hashlib.blake2b(both.encode(), digest_size=6).hexdigest()


@cache
def _template(name: str) -> str:
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def _quoted(text: str) -> str:
    plain = text.encode("utf-8", "replace").decode()
    return json.dumps(plain, ensure_ascii=False).translate(ESCAPES)
