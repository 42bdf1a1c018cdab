"""What a search gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, overload

from lira_rag.schema.documents import Document, Passage, Translation

__all__ = ["Anchoring", "Explanation", "Hit", "LegRank", "LegReport", "SearchResult"]


@dataclass(frozen=True, slots=True)
class LegRank:
    """Where one search leg placed a hit: `rank` from 1, `score` in the leg's own unit (cosine, BM25)."""

    leg: str
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """One found passage.

    Attributes:
        passage: what was found.
        score: fused score; higher is better; comparable within one result only.
        legs: the legs that found it, best rank first.
        degraded: what was left out while searching, with the reason; empty when nothing was.
        relevance: in [0, 1], comparable between languages and results: 0 as an unrelated passage, 1 as one that
            answers (`functional.relevance`) or holds the identifiers that the query names; None when it could not be
            calibrated, as in an index of under 50 passages.
    """

    passage: Passage
    score: float
    legs: tuple[LegRank, ...] = ()
    degraded: tuple[str, ...] = ()
    relevance: float | None = None

    @property
    def id(self) -> str:
        """The document's id."""
        return self.passage.document_id

    @property
    def text(self) -> str:
        return self.passage.text

    @property
    def source(self) -> str:
        return self.passage.source

    @property
    def language(self) -> str:
        return self.passage.language

    @property
    def document(self) -> Document:
        """The passage as a Document: its own text, the parent's id, source, language and metadata."""
        p = self.passage
        return Document(p.text, p.document_id, p.source, p.language, p.metadata)

    def to_dict(self) -> dict[str, Any]:
        p = self.passage
        return {
            "id": p.document_id,
            "score": self.score,
            "relevance": self.relevance,
            "text": p.text,
            "source": p.source,
            "language": p.language,
            "legs": [{"leg": leg.leg, "rank": leg.rank, "score": leg.score} for leg in self.legs],
            "passage": p.id,
            "start": p.start,
            "end": p.end,
            "heading": p.heading,
            "metadata": dict(p.metadata),
            "degraded": list(self.degraded),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Hit:
        """What `to_dict` gave, also after a trip through JSON.

        Raises:
            KeyError, TypeError: the values are not a hit's.
        """
        v = values
        place = (v["passage"], v["id"], v["text"], v["start"], v["end"], v["source"], v["language"], v["heading"])
        legs = tuple(LegRank(leg["leg"], leg["rank"], leg["score"]) for leg in v["legs"])
        return cls(Passage(*place, metadata=v["metadata"]), v["score"], legs, tuple(v["degraded"]), v["relevance"])


@dataclass(frozen=True, slots=True)
class SearchResult(Sequence[Hit]):
    """The hits of one query, best first. A sequence of `Hit`, plus what was left out and why."""

    query: str
    hits: tuple[Hit, ...] = ()
    degraded: tuple[str, ...] = ()

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, index: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[index]

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)


@dataclass(frozen=True, slots=True)
class LegReport:
    """What one leg did for one query: ``status`` is "ran", "skipped", "late" or "failed"; time in milliseconds."""

    leg: str
    status: str
    reason: str = ""
    milliseconds: float = 0.0
    weight: float = 1.0
    ranks: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Anchoring:
    """How well a question is tied to English.

    Attributes:
        language: BCP-47 tag the question was taken to be in.
        mapped: True when a trained map of that language moved its vector.
        error: ||E_lr - E_en||, the distance of the question's vector from its nearest translation's, from 0 to 2; None
            without a translation.
        median, q95: what that error usually is, and what it rarely exceeds, in this language; None where unknown.
        sentence: what this means, in plain words.
    """

    language: str
    mapped: bool = False
    error: float | None = None
    median: float | None = None
    q95: float | None = None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a query found what it found."""

    query: str
    cleaned: str
    flags: tuple[str, ...]
    language: str
    language_confidence: float
    script: str
    translations: tuple[Translation, ...]
    legs: tuple[LegReport, ...]
    result: SearchResult
    milliseconds: float
    anchoring: Anchoring | None = None
    decision: dict[str, Any] | None = None
    """What the team of translators did, when there is one (`agents.trace.Decision.to_dict`)."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "query": self.query,
            "cleaned": self.cleaned,
            "flags": list(self.flags),
            "language": self.language,
            "language_confidence": self.language_confidence,
            "script": self.script,
            "translations": [
                {
                    "text": t.text,
                    "translator": t.translator,
                    "language": t.language,
                    "confidence": t.confidence,
                }
                for t in self.translations
            ],
            "legs": [
                {
                    "leg": leg.leg,
                    "status": leg.status,
                    "reason": leg.reason,
                    "milliseconds": leg.milliseconds,
                    "weight": leg.weight,
                    "ranks": [{"passage": p, "score": s} for p, s in leg.ranks],
                }
                for leg in self.legs
            ],
            "hits": [hit.to_dict() for hit in self.result],
            "degraded": list(self.result.degraded),
            "anchoring": None if self.anchoring is None else asdict(self.anchoring),
            "decision": self.decision,
            "milliseconds": self.milliseconds,
        }
