"""Ready breakers for single languages."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from lira_rag.errors import InvalidInput, MissingDependency
from lira_rag.text import plugins
from lira_rag.text.breaks import Breaker, register, sentences, unregister, words
from lira_rag.text.chunking import chunk
from lira_rag.text.plugins import WordList, khmer, lao, thai, tibetan


@pytest.fixture
def thai_words() -> Iterator[None]:
    register("th", thai())
    yield
    unregister("th")


@pytest.mark.usefixtures("thai_words")
def test_thai_by_pythainlp() -> None:
    """The tokens of the package itself, as spans; sentences stay ICU's."""
    from pythainlp.tokenize import word_tokenize

    text = "แมววิ่งเข้าบ้าน กำแพงสูง 3,500 บาท"
    assert [text[start:end] for start, end in words(text, "th")] == word_tokenize(text)
    assert len(list(sentences(text, "th"))) == 2
    assert list(words("hello you", "en")) == [(0, 5), (5, 6), (6, 9)]


@pytest.mark.usefixtures("thai_words")
def test_passages_are_cut_by_the_registered_words() -> None:
    text = "ตากลมนั่งตากลม" * 5
    spans = chunk(text, count_tokens=len, max_tokens=10, overlap_tokens=0, language="th")
    ends = {end for _, end in words(text, "th")}
    assert {span.end for span in spans} <= ends


def test_what_a_tokenizer_leaves_out_is_cut_by_icu() -> None:
    breaker = WordList("km", lambda text: ["ខ្មែរ", "absent", "", "one"])
    text = "ខ្មែរ  two one; three"
    assert isinstance(breaker, Breaker)
    found = [text[start:end] for start, end in breaker.words(text)]
    assert found == ["ខ្មែរ", "  ", "two", " ", "one", ";", " ", "three"]


@pytest.mark.parametrize("make", [thai, khmer, lao, tibetan])
def test_a_package_that_is_not_installed_is_named(make: type) -> None:
    package = {"thai": "pythainlp", "khmer": "khmernltk", "lao": "laonlp", "tibetan": "botok"}[make.__name__]
    if find_spec(package) is not None:
        pytest.skip("installed")
    with pytest.raises(MissingDependency, match=rf"is not installed \(pip install {package[:5]}"):
        make()


def test_what_an_installed_package_lacks_is_its_own_error() -> None:
    """The error of a package that cannot import what it needs is not hidden behind "not installed"."""
    with pytest.raises(MissingDependency, match="pip install none"):
        plugins._imported("no_such_package.part", "x", "none")
    with pytest.raises(AttributeError):
        plugins._imported("pythainlp", "no_such_name", "pythainlp")


class Inside:
    """Cuts at every character."""

    def words(self, text: str) -> list[tuple[int, int]]:
        return [(at, at + 1) for at in range(len(text))]

    sentences = words


def test_cuts_inside_a_cluster_are_mended() -> None:
    register("bo", Inside())
    try:
        text = "ཀྱི👨‍👩‍👧x"
        assert [text[start:end] for start, end in words(text, "bo")] == ["ཀྱི", "👨‍👩‍👧", "x"]
        assert [text[start:end] for start, end in sentences(text, "bo")] == ["ཀྱི", "👨‍👩‍👧", "x"]
    finally:
        unregister("bo")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'nonsense-tag'"):
        register("nonsense-tag", Inside())
