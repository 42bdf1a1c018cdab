"""Sound keys: spellings of one word share one, other words do not; and what the library says when it cannot."""

from __future__ import annotations

import doctest
import subprocess
import sys

import pytest

from lira_rag.errors import InvalidInput
from lira_rag.text import romanise as module
from lira_rag.text.lexical import fold
from lira_rag.text.romanise import LONGEST_WORD, query_sounds, romanise, script_of_word, sound_keys

# Ways of writing one word. Every Latin spelling must share a key with every one in another script.
SPELLINGS = [
    "nahi nahin nahee nhi naheen नहीं نہیں",
    "kya kyaa kiya क्या کیا",
    "hai he hay है ہے",
    "hain हैं ہیں",
    "mausam mosam mausum मौसम موسم",
    "zaroorat jarurat zarurat ज़रूरत जरूरत",
    "ladki larki ladkee लड़की لڑکی",
    "padhai parhai पढ़ाई",
    "ghora ghoda گھوڑا घोड़ा",
    "sawal savaal sawaal सवाल سوال",
    "phone fone फोन ফোন",
    "kitab kitaab किताब کتاب",
    "raha rahaa rahah रहा رہا",
    "samsung samsang सैमसंग سامسونگ ซัมซุง சாம்சங் سامسنگ самсунг",
    "bangladesh বাংলাদেশ बांग्लादेश",
    "moskva москва",
    "khorosho хорошо",
    "privet привет",
    "vanakkam wanakkam வணக்கம்",
    "nagaram nagaramm நகரம்",
    "thambi tambi தம்பி",
    "petti peti பெட்டி",
    "chennai சென்னை",
    "kahan kahaan کہاں कहाँ",
    "kharab kharaab خراب खराब",
    "shahr shahar شہر",
    "addis adis አዲስ",
    "krungthep กรุงเทพ",
    "marhaba merhaba مرحبا",
]


@pytest.mark.parametrize("line", SPELLINGS)
def test_spellings_of_a_word_share_a_key_across_scripts(line: str) -> None:
    latin = [word for word in line.split() if word.isascii()]
    others = [word for word in line.split() if not word.isascii()]
    assert latin
    for typed in latin:
        for written in others:
            assert set(sound_keys(typed)) & set(sound_keys(fold(written))), (typed, written)


@pytest.mark.parametrize(
    ("one", "other"), [("नहीं", "मौसम"), ("किताब", "kitna"), ("सवाल", "jawab"), ("दिल्ली", "dost"), ("समय", "samsung")]
)
def test_other_words_share_none(one: str, other: str) -> None:
    assert not set(sound_keys(one)) & set(sound_keys(other))


@pytest.mark.parametrize(
    "word", ["", "204", "kt-204", "~北京", "~กำ", "-", "x" * (LONGEST_WORD + 1), "क" * 40, "ー", "्"]
)
def test_what_has_no_sound_has_no_key(word: str) -> None:
    assert sound_keys(word) == ()
    assert query_sounds(word) == []


def test_keys_come_fine_first_and_each_once() -> None:
    keys = sound_keys("लड़की")
    assert len(set(keys)) == len(keys)
    assert [key[0] for key in keys] == sorted((key[0] for key in keys), reverse=True)
    assert all(0 < weight < 1 for _, weight in query_sounds("ladki"))
    fine, loose = query_sounds("ladki")
    assert fine[1] > loose[1]


@pytest.mark.parametrize("short", ["है", "में", "पानी", "کیا", "กา"])
def test_short_words_of_a_native_query_look_for_nothing_in_other_scripts(short: str) -> None:
    assert sound_keys(short) != ()
    assert query_sounds(short) == []
    assert query_sounds("hai") != []


@pytest.mark.parametrize(
    ("word", "script"),
    [("abc", "Latn"), ("café", "Latn"), ("東京", "Hani"), ("204", "Zyyy"), ("", "Zyyy"), ("aक", "Deva"), ("к", "Cyrl")],
)
def test_the_script_of_a_word(word: str, script: str) -> None:
    assert script_of_word(word) == script


@pytest.mark.parametrize("value", [None, 7, b"x"])
def test_only_text_can_be_romanised(value: object) -> None:
    for function in (romanise, sound_keys, query_sounds, script_of_word):
        with pytest.raises(InvalidInput, match="word must be a str"):
            function(value)  # type: ignore[operator]


def test_a_missing_uroman_is_named() -> None:
    code = (
        "import sys; sys.modules['uroman'] = None\n"
        "from lira_rag.errors import MissingDependency\n"
        "from lira_rag.text.romanise import sound_keys\n"
        "assert sound_keys('kettle')\n"
        "try: sound_keys('केतली')\n"
        "except MissingDependency as error: sys.exit(0 if 'pip install uroman' in str(error) else 1)\n"
        "sys.exit(2)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_examples_in_the_docstrings() -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
