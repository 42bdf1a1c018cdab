"""The fusion head in a search: one vector of both paths ranks, and without it nothing changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lira_rag import Lira
from lira_rag.arca.bins import encode_bins
from lira_rag.engine.encoded_once import EncodedOnce
from lira_rag.errors import CheckpointError, FingerprintMismatch
from lira_rag.lasr.head import LasrHead
from lira_rag.modules.fusion import FusionHead
from lira_rag.protocols import FloatArray, Kind
from lira_rag.schema import Explanation
from lira_rag.testing import FakeEncoder, FakeTranslator

QUESTION, ENGLISH = "vifurushi vya Mombasa huchukua siku ngapi", "how many days do parcels to Mombasa take"
PAGES = [
    {"id": "days", "text": "Parcels to Mombasa take three days."},
    {"id": "back", "text": "Items can be sent back."},
    {"id": "card", "text": "You can pay by card."},
]


def save_head(folder: Path, *, share: float, language: str = "sw") -> str:
    """A head that goes this share of the way from the question to its translation, passed for one language."""
    head = FusionHead(FakeEncoder().dimension, languages=1, width=8, heads=2)
    with torch.no_grad():
        head.share.bias.fill_(share)
    LasrHead(head, {"embedded": [language], "languages": [language]}).save(folder, FakeEncoder().fingerprint, {})
    return str(folder)


def explained(head: str, translator: FakeTranslator | None = None, **settings: Any) -> Explanation:
    translator = translator or FakeTranslator({QUESTION: [ENGLISH]}, confidence=1.0)
    settings = {"languages": ("sw", "en"), "encoder": FakeEncoder(), "chat": "none", **settings}
    with Lira.create(None, head=head, translator=translator, **settings) as lira:
        lira.add(PAGES)
        return lira.explain(QUESTION, k=3)


def scores(found: Explanation) -> dict[str, float]:
    return {hit.id: hit.score for hit in found.result}


def test_the_head_ranks_where_it_was_passed(tmp_path: Path) -> None:
    whole = explained(save_head(tmp_path / "whole", share=1.0))
    plain = explained("none")
    report = next(leg for leg in whole.legs if leg.leg == "translated")
    assert "trained head" in report.reason
    assert whole.result[0].id == "days"
    assert scores(whole)["days"] != pytest.approx(scores(plain)["days"], abs=1e-3)


def test_an_untrained_head_ranks_by_the_question_alone(tmp_path: Path) -> None:
    """And the words of the translation count as they do without a head."""
    identity = scores(explained(save_head(tmp_path, share=0.0)))
    asked = scores(explained("none", lexical_weight=0.0))
    alone = scores(explained("none", FakeTranslator({QUESTION: []}), lexical_weight=0.0))
    without_words = scores(explained(str(tmp_path), lexical_weight=0.0))
    assert without_words == pytest.approx(alone, abs=1e-5)
    assert asked != pytest.approx(alone, abs=1e-3)
    assert identity["days"] > without_words["days"]


@pytest.mark.parametrize("english", ["ก ข ค", ""])
def test_what_is_no_english_is_not_fused(tmp_path: Path, english: str) -> None:
    head = save_head(tmp_path, share=1.0)
    translator = FakeTranslator({QUESTION: [english]})
    assert scores(explained(head, translator)) == pytest.approx(scores(explained("none", translator)))


@pytest.mark.parametrize("confidence", [None, 0.1])
def test_a_translation_that_is_hardly_believed_is_not_given_to_the_head(
    tmp_path: Path, confidence: float | None
) -> None:
    head = save_head(tmp_path, share=1.0)
    translator = FakeTranslator({QUESTION: [ENGLISH]}, confidence=confidence)
    assert scores(explained(head, translator)) == pytest.approx(scores(explained("none", translator)))


def test_a_language_the_gate_did_not_pass_is_left_alone(tmp_path: Path) -> None:
    head = save_head(tmp_path, share=1.0, language="ha")
    assert scores(explained(head)) == pytest.approx(scores(explained("none")))


def test_a_head_that_is_absent_or_of_other_parts_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError):
        explained(str(tmp_path))
    save_head(tmp_path, share=1.0)
    other = FakeEncoder(aliases={"mbwa": "dog"})
    with pytest.raises(FingerprintMismatch, match="lira train lasr"):
        explained(str(tmp_path), encoder=other)


class CountingEncoder(FakeEncoder):
    """Notes every query that it encodes."""

    def __init__(self) -> None:
        super().__init__()
        self.queries: list[str] = []

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        if kind == "query":
            self.queries += texts
        return await super().encode(texts, kind)

    async def encode_tokens(self, texts: Sequence[str], kind: Kind) -> list[FloatArray]:
        if kind == "query":
            self.queries += texts
        return await super().encode_tokens(texts, kind)


def test_a_question_and_its_translation_are_encoded_once_for_all_legs(tmp_path: Path) -> None:
    encoder = CountingEncoder()
    translator = FakeTranslator({QUESTION: [ENGLISH]}, confidence=1.0)
    settings = {"languages": ("sw", "en"), "encoder": encoder, "chat": "none", "head": save_head(tmp_path, share=1.0)}
    with Lira.create(None, translator=translator, **settings) as lira:
        lira.add(PAGES)
        lira.explain(QUESTION, k=3)
        encoder.queries.clear()
        again = lira.explain(QUESTION, k=3)
    assert sorted(text for text in encoder.queries if text in (QUESTION, ENGLISH)) == sorted([ENGLISH, QUESTION])
    plain = explained(str(tmp_path))
    assert scores(again) == pytest.approx(scores(plain), abs=1e-5)


async def test_shared_encodings_are_those_of_each_text_alone() -> None:
    once = EncodedOnce(FakeEncoder(), 4)
    both, again = await once([QUESTION, ENGLISH]), await once([ENGLISH])
    alone = await encode_bins(FakeEncoder(), [ENGLISH], "query", 4)
    for part in ("vectors", "rows", "counts"):
        np.testing.assert_array_equal(getattr(both, part)[1:], getattr(again, part))
        np.testing.assert_allclose(getattr(again, part), getattr(alone, part), atol=1e-6)
