"""Ready breakers for languages whose words a special package knows better than ICU::

    from lira_rag.text.breaks import register
    from lira_rag.text.plugins import thai

    register("th", thai())          # pip install pythainlp

=========  ============  ==================================
`thai`     pythainlp     newmm, a dictionary of 62,000 words
`khmer`    khmer-nltk    a trained segmenter
`lao`      laonlp        a dictionary
`tibetan`  botok         words of several syllables
=========  ============  ==================================

None of the packages is a dependency: each is imported when its breaker is made. Register before indexing, and again
before searching: index and query must be cut alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from lira_rag.errors import MissingDependency
from lira_rag.text.breaks import icu_sentences, icu_words

__all__ = ["WordList", "khmer", "lao", "thai", "tibetan"]

Offsets = tuple[int, int]


@dataclass(frozen=True, slots=True)
class WordList:
    """A `Breaker` made of any function that lists a text's words; the rest, and sentences, are ICU's.

    Args:
        language: the language alone, such as "th".
        tokenize: text -> its words in order. A word that is not written in the text, after the one before it, is
            passed over; ICU cuts what no word covers.
    """

    language: str
    tokenize: Callable[[str], Iterable[str]]

    def words(self, text: str) -> Iterator[Offsets]:
        """Spans that tile the text."""
        at = 0
        for word in self.tokenize(text):
            start = text.find(word, at) if word else -1
            if start >= 0:
                yield from self._icu(text, at, start)
                at = start + len(word)
                yield start, at
        yield from self._icu(text, at, len(text))

    def _icu(self, text: str, begin: int, stop: int) -> Iterator[Offsets]:
        return ((begin + start, begin + end) for start, end in icu_words(text[begin:stop], self.language))

    def sentences(self, text: str) -> Iterator[Offsets]:
        """ICU's sentences."""
        return icu_sentences(text, self.language)


def thai(engine: str = "newmm") -> WordList:
    """Thai words by PyThaiNLP.

    Args:
        engine: as in ``pythainlp.tokenize.word_tokenize``; some need further packages.

    Raises:
        MissingDependency: pythainlp is not installed.
    """
    tokenize = _imported("pythainlp.tokenize", "word_tokenize", "pythainlp")
    return WordList("th", lambda text: tokenize(text, engine=engine, keep_whitespace=True))


def khmer() -> WordList:
    """Khmer words by khmer-nltk.

    Raises:
        MissingDependency: khmer-nltk is not installed.
    """
    return WordList("km", _imported("khmernltk", "word_tokenize", "khmer-nltk"))


def lao() -> WordList:
    """Lao words by LaoNLP.

    Raises:
        MissingDependency: laonlp is not installed.
    """
    return WordList("lo", _imported("laonlp.tokenize", "word_tokenize", "laonlp"))


def tibetan() -> WordList:
    """Tibetan words by botok, with their tsheg. Botok fetches its word lists when it is made for the first time.

    Raises:
        MissingDependency: botok is not installed.
    """
    tokenizer = _imported("botok", "WordTokenizer", "botok")()
    return WordList("bo", lambda text: [token.text for token in tokenizer.tokenize(text)])


def _imported(module: str, name: str, package: str) -> Any:
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name not in (module, module.partition(".")[0]):
            raise  # the package is there, something it needs is not
        raise MissingDependency(f"the package {package} is not installed", hint=f"pip install {package}") from error
