"""Words decide within a language; what they cannot read counts as what is as near."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import pytest

from lira_rag import Document, Lira
from lira_rag.functional.levelling import level, levelled
from lira_rag.protocols import FloatArray, Kind
from lira_rag.testing import FakeEncoder

NEAR = {"en1": 0.9, "en2": 0.8, "sw1": 0.9, "sw2": 0.8}
BOTH = {"en1": "en", "en2": "en", "sw1": "sw", "sw2": "sw"}


def test_with_one_language_nothing_changes() -> None:
    assert level({"a": 0.3}, {"a": "en", "b": "en"}, {"a": 0.9, "b": 0.1}) == {"a": 0.3, "b": 0.0}


def test_without_a_matching_word_nothing_changes() -> None:
    assert level({}, BOTH, NEAR) == dict.fromkeys(BOTH, 0.0)


def test_languages_that_words_read_equally_well_are_compared_by_their_best() -> None:
    found = level({"en1": 0.6, "en2": 0.2, "sw1": 0.6, "sw2": 0.5}, BOTH, NEAR)
    assert found == pytest.approx({"en1": 0.6, "en2": 0.2, "sw1": 0.6, "sw2": 0.5})


def test_a_document_that_words_cannot_read_counts_as_one_that_is_as_near() -> None:
    found = level({"en1": 0.6, "en2": 0.2}, BOTH, NEAR)
    assert found == pytest.approx({"en1": 0.6, "en2": 0.2, "sw1": 0.6, "sw2": 0.2})


def test_what_is_expected_is_never_more_than_the_best_and_never_less_than_nothing() -> None:
    found = level({"en1": 0.6, "en2": 0.2}, BOTH, {**NEAR, "sw1": 1.0, "sw2": 0.1})
    assert found["sw1"] == pytest.approx(0.6)
    assert found["sw2"] == pytest.approx(0.0)


def test_where_the_near_ones_have_fewer_words_the_mean_is_expected() -> None:
    found = level({"en1": 0.2, "en2": 0.6}, BOTH, NEAR)
    assert found["sw1"] == found["sw2"] == pytest.approx(0.4)


def test_a_stray_word_raises_a_language_by_little() -> None:
    found = level({"en1": 0.6, "en2": 0.2, "sw2": 0.01}, BOTH, NEAR)
    assert found["sw2"] < 0.35  # the best of its language, by one stray word: not near the best of all
    assert found["sw1"] > found["sw2"]


def test_equal_cosines_tell_no_slope() -> None:
    found = level({"en1": 0.6, "en2": 0.2}, BOTH, dict.fromkeys(BOTH, 0.5))
    assert found["sw1"] == found["sw2"] == pytest.approx(0.4)


def test_the_line_is_fitted_to_those_named() -> None:
    covered = np.array([0.6, 0.2, 0.0, 0.0, 0.0])
    languages, cosines = np.array(["en", "en", "en", "sw", "sw"]), np.array([0.9, 0.8, 0.85, 0.9, 0.8])
    few = levelled(covered, languages, cosines, np.array([True, True, False, True, True]))
    np.testing.assert_allclose(few, [0.6, 0.2, 0.0, 0.6, 0.2], atol=1e-9)
    assert levelled(covered, languages, cosines)[3] < 0.6


class Placed(FakeEncoder):
    """Texts as near to every question as they say themselves: "... 0.8"."""

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            near = 1.0 if kind == "query" else float(text.split()[-1])
            row[0], row[1 + zlib.crc32(text.encode()) % (self.dimension - 1)] = near, (1 - near**2) ** 0.5
        return rows


def test_a_page_in_another_language_is_not_taken_to_have_all_words_of_a_question() -> None:
    """Once it was, so pages in Swahili stood above an English one that had two of its words."""
    english = ["refund pan 0.9", "refund pan mug 0.6", *(f"word {n} 0.{n}" for n in range(20, 60))]
    with Lira.create(None, encoder=Placed(64), store="memory") as lira:
        lira.add([Document(text, f"en{n}", language="en") for n, text in enumerate(english)])
        lira.add([Document(f"duka letu {n} 0.8", f"sw{n}", language="sw") for n in range(40)])
        hits = lira.search("refund pan mug lid", 6)
    assert {hit.passage.document_id for hit in hits[:2]} == {"en0", "en1"}
