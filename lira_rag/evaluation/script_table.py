"""How three stacks treat the same notices in each script: words found, sentences found, characters cut in two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lira_rag.evaluation.script_corpus import Notice, notices
from lira_rag.evaluation.script_methods import Search, sentence_finders, splitters, word_searches
from lira_rag.text.breaks import graphemes

__all__ = ["ScriptRow", "cuts_inside_clusters", "script_table", "sentences_found", "words_found"]


@dataclass(frozen=True, slots=True)
class ScriptRow:
    """One language.

    Attributes:
        words: method -> percent of the query words that put their own notice first, with a score above 0.
        sentences: method -> how many of `of_sentences` it found, with the right beginning and end.
        cuts: method -> cuts inside a grapheme cluster when splitting small.
    """

    language: str
    script: str
    of_words: int
    of_sentences: int
    words: Mapping[str, float]
    sentences: Mapping[str, int]
    cuts: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def script_table() -> list[ScriptRow]:
    """A row for each language of the corpus. Peers that are not installed have no entry."""
    searches, finders, cutters = word_searches(), sentence_finders(), splitters()
    rows = []
    for language, texts in notices().items():
        whole = [notice.text for notice in texts]
        rows.append(
            ScriptRow(
                language,
                texts[0].script,
                sum(len(notice.words) for notice in texts),
                sum(len(notice.sentences) for notice in texts),
                {name: words_found(make(whole), texts) for name, make in searches.items()},
                {name: sum(sentences_found(find, notice) for notice in texts) for name, find in finders.items()},
                {name: sum(cuts_inside_clusters(cut, text) for text in whole) for name, cut in cutters.items()},
            )
        )
    return rows


def words_found(search: Search, texts: Sequence[Notice]) -> float:
    """Percent of the notices' words for which `search` gives their own notice the highest score, above 0."""
    found = total = 0
    for at, notice in enumerate(texts):
        for word in notice.words:
            scores = search(word)
            own = scores.get(at, 0.0)
            found += own > 0 and own >= max(scores.values())
            total += 1
    return 100 * found / total


def sentences_found(find: Callable[[str], list[str]], notice: Notice) -> int:
    """How many sentences of a notice are among those `find` gives, white space around them aside."""
    given = {sentence.strip() for sentence in find(notice.text)}
    return sum(sentence in given for sentence in notice.sentences)


def cuts_inside_clusters(cut: Callable[[str], list[str]], text: str) -> int:
    """Ends of the pieces of a text, in order, that are inside one of its grapheme clusters."""
    ends = {0, *(end for _, end in graphemes(text))}
    edges: set[int] = set()
    at = 0
    for piece in cut(text):
        start = text.find(piece, at)
        if start >= 0:
            at = start + len(piece)
            edges |= {start, at}
    return len(edges - ends)
