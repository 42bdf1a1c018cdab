"""Relevance with the packaged encoder on the demo corpus: who is refused, and what is caught, by language."""

from __future__ import annotations

import json
from importlib import resources

import numpy as np
import pytest

from lira_rag.arca import Arca
from lira_rag.arca.relevance import Calibrator
from lira_rag.encoders import load_encoder
from lira_rag.evaluation.demo_corpus import documents, questions
from lira_rag.functional.neutral import language_directions
from lira_rag.functional.relevance import ANSWERING, Calibration
from lira_rag.models import locate
from lira_rag.protocols import FloatArray
from lira_rag.stores.landscape import Landscape, pair_cosines

pytestmark = [pytest.mark.models, pytest.mark.slow]

NAME = "e5-small-int4"


@pytest.fixture(scope="module")
def arca() -> Arca:
    return Arca(load_encoder(locate(NAME), name=NAME))


def unanswerable() -> list[dict[str, str]]:
    text = resources.files("lira_rag.evaluation").joinpath("shop", "unanswerable.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


async def best_relevance(arca: Arca, passages: FloatArray, texts: list[str], by: Calibration) -> list[float]:
    queries = await arca.encode(texts, "query")
    return [by.relevance(float(best)) for best in (queries @ passages.T).max(axis=1)]


async def test_answerable_questions_are_refused_as_seldom_in_every_language(arca: Arca) -> None:
    passages = await arca.encode([document.text for document in documents()], "passage")
    mean, spread = pair_cosines(passages)
    none = np.zeros((0, arca.dimension), dtype=np.float32)
    landscape = Landscape(len(passages), passages, mean, spread, none, language_directions(none))
    calibrator = Calibrator(arca, lambda: landscape)
    texts: dict[str, list[str]] = {}
    for question in questions():
        texts.setdefault(question.language, []).append(question.text)
    refused = {}
    for language, asked in texts.items():
        calibration = await calibrator.of(language)
        assert calibration is not None
        found = await best_relevance(arca, passages, asked, calibration)
        refused[language] = float(np.mean([value < ANSWERING for value in found]))
    average = float(np.mean(list(refused.values())))
    assert all(abs(share - average) <= 0.07 for share in refused.values()), refused

    caught, total = 0, 0
    for row in unanswerable():
        calibration = await calibrator.of(row["language"])
        assert calibration is not None
        (value,) = await best_relevance(arca, passages, [row["text"]], calibration)
        caught, total = caught + (value < ANSWERING), total + 1
    assert caught / total > 0.5, (caught, total)
