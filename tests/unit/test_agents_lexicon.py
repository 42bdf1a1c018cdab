"""The lexicon translator on an invented language, whose rules the test knows."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from lira_rag.agents.translators.lexicon import Lexicon, LexiconTranslator
from lira_rag.agents.translators.lexicon_words import english_words, source_words, stem, units_of
from lira_rag.agents.translators.spelling import SpellingIndex, spelling_key
from lira_rag.errors import CheckpointError, InvalidInput
from lira_rag.protocols import Translator

NOUNS = {"river": "mufula", "bridge": "dalaja", "market": "sokoni", "school": "fundiro", "farmer": "limaji"}
NOUNS |= {"doctor": "gangazi", "village": "kijimo", "road": "barabu", "teacher": "walimbo", "mountain": "tabalu"}
VERBS = {"built": "jengwe", "opened": "fungule", "visited": "zurwe", "closed": "kunjwe", "painted": "rangiwe"}
ASKS = {"when was": "lini", "who": "nani", "where was": "wapi"}
PREFIXES = ("ku", "ni", "wa", "")
MANY_PREFIXES = ("ku", "ni", "wa", "zi", "ama", "isi", "e", "nga", "kwa", "ye", "lo", "bo", "ise", "uku", "ezi", "kule")


def sentence(rng: random.Random, prefixes: tuple[str, ...] = PREFIXES) -> tuple[str, str]:
    noun, other = rng.sample(sorted(NOUNS), 2)
    verb, ask = rng.choice(sorted(VERBS)), rng.choice(sorted(ASKS))
    prefix = rng.choice(prefixes)
    return (
        f"{ASKS[ask]} {prefix}{NOUNS[noun]} {VERBS[verb]} na {rng.choice(prefixes)}{NOUNS[other]}?",
        f"{ask} the {noun} {verb} by the {other}?",
    )


def sentences(n: int, seed: int = 0) -> list[tuple[str, str]]:
    rng = random.Random(seed)
    return [sentence(rng) for _ in range(n)]


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon.fit(sentences(400), "sw")


def content(english: str) -> set[str]:
    return {word for _, word in english_words(english)} & (NOUNS.keys() | VERBS.keys())


def test_content_words_of_new_questions_are_found(lexicon: Lexicon) -> None:
    found = wanted = 0
    for text, english in sentences(100, seed=1):
        wanted += len(content(english))
        found += len(content(english) & set(lexicon.gloss(text)[0].strip("?").split()))
    assert found / wanted > 0.9


def test_a_prefix_never_seen_on_a_word_is_seen_through() -> None:
    rng = random.Random(0)
    lexicon = Lexicon.fit([sentence(rng, MANY_PREFIXES) for _ in range(200)], "zu")
    assert lexicon.table.kind != "words"
    for noun, word in NOUNS.items():
        assert not lexicon.table.knows("zoku" + word)
        assert max(lexicon.expand("zoku" + word).items(), key=lambda item: item[1])[0] == noun


def test_names_and_numbers_stay(lexicon: Lexicon) -> None:
    gloss, _ = lexicon.gloss("lini dalaja Kwabena Ofori-Atta jengwe 1987?")
    assert {"Kwabena", "Ofori", "Atta", "1987", "bridge"} <= set(gloss.strip("?").split())
    assert gloss.endswith("?")


def test_a_name_in_another_spelling_is_found_in_the_vocabulary(lexicon: Lexicon) -> None:
    known = Lexicon(lexicon.table, ["cambodia", "camera", "canada"])
    assert "cambodia" in known.expand("lini Kambodiya fungule")
    assert "cambodia" not in lexicon.expand("lini Kambodiya fungule")


def test_words_that_say_nothing_are_not_searched_with(lexicon: Lexicon) -> None:
    weights = lexicon.expand("lini dalaja jengwe?")
    assert {"bridge", "built"} <= weights.keys()
    assert not {"when", "was", "the", "by"} & weights.keys()
    assert all(0 < weight <= 1 for weight in weights.values())


def test_confidence_tells_known_from_unknown_text(lexicon: Lexicon) -> None:
    known = [lexicon.gloss(text)[1] for text, _ in sentences(30, seed=2)]
    noise = random.Random(3)
    unknown = [lexicon.gloss(" ".join("".join(noise.choices("qwxzvjk", k=7)) for _ in range(5)))[1] for _ in range(30)]
    assert min(known) > max(unknown)
    assert all(0 <= confidence <= 1 for confidence in known + unknown)


def test_equal_pairs_in_another_order_give_equal_lexicons() -> None:
    pairs = sentences(120)
    first, second = Lexicon.fit(pairs, "sw"), Lexicon.fit([*reversed(pairs), *pairs[:30]], "sw")
    assert first.table.fingerprint == second.table.fingerprint
    assert Lexicon.fit(pairs[:-10], "sw").table.fingerprint != first.table.fingerprint


def test_saved_and_loaded_it_says_the_same(tmp_path: Path, lexicon: Lexicon) -> None:
    LexiconTranslator([lexicon]).save(tmp_path)
    loaded = LexiconTranslator.load(tmp_path)
    assert loaded.version == LexiconTranslator([lexicon]).version
    for text, _ in sentences(20, seed=5):
        assert loaded.lexicons["sw"].gloss(text) == lexicon.gloss(text)


@pytest.mark.parametrize("damage", ["weights", "card", "units", "newer", "gone", "list"])
def test_a_damaged_lexicon_is_refused(tmp_path: Path, lexicon: Lexicon, damage: str) -> None:
    LexiconTranslator([lexicon]).save(tmp_path)
    card, weights = tmp_path / "lexicon-sw.json", tmp_path / "lexicon-sw.safetensors"
    read = json.loads(card.read_text(encoding="utf-8"))
    if damage == "weights":
        weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")
    elif damage == "card":
        card.write_text("{", encoding="utf-8")
    elif damage == "units":
        card.write_text(json.dumps({**read, "words": list(reversed(read["words"]))}), encoding="utf-8")
    elif damage == "newer":
        card.write_text(json.dumps({**read, "format": 99}), encoding="utf-8")
    elif damage == "gone":
        weights.unlink()
    else:
        (tmp_path / "lexicons.json").write_text("[]", encoding="utf-8")
    with pytest.raises(CheckpointError):
        LexiconTranslator.load(tmp_path)


async def test_it_is_a_translator(lexicon: Lexicon) -> None:
    translator = LexiconTranslator([lexicon])
    assert isinstance(translator, Translator)
    (found,) = await translator.translate("nani dalaja jengwe", "swh")
    assert "bridge" in found.text and found.translator == "lexicon" and found.language == "en"
    assert found.confidence is not None and found.confidence > 0.3
    for source, target in (("und", "en"), ("th", "en"), ("sw", "fr")):
        assert await translator.translate("nani dalaja jengwe", source, target) == []
    assert await translator.translate("!!!", "sw") == []
    assert translator.expand("dalaja", "th") == {}


def test_several_languages_are_learned_from_one_list() -> None:
    pairs = [(text, tag, english) for tag in ("sw", "zul") for text, english in sentences(20)]
    translator = LexiconTranslator.fit(pairs)
    assert sorted(translator.lexicons) == ["sw", "zu"]
    assert len(translator.version.split("-")) == 2
    assert translator.with_vocabulary(["cambodia"]).expand("Ona Kambodiya", "zu")["cambodia"] > 0.5


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([], "at least one"),
        ([("a b", "sw", "c d")] * 20, "language sw.*at least 8 pairs.*got 1"),
        ([("a", "sw")], "pair 1"),
        ([("a", "sw", None)], "pair 1"),
        ([("a", "no-such-language", "b")], "no-such-language"),
        ([("...", "sw", f"word {n}") for n in range(20)], "got 0"),
    ],
)
def test_bad_pairs_are_refused_by_name(pairs: list[tuple[str, str, str]], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        LexiconTranslator.fit(pairs)


def test_two_lexicons_of_one_language_are_refused(lexicon: Lexicon) -> None:
    with pytest.raises(InvalidInput, match="two lexicons"):
        LexiconTranslator([lexicon, lexicon])


def test_source_words_split_prefixes_from_names() -> None:
    words = source_words("Ubani oweyengu uMengameli waseNingizimu Afrika, u-2Pac noma McDuck IBM?")
    assert [word.folded for word in words if word.name] == [
        *["mengameli", "ningizimu", "afrika", "2pac", "mc", "duck", "ibm"]
    ]
    assert [word.surface for word in words][:2] == ["Ubani", "oweyengu"]


def test_words_of_scripts_without_spaces_are_separate() -> None:
    assert len(source_words("แม่น้ำโขงไหลผ่านกี่ประเทศ")) >= 4


def test_units_are_the_word_its_ends_and_its_beginnings() -> None:
    assert units_of("kusiphi", "words") == ("=kusiphi",)
    assert units_of("kusiphi", "endings") == ("=kusiphi", "-iphi", "-siphi", "-usiphi")
    assert set(units_of("kusiphi", "edges")) - set(units_of("kusiphi", "endings")) == {"kusi-", "kusip-", "kusiph-"}


@pytest.mark.parametrize(
    "forms",
    [("country", "countries"), ("begin", "begins"), ("stop", "stopped", "stopping"), ("make", "makes", "making")],
)
def test_inflected_forms_share_a_stem(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


def test_words_that_only_look_alike_keep_their_stems() -> None:
    assert len({stem(word) for word in ("king", "class", "news", "kenya", "1990s", "species")}) == 6


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("kambodiya", "cambodia"),
        ("onomathophiya", "onomatopoeia"),
        ("naijiria", "nigeria"),
        ("kirigizisitani", "kyrgyzstan"),
        ("катар", "qatar"),
    ],
)
def test_names_are_found_in_other_spellings(written: str, name: str) -> None:
    vocabulary = ["cambodia", "onomatopoeia", "nigeria", "kyrgyzstan", "qatar", "brazil", "canada", "cameroon", "nigel"]
    assert SpellingIndex(vocabulary).nearest(written)[0][0] == name


def test_spelling_similarity_is_a_cosine() -> None:
    index = SpellingIndex(["cambodia", "canada", "river"])
    assert index.nearest("cambodia")[0] == ("cambodia", pytest.approx(1.0))
    assert all(0 < alike <= 1 for _, alike in index.nearest("kanada", 5))
    assert index.nearest("abc") == index.nearest("x" * 99) == SpellingIndex([]).nearest("cambodia") == []
    assert spelling_key("philippines") == spelling_key("filipines")
