"""A query without a preference for a language: the directions, the landscape they come from, and the effect."""

from collections.abc import Sequence

import numpy as np
import pytest

from lira_rag import Document, Lira
from lira_rag.functional.neutral import language_directions, without
from lira_rag.protocols import FloatArray, Kind
from lira_rag.testing import FakeEncoder


def unit(rows: np.ndarray) -> FloatArray:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), dtype=np.float32)


@pytest.mark.parametrize("languages", [2, 3, 7])
def test_a_neutral_query_scores_all_language_means_alike(languages: int) -> None:
    rng = np.random.default_rng(languages)
    means = rng.normal(size=(languages, 32)).astype(np.float32)
    query = unit(rng.normal(size=32))
    directions = language_directions(means)
    assert directions.shape == (languages - 1, 32)
    np.testing.assert_allclose(directions @ directions.T, np.eye(languages - 1), atol=1e-5)
    neutral = without(query, directions)
    assert np.ptp(means @ query) > 0.1
    np.testing.assert_allclose(means @ neutral, np.full(languages, (means @ neutral).mean()), atol=1e-5)
    assert np.linalg.norm(neutral) == pytest.approx(1.0, abs=1e-6)


def test_one_language_changes_nothing() -> None:
    query = unit(np.arange(1.0, 9.0))
    assert without(query, language_directions(np.ones((1, 8), dtype=np.float32))) is query
    assert without(query, language_directions(np.zeros((0, 8), dtype=np.float32))) is query


def test_equal_means_have_no_direction() -> None:
    assert language_directions(np.ones((3, 8), dtype=np.float32)).shape == (0, 8)


def test_a_query_that_is_all_language_stays_as_it_is() -> None:
    directions = np.eye(4, dtype=np.float32)[:2]
    query = directions[0]
    np.testing.assert_array_equal(without(query, directions), query)


class Biased(FakeEncoder):
    """Adds a large component for the language: what real encoders do, only more so."""

    async def encode(self, texts: Sequence[str], kind: Kind) -> FloatArray:
        rows = await super().encode(texts, kind)
        push = np.zeros_like(rows)
        for n, text in enumerate(texts):
            push[n, 0 if "swahili" in text else 1] = 3.0
        return unit(rows + push)


def mixed() -> list[Document]:
    english = [Document(f"english page about {t}", id=f"en-{t}", language="en") for t in TOPICS]
    swahili = [Document(f"swahili page about something {n}", id=f"sw-{n}", language="sw") for n in range(10)]
    return [*english, *swahili]


TOPICS = ["kettles", "lanterns", "refunds", "Mombasa", "sandals", "fans", "cards", "wallets", "zips", "boots"]


@pytest.mark.parametrize(("neutral", "first"), [(True, "en-refunds"), (False, "sw-")])
def test_in_a_mixed_pool_the_english_page_comes_first_only_when_neutral(neutral: bool, first: str) -> None:
    with Lira.create(None, encoder=Biased(), chat="none", language_neutral=neutral, lexical_weight=0) as lira:
        lira.add(mixed())
        assert lira.search("swahili question about refunds", k=1)[0].id.startswith(first)


def test_the_landscape_follows_what_is_added_and_deleted() -> None:
    with Lira.create(None, encoder=Biased(), chat="none") as lira:
        lira.add(mixed()[:10])
        assert lira.index.landscape().language_means.shape[0] == 1
        lira.add(mixed())
        assert lira.index.landscape().language_means.shape[0] == 2
        lira.delete([f"sw-{n}" for n in range(5)])
        assert lira.index.landscape().language_means.shape[0] == 1
