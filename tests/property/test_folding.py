"""Folding for every string there is: once is enough, and nothing that sets words apart gets in."""

from __future__ import annotations

import sys
import unicodedata

from hypothesis import example, given, settings
from hypothesis import strategies as st

from lira_rag.text.lexical import LONGEST_TERM, fold, lexical_words
from lira_rag.text.ngrams import character_ngrams, index_terms
from lira_rag.text.romanise import script_of_word, sound_keys

# Marks, and letters that NFKC, case folding and our tables treat one after the other.
MARKS = [
    chr(c) for c in (*range(0x300, 0x370), *range(0x64B, 0x660), 0x93C, 0x9BC, 0x9CD, 0xD4D, 0x3099, 0x309A, 0x5B0)
]
LETTERS = [*"aſßıİǢǽǾЁёΐώאב'\"’ʻـۓىةۂکക്ൿൻড়क़ｶﾞㇷ゚각각ǅﬁ①٣߃႑𝟘ǝɛØæ"]
ANY = st.text() | st.lists(st.sampled_from(MARKS + LETTERS) | st.characters(), max_size=8).map("".join)

many = settings(max_examples=1_000, deadline=None)


@many
@given(ANY)
@example("ǣ\u0301")
@example("\u0f71\u0f72\u0f74")
@example("\ud800ø\u0338")
def test_folding_twice_is_folding_once(text: str) -> None:
    once = fold(text)
    assert fold(once) == once


def test_folding_each_character_twice_is_folding_it_once() -> None:
    changed = [char for char in map(chr, range(sys.maxunicode + 1)) if fold(fold(char)) != fold(char)]
    assert changed == []


def test_every_digit_of_every_script_becomes_ascii() -> None:
    digits = [char for char in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(char) == "Nd"]
    assert len(digits) > 600
    assert {fold(char) for char in digits} == set("0123456789")
    for zero in (d for d in digits if unicodedata.decimal(d) == 0):
        number = "".join(chr(ord(zero) + n) for n in (1, 2, 0, 0))
        assert "1200" in lexical_words(f"x {number} y"), hex(ord(zero))


@many
@given(ANY)
def test_case_and_composition_do_not_matter(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))
    if text.isascii():
        assert fold(text.upper()) == fold(text.lower()) == text.lower()


@many
@given(ANY)
def test_terms_are_words_or_marked_ngrams_and_bounded(text: str) -> None:
    terms = index_terms(text)
    assert terms == lexical_words(text) + character_ngrams(text)
    for term in terms:
        assert 0 < len(term) <= LONGEST_TERM
        assert not any(char.isspace() for char in term)
        assert fold(term) == term or len(term) == LONGEST_TERM


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(max_codepoint=0x24F), max_size=40))
def test_sound_keys_are_short_latin_and_the_same_each_time(word: str) -> None:
    keys = sound_keys(fold(word))
    assert keys == sound_keys(fold(word))
    for key in keys:
        assert key[0] in "12"
        assert key[1:].isascii()
        assert key[1:].isalpha()
        assert len(key) <= 2 * len(fold(word)) + 2
    assert bool(keys) <= (script_of_word(fold(word)) != "Zyyy")
