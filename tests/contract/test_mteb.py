"""mteb runs our encoder and our engine on its own mock tasks, and on a task whose right answer is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mteb
import numpy as np
import pytest
from mteb.mocks import mock_tasks
from mteb.models.models_protocols import EncoderProtocol, SearchProtocol
from mteb.types import PromptType

from lira_rag.arca import Arca
from lira_rag.errors import InvalidInput
from lira_rag.interop.mteb import LiraEncoder, LiraSearch
from lira_rag.testing import FakeEncoder
from tests.apart import Apart

ENCODER_TASKS = ["MockSTSTask", "MockMultilingualBitextMiningTask", "MockRetrievalTask", "MockRerankingTask"]
SEARCH_TASKS = ["MockRetrievalTask", "MockMultilingualRetrievalTask", "MockRerankingTask"]


def measured(model: Any, task: str) -> list[float]:
    """The main scores that mteb reports."""
    found = mteb.evaluate(model, getattr(mock_tasks, task)(), cache=None, show_progress_bar=False)
    return [row["main_score"] for result in found.task_results for rows in result.scores.values() for row in rows]


@pytest.mark.parametrize("task", ENCODER_TASKS)
def test_the_encoder_runs(task: str) -> None:
    scores = measured(LiraEncoder(Arca(FakeEncoder())), task)
    assert scores and all(np.isfinite(scores))


@pytest.mark.parametrize("task", SEARCH_TASKS)
def test_the_engine_runs(task: str) -> None:
    scores = measured(LiraSearch(encoder=FakeEncoder()), task)
    assert scores and all(0 <= score <= 1 for score in scores)


def test_both_are_what_mteb_asks_for() -> None:
    assert isinstance(LiraSearch(encoder=FakeEncoder()), SearchProtocol)
    encoder = LiraEncoder(Arca(FakeEncoder()))
    assert isinstance(encoder, EncoderProtocol)
    assert encoder.mteb_model_meta.revision == FakeEncoder().fingerprint


def test_questions_and_documents_are_encoded_as_such() -> None:
    encoder, given = LiraEncoder(Arca(Apart())), [{"text": ["parcels", " "]}]
    facts: dict[str, Any] = {"task_metadata": None, "hf_split": "test", "hf_subset": "default"}
    query = encoder.encode(given, **facts, prompt_type=PromptType.query)
    document = encoder.encode(given, **facts, prompt_type=PromptType.document)
    assert query.shape == document.shape == (2, FakeEncoder().dimension)
    assert not np.allclose(query[0], document[0])


ROWS = [
    {"id": "a", "title": "Delivery", "text": "Parcels take three days."},
    {"id": "b", "title": "", "text": "Items can be sent back."},
    {"id": "c", "title": "", "text": ""},
]


def test_the_right_document_wins_and_only_the_ranked_ones_are_scored() -> None:
    model = LiraSearch(encoder=FakeEncoder())
    with pytest.raises(InvalidInput, match="index a corpus"):
        model.search([{"id": "q", "text": "parcels"}], top_k=2)
    model.index(ROWS)
    queries = [{"id": "q", "text": "how many days do parcels take"}, {"id": "empty", "text": " "}]
    found = model.search(queries, top_k=2)
    assert max(found["q"], key=found["q"].__getitem__) == "a"
    assert set(model.search(queries[:1], top_k=2, top_ranked={"q": ["b", "c"]})["q"]) <= {"b", "c"}
    assert model.search(queries[:1], top_k=2, top_ranked={})["q"] == {}
    model.index(ROWS[1:2])
    assert set(model.search(queries, top_k=2)["q"]) == {"b"}


def test_a_part_that_is_left_out_is_no_figure(tmp_path: Path) -> None:
    class Dead:
        name = "dead"

        async def translate(self, text: str, source: str, target: str = "en") -> list[Any]:
            raise ConnectionError

    model = LiraSearch(encoder=FakeEncoder(), translator=Dead(), languages=("sw",))
    model.index(ROWS)
    with pytest.raises(Exception, match="translated: ConnectionError"):
        model.search([{"id": "q", "text": "vifurushi viko wapi sasa"}], top_k=1)
