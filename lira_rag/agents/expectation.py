"""A finer score than the one written: the mean over the tokens that could have stood there.

    score = sum_v v p(v) / sum_v p(v),   v in 1..10

over the most probable alternatives of the score's token, as G-Eval does (Liu et al., EMNLP 2023). Where this cannot be
read off (no probabilities; a number in several tokens; little probability on numbers) the written score stands.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate

from lira_rag.protocols import Reply

__all__ = ["expected_grades"]

_NUMBER = re.compile(r'"(candidate|fidelity|emotion|tone)"\s*:\s*"?(\d+)(?![\d.eE])')
ENOUGH = 0.5
"""The least probability that must lie on whole numbers from 1 to 10."""


def expected_grades(reply: Reply) -> dict[tuple[int, str], float]:
    """Expected scores by (candidate, key) for a reply that passed `parse_verdicts`; only those that can be told."""
    starts = [0, *accumulate(len(token) for token, _ in reply.tokens)]
    found: dict[tuple[int, str], float] = {}
    candidate = 0
    for match in _NUMBER.finditer("".join(token for token, _ in reply.tokens)):
        key, written = match[1], match[2]
        if key == "candidate":
            candidate = int(written)
            continue
        token, alternatives = reply.tokens[bisect_right(starts, match.start(2)) - 1]
        expected = _expected(alternatives) if token.strip().strip('"') == written else None
        if candidate and expected is not None:
            found[candidate, key] = expected
    return found


def _expected(alternatives: Mapping[str, float]) -> float | None:
    """Mean of the numbers among the alternatives.

    A bare "1" counts only beside a "10" of one token: other tokenizers write 10 as 1 and 0, and then it may be either.
    """
    mass = {int(text): 0.0 for token in alternatives if (text := _digits(token))}
    for token, logprob in alternatives.items():
        if text := _digits(token):
            mass[int(text)] += math.exp(min(logprob, 0.0))
    mass = {value: p for value, p in mass.items() if 1 <= value <= 10 and not (value == 1 and 10 not in mass)}
    total = sum(mass.values())
    return sum(value * p for value, p in mass.items()) / total if total >= ENOUGH else None


def _digits(token: str) -> str:
    text = token.strip().strip('"')
    return text if text.isascii() and text.isdigit() and len(text) <= 2 else ""
