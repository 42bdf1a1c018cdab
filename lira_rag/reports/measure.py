"""Ask every question through the real engine, and note what came first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from anyio import to_thread

from lira_rag.engine import Lira
from lira_rag.errors import DeadlineExceeded, InvalidInput
from lira_rag.evaluation.metrics import hit_at, ndcg_at
from lira_rag.reports.questions import Asked
from lira_rag.schema import SearchResult

__all__ = ["Found", "Measured", "measure"]

DEEPEST = 400
"""Most passages looked at for one question, however many a document has."""
WARM_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Found:
    """A document in a ranking, by its best passage."""

    id: str
    language: str
    relevance: float | None


@dataclass(frozen=True, slots=True)
class Measured:
    """One question and its ranking of documents, best first.

    Attributes:
        gold: language of each relevant document.
        degraded: what the engine left out.
    """

    asked: Asked
    gold: dict[str, str]
    ranking: tuple[Found, ...]
    degraded: tuple[str, ...]

    def scores(self, k: int, language: str | None = None) -> tuple[float, float, float]:
        """nDCG@k, recall@k and hit@1, each in [0, 1].

        Args:
            language: judge by relevant documents of this language alone; those in other languages answer as well, so
                they are taken out of the ranking and count neither for nor against.
        """
        own = {key: g for key, g in self.asked.relevant.items() if language in (None, self.gold[key])}
        ranking = [d.id for d in self.ranking if d.id in own or d.id not in self.asked.relevant]
        recall = sum(key in own for key in ranking[:k]) / len(own)
        return ndcg_at(ranking, own, k), recall, hit_at(ranking, own, 1)


async def measure(
    lira: Lira, questions: Sequence[Asked], k: int, progress: Callable[[int, int | None], None] | None = None
) -> list[Measured]:
    """Search for every question; one whose search is late has found nothing, as for a user, and says so.

    Raises:
        InvalidInput: k is not > 0, there is no question, or a relevant document is not in the index.
    """
    if k <= 0 or not questions:
        raise InvalidInput(f"k must be > 0 and there must be a question, but got k={k}, {len(questions)} questions")
    languages = await _languages(lira, questions)
    await lira.asearch(questions[0].text, 1, deadline=WARM_SECONDS)  # loads the models: no question shall wait for that
    measured = []
    for done, asked in enumerate(questions, 1):
        gold = {key: languages[key] for key in asked.relevant}
        try:
            result, ranking = await _ranking(lira, asked.text, k + len(asked.relevant))
            measured.append(Measured(asked, gold, ranking, result.degraded))
        except DeadlineExceeded:
            measured.append(Measured(asked, gold, (), ("search: nothing was ready in time",)))
        if progress is not None:
            progress(done, len(questions))
    return measured


async def _languages(lira: Lira, questions: Sequence[Asked]) -> dict[str, str]:
    wanted = sorted({key for asked in questions for key in asked.relevant})
    found = await to_thread.run_sync(lira.index.languages_of, wanted, "documents")
    missing = [key for key in wanted if key not in found]
    if missing:
        raise InvalidInput(
            f"{len(missing)} of {len(wanted)} relevant documents are not in the index, the first is {missing[0]!r:.80}",
            hint="use the documents' ids as `lira search --json` shows them",
        )
    return found


async def _ranking(lira: Lira, text: str, wanted: int) -> tuple[SearchResult, tuple[Found, ...]]:
    """At least `wanted` documents where there are so many: passages of one document count once, at their best place."""
    depth = 2 * wanted
    while True:
        result = await lira.asearch(text, depth)
        first = {hit.id: hit for hit in reversed(result.hits)}
        if len(first) >= wanted or len(result) < depth or depth >= DEEPEST:
            break
        depth *= 2
    best = [hit for hit in result if first[hit.id] is hit]
    return result, tuple(Found(hit.id, hit.language, hit.relevance) for hit in best)
