"""Index terms with character n-grams beside the words, for scripts whose words are not set apart.

ICU finds words by dictionaries in Thai, Lao, Khmer, Burmese, Chinese and Japanese, and a misspelt word, an unknown
name or other context gives other words in the query than in the document. Javanese, Balinese, Tai Tham, Tai Le, New
Tai Lue, Tai Viet, Cham, Yi and Bopomofo have no dictionary: a whole phrase is one word. In all of them, and in Korean
(whose particles stick to the word) and Tibetan (where ICU finds syllables), pairs of neighbouring characters are index
terms too; single characters where one can be a word and ICU may not say so. A character is a grapheme cluster.

Such terms begin with "~", which no word does: words keep their own frequencies.
"""

from __future__ import annotations

import re
from itertools import pairwise

from lira_rag.languages import UNKNOWN
from lira_rag.text.breaks import graphemes
from lira_rag.text.lexical import LONGEST_TERM, check_text, fold, lexical_words

__all__ = ["MARK", "TERMS_VERSION", "character_ngrams", "index_terms"]

MARK = "~"
TERMS_VERSION = 2
"""Grows when the terms of a text change. 1 was words alone."""


def index_terms(text: str, language: str = UNKNOWN) -> list[str]:
    """All terms a text is found by: its words (`lexical_words`), then its character n-grams.

    Queries and documents must both use this.

    Args:
        text: a cleaned text, or any str.
        language: BCP-47 tag, to use a word breaker registered for it.

    Raises:
        InvalidInput: not a str, or an unknown `language`.
    """
    return lexical_words(text, language) + character_ngrams(text)


def character_ngrams(text: str) -> list[str]:
    """Single characters and pairs of the scripts named above, each after "~", as often as they occur.

    >>> character_ngrams("去 北京 Café")
    ['~去', '~北', '~京', '~北京']
    """
    grams: list[str] = []
    if check_text(text, "text").isascii():
        return grams
    for run in _RUN.finditer(text):
        units = _TSHEG.split(fold(run[0])) if run["tibetan"] else _clusters(fold(run[0]))
        if run["single"]:
            grams += [MARK + unit for unit in units]
        grams += [(MARK + one + other)[:LONGEST_TERM] for one, other in pairwise(units)]
    return grams


def _clusters(run: str) -> list[str]:
    return [run[start:end] for start, end in graphemes(run)]


# Letters and marks only: no digits, no punctuation. "single": scripts where one character can be a word that ICU hides.
_PAIRS = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u109a-\u109d\ua9e0-\ua9ef\uaa60-\uaa7f"
    "\u1780-\u17d3\u17dc\u17dd\uac00-\ud7a3"
)
_SINGLE = (
    "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af\u3041-\u3096\u3099-\u309f\u30a1-\u30fa"
    "\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f\u3105-\u312f\u31a0-\u31bf\ua980-\ua9c0\u1b00-\u1b4c\u1a20-\u1a7c\u1980-\u19cf"
    "\u1950-\u1974\uaa80-\uaadd\uaa00-\uaa4d\ua000-\ua48c"
)
_SYLLABLE = "[\u0f40-\u0fbc]+"
_RUN = re.compile(f"(?P<tibetan>{_SYLLABLE}(?:[\u0f0b\u0f0c]{_SYLLABLE})*)|(?P<single>[{_SINGLE}]+)|[{_PAIRS}]+")
_TSHEG = re.compile("[\u0f0b\u0f0c]")
