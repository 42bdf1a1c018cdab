"""The Translation Critic: a chat model as judge of meaning, feeling and tone.

LiRA (arXiv 2510.14466), section "Arca": an LLM gives each of K candidates s (semantic fidelity), e (emotional
consistency) and p (pragmatic tone), each in [1, 10]. Its prompt is not published; ours is `prompts/judge.txt`.

All K candidates go into one call. It costs one call a question instead of K, the source is read once, and judges are
steadier when they compare than when they grade alone. What one call risks, that a candidate speaks for or against
its rivals, is met by quoting (`judge_prompt.py`), by an order no proposer can choose, and by believing nothing but
numbers (`verdicts.py`); the embedding critic scores independently.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from lira_rag.agents.budget import ask
from lira_rag.agents.expectation import expected_grades
from lira_rag.agents.judge_prompt import judge_messages, judge_order, judge_prompt_hash
from lira_rag.agents.verdicts import SCHEMA, BadReply, parse_verdicts
from lira_rag.errors import ChatError
from lira_rag.protocols import ChatModel, Reply, Scores

__all__ = ["TranslationCritic"]

REPLY_TOKENS, ENTRY_TOKENS = 64, 48
"""Room for a reply: so many tokens, and so many for each candidate, laid out with spaces and line ends."""
ALTERNATIVES = 20


class TranslationCritic:
    """Asks a chat model for s, e and p of every candidate; once more when the reply is not usable; then says so.

    Args:
        chat: the judge, any ChatModel. One with `complete` is held to a JSON schema.
        name: shown in traces; None makes ``judge:<chat.name>``.
        expectation: take the mean over the probabilities of the score's token where the endpoint gives them.
    """

    def __init__(self, chat: ChatModel, *, name: str | None = None, expectation: bool = False) -> None:
        self._chat, self._expectation = chat, expectation
        self._name = name or f"judge:{chat.name}"

    @property
    def name(self) -> str:
        """As given, or made of the chat model's name."""
        return self._name

    @property
    def version(self) -> str:
        """Hex hash of all that decides the scores: model name, prompt, reading."""
        state = f"{self._chat.name}|{judge_prompt_hash()}|{self._expectation}"
        return hashlib.blake2b(state.encode("utf-8", "replace"), digest_size=8).hexdigest()

    async def judge(self, text: str, candidates: Sequence[str], source: str, target: str = "en") -> Sequence[Scores]:
        """s, e and p of each candidate; what the judge did not give stays None, with the reason.

        Raises:
            ChatError: the judge did not answer the first ask at all.
        """
        order = judge_order(text, candidates)
        shown = [candidates[place] for place in order]
        first, refused = await self._ask(text, shown, source, target, "")
        if refused:
            try:
                second, _ = await self._ask(text, shown, source, target, refused)
            except ChatError:
                second = first
            first = [_better(a, b) for a, b in zip(first, second, strict=True)]
        return [scores for _, scores in sorted(zip(order, first, strict=True), key=lambda pair: pair[0])]

    async def _ask(
        self, text: str, shown: Sequence[str], source: str, target: str, refused: str
    ) -> tuple[list[Scores], str]:
        """Scores in the order shown, and why another ask is due ("" when it is not)."""
        try:
            reply = await ask(
                self._chat,
                judge_messages(text, shown, source, target, refused=refused),
                max_tokens=REPLY_TOKENS + ENTRY_TOKENS * len(shown),
                schema=SCHEMA,
                top_logprobs=ALTERNATIVES if self._expectation else 0,
            )
            found = parse_verdicts(reply.text, len(shown))
        except (BadReply, ChatError) as error:
            if isinstance(error, ChatError) and error.kind != "schema":
                raise
            return [Scores(reason=f"the judge's reply was refused: {error}")] * len(shown), str(error)
        faults = [f"candidate {n}: {scores.reason}" for n, scores in enumerate(found, 1) if scores.reason]
        return (_refined(found, reply) if self._expectation else found), "; ".join(faults)


def _better(first: Scores, second: Scores) -> Scores:
    """The first reply's scores, or else the second's, or else the reason."""
    return second if first.reason and not second.reason else first


def _refined(found: Sequence[Scores], reply: Reply) -> list[Scores]:
    """Written scores replaced by expected ones where these can be told."""
    expected = expected_grades(reply)
    return [
        scores
        if scores.reason
        else replace(
            scores,
            fidelity=expected.get((number, "fidelity"), scores.fidelity),
            emotion=expected.get((number, "emotion"), scores.emotion),
            tone=expected.get((number, "tone"), scores.tone),
        )
        for number, scores in enumerate(found, 1)
    ]
