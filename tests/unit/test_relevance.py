"""Relevance: the arithmetic, and calibrations of an index by encoders that place languages at different heights."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources

import anyio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lira_rag.arca.relevance import ENOUGH, Calibrator, probe_languages
from lira_rag.errors import InvalidInput
from lira_rag.functional.neutral import language_directions
from lira_rag.functional.relevance import (
    ANSWERING,
    Calibration,
    calibrate,
    expected_maximum,
    gain_of,
    mixed,
    pooled,
)
from lira_rag.lasr import LaSR
from lira_rag.protocols import FloatArray, Kind
from lira_rag.schema import Hit, Passage, SearchResult
from lira_rag.stores.landscape import Landscape, pair_cosines

PROBES = json.loads(resources.files("lira_rag.arca").joinpath("probes.json").read_text(encoding="utf-8"))


def table(
    seed: int, mean: float = 0.7, spread: float = 0.02, between: float = 0.01, shape: tuple[int, int] = (12, 200)
) -> NDArray[np.float64]:
    """Cosines of probes with passages in a world where all is normal."""
    rng = np.random.default_rng(seed)
    return mean + between * rng.standard_normal((shape[0], 1)) + spread * rng.standard_normal(shape)


# --- the arithmetic


@pytest.mark.parametrize("n", [5, 10, 169, 5_000])
def test_the_expected_maximum_is_that_of_a_simulation(n: int) -> None:
    draws = np.random.default_rng(n).standard_normal((max(400, 2_000_000 // n), n)).max(axis=1)
    assert expected_maximum(n) == pytest.approx(draws.mean(), abs=4 * draws.std() / math.sqrt(len(draws)) + 0.02)
    assert expected_maximum(1) == 0.0


def test_the_parameters_of_a_normal_world_are_found() -> None:
    found = calibrate(table(1, 0.7, 0.02, 0.01, (60, 2_000)), gain=0.2, passages=100)
    assert found.unrelated == pytest.approx(0.7, abs=0.005)
    assert found.spread == pytest.approx(0.02, rel=0.1)
    assert found.between == pytest.approx(0.01, rel=0.4)
    assert found.answering == pytest.approx(found.unrelated + 0.2)


def test_relevance_runs_from_unrelated_to_answering_and_never_falls() -> None:
    found = calibrate(table(2), gain=0.15, passages=300)
    assert (found.relevance(found.unrelated), found.relevance(found.answering)) == (0.0, 1.0)
    values = [found.relevance(cosine) for cosine in np.linspace(-1, 1, 401)]
    assert values == sorted(values)
    assert (values[0], values[-1]) == (0.0, 1.0)


@given(st.floats(0.05, 3), st.floats(-2, 2), st.floats(-1, 1), st.integers(0, 50))
def test_an_affine_change_of_all_cosines_changes_no_relevance(
    scale: float, shift: float, cosine: float, seed: int
) -> None:
    cosines = table(seed)
    one = calibrate(cosines, gain=0.1, passages=1_000)
    other = calibrate(scale * cosines + shift, gain=scale * 0.1, passages=1_000)
    assert other.relevance(scale * cosine + shift) == pytest.approx(one.relevance(cosine), abs=1e-6)
    assert other.chance(scale * cosine + shift) == pytest.approx(one.chance(cosine), abs=1e-6)


def test_a_third_of_the_probes_may_be_about_the_subject_of_the_index() -> None:
    cosines = table(3)
    spoilt = cosines.copy()
    spoilt[:4] += 0.12
    clean, robust = calibrate(cosines, 0.15, 200), calibrate(spoilt, 0.15, 200)
    middle = (clean.unrelated + clean.answering) / 2
    assert robust.relevance(middle) == pytest.approx(clean.relevance(middle), abs=0.06)
    by_mean = (spoilt.mean() - cosines.mean()) / 0.15
    assert by_mean > 0.2, "an average would have moved by this much"


@pytest.mark.parametrize("level", [0.2, 0.05, 0.01])
def test_the_chance_is_how_often_unrelated_passages_score_as_high(level: float) -> None:
    found = calibrate(table(4, shape=(60, 2_000)), 0.1, 100)
    fresh = table(5, shape=(4_000, 50))
    cosine = float(np.quantile(fresh, 1 - level))
    assert found.chance(cosine) == pytest.approx(level, rel=0.25)
    best = table(6, between=0.0, shape=(4_000, 100)).max(axis=1)
    sharp = replace(found, between=0.0)
    assert sharp.chance_of_best(float(np.quantile(best, 1 - level))) == pytest.approx(level, rel=0.3)


def test_chances_fall_and_stay_chances() -> None:
    found = Calibration(0.7, 0.02, 0.01, 0.8, 10**7)
    for chance in (found.chance, found.chance_of_best):
        values = [chance(cosine) for cosine in np.linspace(-1, 1, 201)]
        assert values == sorted(values, reverse=True)
        assert 0.0 <= values[-1] < 1e-9
        assert values[0] == pytest.approx(1.0)


def test_a_larger_index_asks_more_of_an_answer_that_is_hard_to_tell() -> None:
    small, large = (calibrate(table(7), gain=0.01, passages=n) for n in (100, 10**6))
    assert large.answering > small.answering + 1.5 * small.spread
    assert calibrate(table(7), gain=0.3, passages=10**6).answering == pytest.approx(small.unrelated + 0.3)


def test_an_encoder_that_gives_everything_one_cosine_is_calibrated_without_harm() -> None:
    found = calibrate(np.full((12, 50), 0.5), gain=0.0, passages=50)
    assert (found.relevance(0.5), found.relevance(0.4)) == (0.0, 0.0)
    assert 0.0 <= found.chance(0.5) <= 1.0


def test_gain_is_the_difference_to_other_answers() -> None:
    cosines = np.full((5, 5), 0.7)
    np.fill_diagonal(cosines, [0.8, 0.8, 0.85, 0.9, 0.9])
    assert gain_of(cosines) == pytest.approx(0.15)


def test_a_mean_of_two_vectors_lies_between_their_calibrations() -> None:
    one, other = Calibration(0.7, 0.02, 0.01, 0.8, 99), Calibration(0.8, 0.04, 0.03, 0.95, 99)
    assert mixed([(3.0, one)]) == one
    both = mixed([(1.0, one), (3.0, other)])
    assert both.unrelated == pytest.approx(0.775)
    assert both.answering == pytest.approx(0.9125)
    middle = pooled([one, other, Calibration(0.9, 0.05, 0.03, 1.0, 99)])
    assert (middle.unrelated, middle.spread) == (0.8, 0.04)
    assert middle.answering == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("call", "rule"),
    [
        (lambda: calibrate(np.zeros((2, 50)), 0.1, 10), "cosines must be"),
        (lambda: calibrate(np.zeros((12, 9)), 0.1, 10), "cosines must be"),
        (lambda: calibrate(np.zeros(50), 0.1, 10), "cosines must be"),
        (lambda: calibrate(np.full((12, 50), np.nan), 0.1, 10), "cosines must be finite"),
        (lambda: calibrate(np.zeros((12, 50)), math.nan, 10), "gain must be finite"),
        (lambda: calibrate(np.zeros((12, 50)), 0.1, 0), "passages must be > 0, but got 0"),
        (lambda: gain_of(np.zeros((3, 4))), r"cosines must be \[m, m\]"),
        (lambda: gain_of(np.zeros((2, 2))), "cosines must be"),
        (lambda: expected_maximum(0), "n must be > 0, but got 0"),
        (lambda: pooled([]), "at least one"),
        (lambda: mixed([]), "at least one"),
        (lambda: mixed([(0.0, Calibration(0, 1, 1, 1, 1))]), "weight must be > 0"),
    ],
)
def test_wrong_values_are_refused_by_name(call: object, rule: str) -> None:
    with pytest.raises(InvalidInput, match=rule):
        call()  # type: ignore[operator]


# --- the calibrator, with encoders that lift languages


SUBJECTS = {text: n for texts in [*PROBES["questions"].values(), PROBES["answers"]] for n, text in enumerate(texts)}
LANGUAGE = {text: tag for tag, texts in PROBES["questions"].items() for text in texts}
LIFTS = {"en": 0.0, "sw": 0.15, "th": 0.3, "yo": 0.5}


def direction(name: str, width: int = 96) -> FloatArray:
    seed = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")
    row = np.random.default_rng(seed).standard_normal(width)
    return (row / np.linalg.norm(row)).astype(np.float32)


class Lifting:
    """Texts are "language|subject|noise"; probes are known by heart.

    All texts share a part, the larger the higher `base` and the language's lift: cosines of unrelated texts rise with
    it, and what is left for the content shrinks, as with real encoders.
    """

    def __init__(self, base: float, scale: float = 1.0) -> None:
        self.base, self.scale, self.asked = base, scale, 0

    async def encode(self, texts: Sequence[str], kind: Kind, language: str | None = None) -> FloatArray:
        self.asked += len(texts)
        return np.stack([self.vector(text, kind) for text in texts])

    def vector(self, text: str, kind: Kind) -> FloatArray:
        language, subject = LANGUAGE.get(text, "en"), f"probe {SUBJECTS.get(text)}"
        if text not in SUBJECTS:
            language, subject, _ = text.split("|")
        content = 0.8 * direction(subject) + 0.6 * direction(text + kind)
        content /= np.linalg.norm(content)
        lift = LIFTS.get(language, 0.0) if kind == "query" else 0.0
        shared = self.base + (1 - self.base) * lift
        # three blocks: content, what all texts share, and what keeps queries and passages apart
        length = math.sqrt(1 - shared) * self.scale
        rest = math.sqrt(max(0.0, 1 - length**2 - shared))
        return np.array([*(length * content), math.sqrt(shared), rest * (kind == "query"), rest * (kind == "passage")])


def landscape_of(vectors: FloatArray, passages: int | None = None) -> Landscape:
    rows = vectors.astype(np.float32)
    mean, spread = pair_cosines(rows)
    none = np.zeros((0, rows.shape[1]), dtype=np.float32)
    return Landscape(passages or len(rows), rows[:256], mean, spread, none, language_directions(none))


async def decisions(encoder: Lifting) -> dict[str, tuple[list[bool], list[bool]]]:
    """Language -> (answerable questions accepted, unrelated ones accepted) by the best relevance."""
    texts = [f"en|subject {n}|passage" for n in range(200)]
    passages = await encoder.encode(texts, "passage")
    calibrator = Calibrator(encoder, lambda: landscape)
    landscape = landscape_of(passages)
    out = {}
    for language in LIFTS:
        calibration = await calibrator.of(language)
        assert calibration is not None

        async def accepted(subject: str, language: str = language, by: Calibration = calibration) -> list[bool]:
            queries = await encoder.encode([f"{language}|{subject} {n}|query" for n in range(150)], "query")
            return [by.relevance(float(best)) >= ANSWERING for best in (queries @ passages.T).max(axis=1)]

        out[language] = await accepted("subject"), await accepted("elsewhere")
    return out


async def test_every_language_is_refused_and_accepted_alike() -> None:
    found = await decisions(Lifting(0.3))
    right = {language: np.mean(yes) for language, (yes, _) in found.items()}
    wrong = {language: np.mean(no) for language, (_, no) in found.items()}
    assert min(right.values()) > 0.93
    assert max(wrong.values()) < 0.07


async def test_one_raw_cut_would_let_everything_pass_in_a_lifted_language() -> None:
    encoder = Lifting(0.3)
    passages = await encoder.encode([f"en|subject {n}|passage" for n in range(200)], "passage")
    best = {}
    for language in LIFTS:
        queries = await encoder.encode([f"{language}|elsewhere {n}|query" for n in range(150)], "query")
        best[language] = (queries @ passages.T).max(axis=1)
    cut = np.quantile(best["en"], 0.95)
    assert (best["yo"] > cut).mean() > 0.5


async def test_an_encoder_at_seven_tenths_and_one_below_a_half_decide_alike() -> None:
    high, low = await decisions(Lifting(0.7)), await decisions(Lifting(0.0, scale=0.7))
    for language in LIFTS:
        for one, other in zip(high[language], low[language], strict=True):
            assert np.mean(np.array(one) != np.array(other)) <= 0.04, language


async def test_a_calibration_lasts_until_the_index_changes() -> None:
    encoder = Lifting(0.3)
    now = [landscape_of(await encoder.encode([f"en|s {n}|p" for n in range(80)], "passage"))]
    calibrator = Calibrator(encoder, lambda: now[0])
    first = await calibrator.of("sw")
    asked = encoder.asked
    assert await calibrator.of("sw") is first
    now[0] = landscape_of(await encoder.encode([f"en|t {n}|p" for n in range(300)], "passage"))
    asked_for_passages = encoder.asked
    second = await calibrator.of("swa")
    assert second is not None
    assert second != first
    assert second.passages == 300
    assert (asked, encoder.asked) == (80 + 24, asked_for_passages), "no probe is encoded twice"


async def test_languages_without_probes_take_the_middle_of_their_script() -> None:
    encoder = Lifting(0.3)
    landscape = landscape_of(await encoder.encode([f"en|s {n}|p" for n in range(80)], "passage"))
    calibrator = Calibrator(encoder, lambda: landscape)
    zulu = await calibrator.of("zu")
    assert zulu == await calibrator.of("und-Latn")
    known = [await calibrator.of(tag) for tag in ("sw", "ha", "yo", "hi-Latn", "fil", "id")]
    heights = sorted(one.unrelated for one in known if one)
    assert zulu is not None
    assert heights[0] <= zulu.unrelated <= heights[-1]
    for tag in ("km", "und", "und-Zyyy", "pt-BR", "fil-x-taglish", "mr", "bn-Latn"):
        assert await calibrator.of(tag) is not None
    with pytest.raises(InvalidInput, match="BCP-47"):
        await calibrator.of("not a tag")


async def test_a_handful_of_passages_is_not_calibrated() -> None:
    encoder = Lifting(0.3)
    rows = await encoder.encode([f"en|s {n}|p" for n in range(ENOUGH)], "passage")
    few, enough = landscape_of(rows[:-1]), landscape_of(rows)
    assert await Calibrator(encoder, lambda: few).of("sw") is None
    assert await Calibrator(encoder, lambda: few).within([(1.0, "sw")], 1.0) is None
    assert await Calibrator(encoder, lambda: enough).of("sw") is not None


async def test_what_has_been_made_for_an_index_is_at_hand_and_nothing_else() -> None:
    encoder = Lifting(0.3)
    rows = await encoder.encode([f"en|s {n}|p" for n in range(80)], "passage")
    landscape = landscape_of(rows)
    calibrator = Calibrator(encoder, lambda: landscape)
    parts = [(1.0, "sw"), (0.5, "zu")]
    assert calibrator.at_hand(parts, landscape) is None
    made = await calibrator.within(parts, 5.0)
    assert made is not None and calibrator.at_hand(parts, landscape) == made
    assert calibrator.at_hand([*parts, (1.0, "th")], landscape) is None
    assert calibrator.at_hand([(1.0, "no tag at all")], landscape) is None
    assert calibrator.at_hand(parts, landscape_of(rows)) is None, "the index has changed"


class Slow(Lifting):
    """Takes a while for each call, and fails when told to."""

    seconds, fails = 0.0, False

    async def encode(self, texts: Sequence[str], kind: Kind, language: str | None = None) -> FloatArray:
        await anyio.sleep(self.seconds)
        if self.fails:
            raise RuntimeError("secret text")
        return await super().encode(texts, kind)


async def test_a_search_never_waits_longer_for_relevance_than_it_may() -> None:
    encoder = Slow(0.3)
    landscape = landscape_of(await encoder.encode([f"en|s {n}|p" for n in range(80)], "passage"))
    calibrator = Calibrator(encoder, lambda: landscape)
    encoder.seconds = 0.1
    started = time.perf_counter()
    assert await calibrator.within([(1.0, "sw")], 0.25) is None
    assert time.perf_counter() - started < 2.0
    tries = 1
    while await calibrator.within([(1.0, "sw")], 0.25) is None:
        tries += 1
        assert tries < 30, "what was encoded before the deadline is kept, so it ends"
    encoder.fails = True
    assert await calibrator.within([(1.0, "sw")], 1.0) is not None, "nothing is left to encode"
    assert await calibrator.within([(1.0, "th")], 1.0) is None
    assert await calibrator.within([(1.0, "sw"), (0.5, "th")], 1.0) is None
    assert await calibrator.within([(1.0, "no tag at all")], 1.0) is None
    assert await calibrator.within([], 1.0) is None


async def test_two_languages_are_mixed_by_weight() -> None:
    encoder = Lifting(0.3)
    landscape = landscape_of(await encoder.encode([f"en|s {n}|p" for n in range(80)], "passage"))
    calibrator = Calibrator(encoder, lambda: landscape)
    yoruba, english = await calibrator.of("yo"), await calibrator.of("en")
    assert yoruba is not None
    assert english is not None
    assert await calibrator.within([(1.0, "yo"), (0.5, "en")], 1.0) == mixed([(1.0, yoruba), (0.5, english)])


# --- the probes, and who uses the result


def test_every_language_has_as_many_probes_as_there_are_answers() -> None:
    assert {"en", "bn", "id", "ms", "ur", "th", "fil", "vi", "sw", "hi", "am", "ha", "yo"} < set(probe_languages())
    for tag, texts in PROBES["questions"].items():
        assert len(set(texts)) == len(PROBES["answers"]) == 12, tag


def result(*relevances: float | None) -> SearchResult:
    passage = Passage("d#0", "d", "text", 0, 4)
    return SearchResult("q", tuple(Hit(passage, 0.8, relevance=value) for value in relevances))


@pytest.mark.parametrize(
    ("relevances", "off"),
    [((0.2, 0.69), True), ((0.2, 0.7), False), ((None, 0.3), True), ((None, None), False), ((), False)],
)
def test_an_answer_needs_one_relevant_hit_or_no_calibration(relevances: tuple[float | None, ...], off: bool) -> None:
    assert LaSR(None)._off_topic(result(*relevances).hits) is off


def test_a_hit_shows_its_relevance() -> None:
    assert [hit.to_dict()["relevance"] for hit in result(0.5, None)] == [0.5, None]
