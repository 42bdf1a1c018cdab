"""How translations weigh beside the question, and the maps in the engine."""

from __future__ import annotations

import time
from pathlib import Path

import anyio
import numpy as np
import pytest

from lira_rag import Lira
from lira_rag.arca.believing import BELIEVED, UNSTATED, beliefs, english_letters
from lira_rag.arca.bound import Normal
from lira_rag.arca.maps import AnchorMaps
from lira_rag.engine.leg import Leg, Proposal
from lira_rag.engine.weighing import anchoring_of, weigh
from lira_rag.errors import CheckpointError, FingerprintMismatch
from lira_rag.modules.language_map import LanguageMap
from lira_rag.protocols import FloatArray
from lira_rag.schema import LegReport, Translation
from lira_rag.testing import FakeEncoder, FakeTranslator

NORMAL = Normal(median=0.3, q95=0.5, spread=0.08, unrelated=1.0, unrelated_spread=0.08)
SWAHILI = "Ninawezaje kurudisha bidhaa niliyonunua kwenye duka lenu?"


def near(vector: FloatArray, error: float) -> FloatArray:
    """A unit vector at distance `error` from the first axis."""
    cosine = 1 - error**2 / 2
    return np.array([cosine, np.sqrt(1 - cosine**2), 0, 0], dtype=np.float32)


QUESTION = np.array([1, 0, 0, 0], dtype=np.float32)


def legs_of(*proposals: tuple[str, float | None, float]) -> list[Leg]:
    """An anchored leg, and a translated one of (text, confidence, anchoring error)."""
    made = tuple(Proposal(t, c, near(QUESTION, e), {"p": 1.0}) for t, c, e in proposals)
    return [
        Leg(LegReport("anchored", "ran"), vectors=((1.0, QUESTION),)),
        Leg(LegReport("translated", "ran"), proposals=made),
    ]


def weights(legs: list[Leg]) -> tuple[float, float]:
    return legs[0].vectors[0][0], sum(weight for weight, _ in legs[1].vectors)


def test_a_translation_as_near_as_usual_outweighs_the_question() -> None:
    legs = legs_of(("how do I send it back", 1.0, 0.3))
    weigh(legs, NORMAL)
    own, english = weights(legs)
    assert own + english == pytest.approx(1)
    assert english == pytest.approx(BELIEVED, abs=0.01)
    assert legs[1].covered["p"] == pytest.approx(0.5, abs=0.02)
    assert legs[1].report.weight == pytest.approx(english)


@pytest.mark.parametrize(("text", "error"), [("wrong", 1.0), ("как вернуть", 0.3), ("…", 0.3)])
def test_a_translation_that_is_not_believed_changes_nothing(text: str, error: float) -> None:
    legs = legs_of((text, 1.0, error))
    weigh(legs, NORMAL)
    assert legs[0].vectors[0][0] == 1
    assert legs[1].vectors == ()
    assert legs[1].covered["p"] == 0


def test_confidence_scales_vectors_by_itself_and_words_by_half_its_square() -> None:
    legs = legs_of(("how do I send it back", 0.5, 0.3))
    weigh(legs, NORMAL)
    assert weights(legs)[1] == pytest.approx(0.5 * BELIEVED, abs=0.01)
    assert legs[1].covered["p"] == pytest.approx(0.125, abs=0.01)


def test_several_translations_share_the_weight_of_one() -> None:
    legs = legs_of(("how do I send it back", 1.0, 0.3), ("how is it returned", 1.0, 0.3))
    weigh(legs, NORMAL)
    assert weights(legs)[1] == pytest.approx(BELIEVED, abs=0.01)


def test_without_figures_for_the_language_trust_is_one_half() -> None:
    english = near(QUESTION, 0.9)[None]
    assert beliefs(QUESTION[None], english, ["yes"], [1.0], None).tolist() == [0.5]
    assert beliefs(None, english, ["yes"], [1.0], NORMAL).tolist() == [0.5]
    assert english_letters("Rücksendung ist frei") and not english_letters("ตอบ") and not english_letters("12")


def test_the_anchoring_error_is_that_of_the_nearest_translation() -> None:
    legs = legs_of(("how do I send it back", 1.0, 0.4), ("wrong", 1.0, 0.9))
    maps = AnchorMaps({}, {"normal": {"sw": {k: getattr(NORMAL, k) for k in NORMAL.__slots__}}})
    found = anchoring_of(legs, "sw", maps)
    assert found.error == pytest.approx(0.4, abs=1e-4)
    assert found.q95 == 0.5
    assert "anchored as usual: error 0.40" in found.sentence
    assert not found.mapped
    assert "needs no anchoring" in anchoring_of(legs, "en-GB", maps).sentence
    assert anchoring_of(legs[:1], "sw", maps).error is None
    assert "not trained on" in anchoring_of(legs, "th", maps).sentence


def turning(width: int) -> LanguageMap:
    """A map that turns every query towards one direction."""
    dense, basis = np.zeros((width, 1), np.float16), np.zeros((1, width), np.float16)
    mean, table = np.full(width, -1.0, np.float32), np.zeros((0, 1), np.int8)
    dense[:, 0], basis[0, 0] = 1.0, 1.0
    empty = np.zeros(0, np.float16)
    return LanguageMap(mean, dense, table, empty, empty, basis, strength=1.0)


def test_maps_move_questions_and_leave_the_index_valid(tmp_path: Path) -> None:
    encoder = FakeEncoder()
    AnchorMaps({"sw": turning(encoder.dimension)}).save(tmp_path / "maps", encoder.fingerprint)
    settings = {"encoder": encoder, "chat": "none"}
    with Lira.create(tmp_path / "index", **settings) as lira:
        lira.add(["Items can be sent back within thirty days.", "Parcels take three days."])
        plain = lira.explain(SWAHILI)
    with Lira.open(tmp_path / "index", maps=str(tmp_path / "maps"), **settings) as lira:
        moved, english = lira.explain(SWAHILI), lira.explain("How do I send an item back?")
    assert plain.anchoring is not None and not plain.anchoring.mapped
    assert moved.anchoring is not None and moved.anchoring.mapped
    assert dict(plain.legs[0].ranks) != pytest.approx(dict(moved.legs[0].ranks))
    assert english.anchoring is not None and not english.anchoring.mapped
    assert moved.to_dict()["anchoring"]["language"] == "sw"


def test_maps_that_are_not_there_or_for_another_encoder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"holds no maps\.json"):
        Lira.create(None, encoder=FakeEncoder(), chat="none", maps=str(tmp_path))
    AnchorMaps({}).save(tmp_path, "another")
    with pytest.raises(FingerprintMismatch, match="lira train arca"):
        Lira.create(None, encoder=FakeEncoder(), chat="none", maps=str(tmp_path))


def test_a_wrong_translation_does_not_mislead(tmp_path: Path) -> None:
    """The wrong English finds the wrong page by its words; belief keeps the right one first."""
    encoder = FakeEncoder(aliases={"kurudisha": "send", "bidhaa": "items"})
    normal = {"sw": {k: getattr(NORMAL, k) for k in NORMAL.__slots__}}
    AnchorMaps({}, {"normal": normal}).save(tmp_path, encoder.fingerprint)
    pages = [{"id": "back", "text": "items send"}, {"id": "parcels", "text": "parcels take three days"}]
    wrong = FakeTranslator({"kurudisha bidhaa": ["parcels take three days"]})
    settings = {"encoder": encoder, "chat": "none", "translator": wrong, "languages": ("sw", "en")}
    with Lira.create(None, maps=str(tmp_path), **settings) as lira:
        lira.add(pages)
        assert lira.search("kurudisha bidhaa")[0].id == "back"


def test_a_late_leg_leaves_time_to_fetch_what_the_others_found() -> None:
    """A translator that never comes back takes none of the time for the passages, however slow these are."""

    class Never:
        name = "never"

        async def translate(self, text: str, source: str, target: str = "en") -> list[Translation]:
            await anyio.sleep(60)
            return []

    with Lira.create(None, encoder=FakeEncoder(), chat="none", translator=Never(), languages=("sw",)) as lira:
        lira.add(["vifurushi huchukua siku tatu", "bidhaa zinaweza kurudishwa"])
        whole = lira.index.passages
        lira.index.passages = lambda ids: (time.sleep(0.1), whole(ids))[1]  # type: ignore[method-assign]
        started = time.perf_counter()
        result = lira.search("vifurushi huchukua siku ngapi", k=1, deadline=1.0)
        assert time.perf_counter() - started < 1.3
    assert result[0].text == "vifurushi huchukua siku tatu"
    assert result.degraded == ("translated: not ready after 1 s",)


def test_an_unstated_confidence_counts_little_where_trust_is_known() -> None:
    legs = legs_of(("how do I send it back", None, 0.3))
    weigh(legs, NORMAL)
    assert weights(legs)[1] == pytest.approx(UNSTATED * BELIEVED, abs=0.01)
    assert beliefs(QUESTION[None], near(QUESTION, 0.3)[None], ["yes"], [None], None).tolist() == [0.5]
