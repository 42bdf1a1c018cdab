"""The records that travel through lira_rag. Frozen, standard library only, JSON-safe by `to_dict`."""

from lira_rag.schema.answer import Answer, AnswerEvent, Citation, LanguageAction, Source, Speculation, Turn
from lira_rag.schema.documents import Document, MetadataValue, Passage, Translation
from lira_rag.schema.search import Anchoring, Explanation, Hit, LegRank, LegReport, SearchResult

__all__ = [
    "Anchoring",
    "Answer",
    "AnswerEvent",
    "Citation",
    "Document",
    "Explanation",
    "Hit",
    "LanguageAction",
    "LegRank",
    "LegReport",
    "MetadataValue",
    "Passage",
    "SearchResult",
    "Source",
    "Speculation",
    "Translation",
    "Turn",
]
