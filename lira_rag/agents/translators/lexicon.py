"""A gloss into English that is learned in seconds from a user's own sentence pairs.

For most languages no translator and no language model is any good, but a few hundred to a few thousand sentences with
an English side exist. Word alignment turns them into a lexicon; a question becomes a string of English words. It is no
translation to show to anybody. It is one to search with: names, numbers and content words are there.

Words never seen are split into the ends they share with known words, or looked up among English words that are spelled
alike (``Kambodiya`` → Cambodia); names are kept as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from anyio import to_thread

from lira_rag.agents.translators.lexicon_fit import fit_table, read_sentences
from lira_rag.agents.translators.lexicon_table import LexiconTable, read_table, write_table
from lira_rag.agents.translators.lexicon_words import STOP_WORDS, Word, source_words
from lira_rag.agents.translators.spelling import SpellingIndex
from lira_rag.errors import CheckpointError, InvalidInput
from lira_rag.languages import UNKNOWN, normalize_tag, primary_language
from lira_rag.schema import Translation

__all__ = ["Lexicon", "LexiconTranslator"]

ALIKE = 0.6
"""Spelling similarity from which an English word stands for a word that was never seen."""
SURELY_ALIKE = 0.8
"""The same, for a word that its ends already explain."""
SECOND_WORD = 0.4
"""Rate from which the second best word is written into the gloss as well."""
ALTERNATIVES = 5
MOST_WORDS = 400
"""Words of a text that are translated; a query has fewer."""


class Lexicon:
    """English words for the words of one language.

    Args:
        table: what was learned.
        vocabulary: folded English words beside those of the training pairs, such as the index words of the documents
            that are searched, the most frequent first; names are looked up among them.
    """

    def __init__(self, table: LexiconTable, vocabulary: Iterable[str] = ()) -> None:
        self.table = table
        self._vocabulary = dict.fromkeys([*table.words, *vocabulary])

    @classmethod
    def fit(cls, pairs: Iterable[tuple[str, str]], language: str) -> Lexicon:
        """Learn from pairs of (text in `language`, English). Deterministic; the order of the pairs does not matter.

        Raises:
            InvalidInput: an unknown tag, or fewer than 8 pairs with words on both sides.
        """
        return cls(fit_table(read_sentences(pairs), normalize_tag(language)))

    @property
    def language(self) -> str:
        """BCP-47 tag of the source language."""
        return self.table.language

    @cached_property
    def _spelling(self) -> SpellingIndex:
        return SpellingIndex(self._vocabulary)

    def alternatives(self, text: str) -> list[list[tuple[str, float]]]:
        """For each source word its English words, folded, with weights in (0, 1], best first; may be empty."""
        return [self._of(word)[:ALTERNATIVES] for word in source_words(text)[:MOST_WORDS]]

    def expand(self, text: str) -> dict[str, float]:
        """Content words to search English text with, folded, with weights in (0, 1]: square roots of rates.

        The square root keeps a translation that is one of several from disappearing (found on AfriQA train).
        """
        weights: dict[str, float] = {}
        for options in self.alternatives(text):
            for word, rate in options:
                if word not in STOP_WORDS:
                    weights[word] = min(weights.get(word, 0.0) + rate**0.5, 1.0)
        return weights

    def gloss(self, text: str) -> tuple[str, float]:
        """(English words in the order of the source, confidence in [0, 1]); ("", 0.0) when nothing is known."""
        written: list[str] = []
        certain: list[float] = []
        for word in source_words(text)[:MOST_WORDS]:
            options = self._of(word)
            certain.append(options[0][1] if options else 0.0)
            for shown in self._shown(word, options):
                if not written or written[-1] != shown:
                    written.append(shown)
        if not written:
            return "", 0.0
        mark = "?" if text.rstrip()[-1:] in _QUESTION_MARKS else ""
        confidence = self.table.offset + self.table.slope * sum(certain) / len(certain)
        return " ".join(written) + mark, min(max(confidence, 0.0), 1.0)

    def _of(self, word: Word) -> list[tuple[str, float]]:
        """English words for one source word, best first."""
        rates = self.table.rates_of(word.folded)
        if not (rates and self.table.knows(word.folded)):
            rates = self._of_unseen(word, rates)
        found = sorted(rates.items(), key=lambda item: (-item[1], item[0]))
        if word.name and word.folded in self._vocabulary:  # a name that English text has is that name
            found = [(word.folded, 1.0), *(item for item in found if item[0] != word.folded)]
        return found

    def _of_unseen(self, word: Word, rates: dict[str, float]) -> dict[str, float]:
        """A word without a translation of its own: an English word as it stands, one spelled alike, or its ends."""
        folded = word.folded
        if folded in self._vocabulary and (word.name or not rates):
            return {folded: 1.0}
        rates = {} if word.name else dict(rates)
        least = SURELY_ALIKE if rates else ALIKE
        for english, alike in self._spelling.nearest(folded):
            if alike >= least:
                rates[english] = max(rates.get(english, 0.0), alike**2)
        return rates

    def _shown(self, word: Word, options: list[tuple[str, float]]) -> list[str]:
        """What the gloss says for a word: its best translation, a second that is likely too, or a name as it is."""
        if not options:
            return [word.surface] if word.name else []
        shown = [options[0][0]]
        if len(options) > 1 and options[1][1] >= SECOND_WORD and options[1][0] not in STOP_WORDS:
            shown.append(options[1][0])
        return [self._written(english, word) for english in shown]

    def _written(self, english: str, word: Word) -> str:
        if english == word.folded:
            return word.surface
        known = self.table.surface_of.get(english)
        return known or (english.capitalize() if word.name else english)


_QUESTION_MARKS = ("?", "？", "؟", "፧", "՞", ";")


class LexiconTranslator:
    """Glosses into English from lexicons of any number of languages. A `Translator`.

    Args:
        lexicons: at most one for each language.
        name: shown to users.

    Raises:
        InvalidInput: two lexicons of one language.
    """

    def __init__(self, lexicons: Iterable[Lexicon], *, name: str = "lexicon") -> None:
        self._name = name
        self.lexicons: dict[str, Lexicon] = {}
        for lexicon in lexicons:
            key = primary_language(lexicon.language)
            if key in self.lexicons:
                raise InvalidInput(f"two lexicons are given for the language {key!r}")
            self.lexicons[key] = lexicon

    @classmethod
    def fit(cls, pairs: Iterable[tuple[str, str, str]], *, name: str = "lexicon") -> LexiconTranslator:
        """Learn a lexicon for each language of (text, language, english) records.

        Raises:
            InvalidInput: no pairs, a record that is not three texts, an unknown language, a language with fewer than
                8 pairs; named by its number or tag.
        """
        by_language: dict[str, list[tuple[str, str]]] = {}
        for number, record in enumerate(pairs, 1):
            if len(record) != 3 or not all(isinstance(part, str) for part in record):
                raise InvalidInput(f"pair {number} must be three texts: text, language, english")
            text, language, english = record
            by_language.setdefault(primary_language(language), []).append((text, english))
        if not by_language:
            raise InvalidInput("pairs must hold at least one pair")
        return cls((_fit_named(found, tag) for tag, found in sorted(by_language.items())), name=name)

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    @property
    def version(self) -> str:
        """Changes with the lexicons; a part of the key under which a translation may be cached."""
        return "-".join(lexicon.table.fingerprint[:12] for _, lexicon in sorted(self.lexicons.items()))

    def with_vocabulary(self, words: Iterable[str]) -> LexiconTranslator:
        """The same lexicons, with names looked up among these folded words too (an index's own, for example)."""
        kept = list(words)
        return LexiconTranslator([Lexicon(lx.table, kept) for lx in self.lexicons.values()], name=self.name)

    async def translate(self, text: str, source: str, target: str = "en") -> list[Translation]:
        """One gloss, with a confidence calibrated on held-out pairs; none for another target or an unknown language."""
        lexicon = self._lexicon(source)
        if lexicon is None or primary_language(target) != "en":
            return []
        gloss, confidence = await to_thread.run_sync(lexicon.gloss, text, abandon_on_cancel=True)
        return [Translation(gloss, self.name, "en", confidence)] if gloss else []

    def expand(self, text: str, source: str) -> dict[str, float]:
        """Weighted English content words for word search (see `Lexicon.expand`); empty for an unknown language."""
        lexicon = self._lexicon(source)
        return {} if lexicon is None else lexicon.expand(text)

    def _lexicon(self, source: str) -> Lexicon | None:
        language = primary_language(source)
        return None if language == UNKNOWN else self.lexicons.get(language)

    def save(self, folder: Path) -> None:
        """Write every lexicon as ``lexicon-<tag>.safetensors`` and ``.json``, and the list of them last."""
        for tag, lexicon in self.lexicons.items():
            write_table(Path(folder), f"lexicon-{tag}", lexicon.table)
        about = {"format": 1, "name": self.name, "languages": sorted(self.lexicons)}
        (Path(folder) / "lexicons.json").write_text(json.dumps(about), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> LexiconTranslator:
        """Read what `save` wrote.

        Raises:
            CheckpointError: a file is absent or damaged.
        """
        try:
            about = json.loads((Path(folder) / "lexicons.json").read_text(encoding="utf-8"))
            name, tags = str(about["name"]), [primary_language(tag) for tag in about["languages"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"{folder} holds no lexicons: {type(error).__name__}", hint="is this the folder a save wrote?"
            ) from error
        return cls([Lexicon(read_table(Path(folder), f"lexicon-{tag}")) for tag in tags], name=name)


def _fit_named(pairs: list[tuple[str, str]], language: str) -> Lexicon:
    try:
        return Lexicon.fit(pairs, language)
    except InvalidInput as error:
        raise InvalidInput(f"language {language}: {error.args[0]}", hint=error.hint) from None
