"""The rerankers one can name: the head's score, relevance, the chat model listwise, and a model server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lira_rag import Lira
from lira_rag.arca import Arca
from lira_rag.arca.reranker import RelevanceReranker
from lira_rag.clients import VLLMEndpoint
from lira_rag.engine.head_reranker import HeadReranker
from lira_rag.errors import ConfigError
from lira_rag.lasr.head import FoundHead, LasrHead
from lira_rag.modules.fusion import FusionHead
from lira_rag.protocols import Reranker, Translator
from lira_rag.schema import Answer
from lira_rag.testing import FailingTranslator, FakeEncoder, FakeTranslator, FaultServer, Step
from lira_rag.testing.served import ranking

QUESTION, ENGLISH = "vifurushi vya Mombasa huchukua siku ngapi", "how many days do parcels to Mombasa take"
PAGES = ["Mombasa vya siku.", "Parcels to Mombasa take three days.", "You can pay by card."]


def head(share: float) -> LasrHead:
    """A head that goes this share of the way from the question to its translation."""
    net = FusionHead(FakeEncoder().dimension, languages=1, width=8, heads=2)
    with torch.no_grad():
        net.share.bias.fill_(share)
    return LasrHead(net, {"embedded": ["sw"], "languages": ["sw"]})


async def scores(translator: Translator | None, share: float = 5.0, language: str = "sw") -> list[float]:
    made = HeadReranker(Arca(FakeEncoder()), lambda: FoundHead(head(share)), translator)
    assert isinstance(made, Reranker)
    return await made.rerank(QUESTION, PAGES, language)


async def cosines(text: str) -> list[float]:
    encoder = FakeEncoder()
    found: list[float] = (await encoder.encode(PAGES, "passage") @ (await encoder.encode([text], "query"))[0]).tolist()
    return found


async def test_the_head_scores_by_both_paths() -> None:
    fused = await scores(FakeTranslator({QUESTION: [ENGLISH]}, confidence=1.0))
    assert fused == pytest.approx(await cosines(ENGLISH), abs=1e-3)  # tanh(5) is all the way
    assert int(np.argmax(fused)) == 1
    half = await scores(FakeTranslator({QUESTION: [ENGLISH]}, confidence=1.0), share=0.5)
    assert half != pytest.approx(fused, abs=1e-2)


@pytest.mark.parametrize(
    ("translator", "language"),
    [
        (None, "sw"),
        (FailingTranslator(), "sw"),
        (FakeTranslator({QUESTION: []}), "sw"),
        (FakeTranslator({QUESTION: [ENGLISH]}, confidence=1.0), "ha"),
        (FakeTranslator({QUESTION: [ENGLISH]}, confidence=1.0), "en"),
    ],
)
async def test_a_question_the_head_does_not_move_is_scored_as_it_is(
    translator: Translator | None, language: str
) -> None:
    assert await scores(translator, language=language) == pytest.approx(await cosines(QUESTION), abs=1e-6)


async def test_no_passages_no_scores() -> None:
    assert await HeadReranker(Arca(FakeEncoder()), lambda: FoundHead(None)).rerank(QUESTION, []) == []


def answered(**settings: Any) -> Answer:
    settings = {"encoder": FakeEncoder(), "chat": "none", "languages": ("sw", "en"), "passages": 1, **settings}
    with Lira.create(None, **settings) as lira:
        lira.add(PAGES)
        return lira.ask(QUESTION)


def test_the_setting_puts_the_head_into_an_answer(tmp_path: Path) -> None:
    head(5.0).save(tmp_path, FakeEncoder().fingerprint, {})
    translator = FakeTranslator({QUESTION: [ENGLISH]}, confidence=1.0)
    found = answered(reranker="head", head=str(tmp_path), translator=translator)
    assert [source.hit.text for source in found.sources] == [PAGES[1]]
    assert not any("rerank" in reason for reason in found.degraded)


async def test_the_setting_puts_a_served_model_into_an_answer() -> None:
    async with FaultServer(routes={"/rerank": ranking(lambda query, text: float("card" in text))}) as server:
        settings = {"reranker": server.base_url, "reranker_model": "r", "encoder": FakeEncoder(), "chat": "none"}
        with Lira.create(None, passages=1, **settings) as lira:
            await lira.aadd(PAGES)
            found = await lira.aask("how do I pay")
    assert [source.hit.text for source in found.sources] == [PAGES[2]]
    assert not any("rerank" in reason for reason in found.degraded)
    asked = server.received[-1].json()
    assert (asked["model"], asked["query"], set(asked["documents"])) == ("r", "how do I pay", set(PAGES))


async def test_a_served_model_that_fails_leaves_the_order_and_says_so() -> None:
    broken = Step(body=b'{"results": [{"index": 0, "relevance_score": "high"}]}')
    async with FaultServer(routes={"/rerank": broken}) as server:
        settings = {"reranker": server.base_url, "reranker_model": "r", "encoder": FakeEncoder(), "chat": "none"}
        with Lira.create(None, **settings) as lira:
            await lira.aadd(PAGES)
            found = await lira.aask("how do I pay")
    assert any(reason.startswith("rerank: ChatError") for reason in found.degraded)
    assert found.sources


def test_each_name_makes_its_reranker() -> None:
    kinds: dict[str, type | str | None] = {
        "none": None,
        "listwise": "listwise",
        "relevance": RelevanceReranker,
        "head": HeadReranker,
        "http://127.0.0.1:9/v1": VLLMEndpoint,
    }
    for name, kind in kinds.items():
        with Lira.create(None, encoder=FakeEncoder(), chat="none", reranker=name, reranker_model="m") as lira:
            made = lira.as_lasr().reranker
            assert made == kind if not isinstance(kind, type) else isinstance(made, kind)
    with pytest.raises(ConfigError, match=r"reranker: must be one of none, head"):
        Lira.create(None, encoder=FakeEncoder(), reranker="best")
