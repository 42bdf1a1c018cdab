"""A stand-in for the judge where no language model can judge: how far a candidate agrees with others.

It is **no** judge of meaning, and says so by its name. For languages no chat model reads, two things can still be
compared with a candidate y_k: the gloss of a lexicon, which knows words but no grammar, and the other candidates,
because drawn translations that are right resemble each other (minimum Bayes risk decoding: Eikema and Aziz, "Is MAP
Decoding All You Need?", 2020). They take the places of s and p; e, emotional consistency, is never said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lira_rag.agents.cache import version_of
from lira_rag.protocols import Guard, Scores, Translator
from lira_rag.text.lexical import lexical_words

__all__ = ["AgreementCritic"]

REASON = "no language model judged: s is agreement with a lexicon, p agreement among candidates, e is not said"
LEAST, MOST = 1.0, 10.0


class AgreementCritic:
    """A `Critic` without a model.

    Args:
        lexicon: proposes the gloss, such as `LexiconTranslator`; None leaves s unsaid.
        guards: a candidate one objects to gets the lowest s and p.
        name: shown in traces.
    """

    def __init__(
        self, lexicon: Translator | None = None, guards: Sequence[Guard] = (), *, name: str = "agreement"
    ) -> None:
        self._lexicon, self._guards, self._name = lexicon, tuple(guards), name

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    @property
    def version(self) -> str:
        """Changes with the lexicon and the guards."""
        parts = [*([self._lexicon] if self._lexicon is not None else []), *self._guards]
        return f"{self._name}-1|" + "|".join(version_of(part) for part in parts)

    async def judge(self, text: str, candidates: Sequence[str], source: str, target: str = "en") -> Sequence[Scores]:
        """s and p in [1, 10] of every candidate; one candidate alone has no p."""
        words = [Counter(lexical_words(candidate)) for candidate in candidates]
        glossed = await self._lexicon.translate(text, source, target) if self._lexicon is not None else []
        gloss = Counter(lexical_words(glossed[0].text)) if glossed else None
        found = []
        for place, (candidate, own) in enumerate(zip(candidates, words, strict=True)):
            others = [overlap(own, other) for number, other in enumerate(words) if number != place]
            broken = any(guard.check(text, candidate, source) for guard in self._guards)
            fidelity = None if gloss is None else _grade(0.0 if broken else overlap(own, gloss))
            tone = _grade(0.0 if broken else sum(others) / len(others)) if others else None
            found.append(Scores(fidelity=fidelity, tone=tone, reason=REASON))
        return found


def overlap(one: Counter[str], other: Counter[str]) -> float:
    """F1 of two bags of words, in [0, 1]; 0 when one is empty."""
    shared = (one & other).total()
    return 2 * shared / (one.total() + other.total()) if shared else 0.0


def _grade(share: float) -> float:
    return LEAST + (MOST - LEAST) * share
