"""Language tags."""

import langcodes
import pytest

from lira_rag.errors import InvalidInput
from lira_rag.languages import SCRIPTS, display_name, normalize_tag, primary_language, script_of


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("iw", "he"),
        ("tl", "fil"),
        ("tgl", "fil"),
        ("in", "id"),
        ("swa", "sw"),
        ("swh", "sw"),
        ("ben", "bn"),
        ("khm", "km"),
        ("cmn", "zh"),
        ("EN-us", "en-US"),
        ("hi_latn", "hi-Latn"),
        ("hi-Latn", "hi-Latn"),
        ("fil-x-taglish", "fil-x-taglish"),
        ("ckb", "ckb"),
        ("und", "und"),
    ],
)
def test_one_spelling(given: str, normal: str) -> None:
    assert normalize_tag(given) == normal
    assert normalize_tag(normal) == normal


@pytest.mark.parametrize("tag", ["", "zzzz", "xx-nonsense", "a", "en--US", "123", "\x00", "en us", "n" * 10_000])
def test_nonsense_is_refused(tag: str) -> None:
    with pytest.raises(InvalidInput, match="language must be a BCP-47 tag, but got"):
        normalize_tag(tag)


def test_the_name_of_a_language_is_refused_with_its_tag() -> None:
    with pytest.raises(InvalidInput, match=r"got 'swahili' \(did you mean 'sw'\?\)"):
        normalize_tag("swahili")


def test_other_types_are_refused() -> None:
    for value, name in ((None, "NoneType"), (["sw"], "list")):
        with pytest.raises(InvalidInput, match=f"but got {name}"):
            normalize_tag(value)  # type: ignore[arg-type]


def test_primary_language() -> None:
    assert [primary_language(tag) for tag in ("hi-Latn", "fil-x-taglish", "iw-IL", "x-private")] == [
        *("hi", "fil", "he", "und")
    ]


@pytest.mark.parametrize(
    ("tag", "script"),
    [("sw", "Latn"), ("hi", "Deva"), ("hi-Latn", "Latn"), ("zh-Hant", "Hani"), ("sr-Latn", "Latn"), ("und", "Zyyy")],
)
def test_script_of(tag: str, script: str) -> None:
    assert script_of(tag) == script


def test_the_table_of_scripts_agrees_with_cldr() -> None:
    differs = {tag for tag in SCRIPTS if langcodes.Language.get(tag).maximize().script != SCRIPTS[tag]}
    assert differs == {"zh", "wuu", "yue", "mni"}  # Hans and Hant are one script here; Meitei is moving to its own
    assert all(normalize_tag(tag) == tag for tag in SCRIPTS)


def test_display_name() -> None:
    assert display_name("sw") == "Swahili"
    assert display_name("hi-Latn") == "Hindi (Latin)"
