"""What serves a language at each stage."""

from collections.abc import Iterable

import pytest

from lira_rag.errors import InvalidInput
from lira_rag.languages import SCRIPTS, XLMR_LANGUAGES, direction_of, normalize_tag
from lira_rag.profile import LanguageProfile, Stage
from lira_rag.text.breaks import unregister, words


class Letters:
    """A breaker for which every character is a word."""

    def words(self, text: str) -> Iterable[tuple[int, int]]:
        return [(at, at + 1) for at in range(len(text))]

    sentences = words


def test_an_english_stack_is_flagged_for_hindi() -> None:
    profile = LanguageProfile.of(
        "hi", encoder="minilm", encoder_languages={"en"}, chat="smollm2", chat_languages={"en"}, words="patterns"
    )
    assert profile.weak == ("words", "encoder", "translation", "answers", "phrases")
    assert {profile.stages[name].quality for name in ("words", "encoder", "answers")} == {"english-only"}


def test_a_multilingual_stack_is_not() -> None:
    profile = LanguageProfile.of(
        "hi", encoder_languages=XLMR_LANGUAGES, chat_languages={"hi", "en"}, translator="nllb", phrases={"hi"}
    )
    assert profile.weak == ()
    assert profile.encoder.quality == profile.answers.quality == "native"
    assert profile.translation.quality == "unknown"


def test_english_is_served_by_an_english_stack() -> None:
    assert LanguageProfile.of("en", encoder_languages={"en"}, chat_languages={"en"}, phrases={"en"}).weak == ()


@pytest.mark.parametrize(
    ("tag", "detection", "words", "sentences", "encoder"),
    [
        ("th", "native", "native", "shared", "native"),
        ("bo", "native", "shared", "native", "shared"),
        ("dz", "shared", "shared", "native", "shared"),
        ("sw", "native", "native", "native", "native"),
        ("yo", "native", "native", "native", "shared"),
        ("hi-Latn", "native", "native", "native", "native"),
        ("mr-Latn", "native", "native", "native", "shared"),
        ("ti", "native", "native", "native", "shared"),
        ("bho", "none", "native", "native", "shared"),
        ("nb", "native", "native", "native", "native"),
        ("zh-Hant", "native", "native", "native", "native"),
    ],
)
def test_stages(tag: str, detection: str, words: str, sentences: str, encoder: str) -> None:
    profile = LanguageProfile.of(tag, encoder_languages=XLMR_LANGUAGES)
    found = (profile.detection, profile.words, profile.sentences, profile.encoder)
    assert tuple(stage.quality for stage in found) == (detection, words, sentences, encoder)


@pytest.mark.parametrize(("tag", "words"), [("th", "english-only"), ("bn", "english-only"), ("sw", "shared")])
def test_patterns_do_not_find_every_scripts_words(tag: str, words: str) -> None:
    assert LanguageProfile.of(tag, words="patterns").words.quality == words


def test_every_language_of_the_table_has_a_profile() -> None:
    for tag in SCRIPTS:
        profile = LanguageProfile.of(tag)
        assert profile.script == SCRIPTS[tag]
        assert all(stage.why and stage.served_by for stage in profile.stages.values())
        assert profile.encoder.quality == "unknown"


def test_direction() -> None:
    assert [direction_of(tag) for tag in ("ur", "he", "ff-Adlm", "dv", "hi", "ur-Latn")] == [*["rtl"] * 4, "ltr", "ltr"]
    assert LanguageProfile.of("ur").direction == "rtl"


def test_the_encoders_languages_are_tags() -> None:
    assert len(XLMR_LANGUAGES) == 98
    assert all(normalize_tag(tag) == tag for tag in XLMR_LANGUAGES)


def test_phrases_in_the_other_script_are_said_so() -> None:
    assert LanguageProfile.of("hi-Latn", phrases={"hi"}).phrases.quality == "shared"
    assert LanguageProfile.of("hi", phrases={"hi"}).phrases.quality == "native"


def test_a_stage_can_be_replaced() -> None:
    stage = Stage("my NLLB", "native", "measured here")
    profile = LanguageProfile.of("th")
    assert profile.replace(translation=stage).translation is stage
    assert profile.translation is not stage
    with pytest.raises(InvalidInput, match="a profile has no stage 'reranker'"):
        profile.replace(reranker=stage)
    with pytest.raises(InvalidInput, match="translation must be a Stage, but got str"):
        profile.replace(translation="my NLLB")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="breaker must have words"):
        profile.replace(breaker=stage)


def test_a_breaker_is_applied() -> None:
    profile = LanguageProfile.of("th", breaker=Letters())
    assert (profile.words.served_by, profile.words.quality) == ("Letters", "native")
    try:
        profile.apply()
        assert list(words("กขค", "th")) == [(0, 1), (1, 2), (2, 3)]
    finally:
        unregister("th")


def test_a_profile_without_a_breaker_registers_none() -> None:
    before = list(words("ไปบ้าน", "th"))
    LanguageProfile.of("th").apply()
    assert list(words("ไปบ้าน", "th")) == before


def test_replacing_the_breaker_changes_its_stages() -> None:
    profile = LanguageProfile.of("th").replace(breaker=Letters())
    assert (profile.words.served_by, profile.sentences.served_by) == ("Letters", "Letters")
    assert profile.replace(breaker=None).words.served_by == "ICU dictionary"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"language": "no such"}, "language must be a BCP-47 tag, but got 'no such'"),
        ({"language": ""}, "language must be a BCP-47 tag, but got ''"),
        ({"language": "\ud800"}, "language must be a BCP-47 tag"),
        ({"language": "x" * 1_000_000}, "language must be a BCP-47 tag"),
        ({"language": "und"}, "language must be a known language, but got 'und'"),
        ({"language": None}, "language must be a str such as 'sw', but got NoneType"),
        ({"language": "th", "words": "spaces"}, "words must be 'icu' or 'patterns', but got 'spaces'"),
        ({"language": "th", "breaker": object()}, "breaker must have words"),
        ({"language": "th", "encoder_languages": {"English!"}}, "language must be a BCP-47 tag, but got 'English!'"),
        ({"language": "th", "chat_languages": "en"}, "chat_languages must be a collection of tags, but got one string"),
    ],
)
def test_nonsense_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        LanguageProfile.of(**arguments)  # type: ignore[arg-type]
