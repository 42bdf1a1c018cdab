"""e5-small on a real vLLM server: its token states and vectors are those of the local encoder."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from lira_rag.clients import VLLMEndpoint
from lira_rag.encoders import ServedEncoder, TransformerEncoder, load_encoder
from lira_rag.launch import ModelServer
from lira_rag.models import folder_of, locate
from lira_rag.protocols import TokenEncoder

NAME = "e5-small-int4"
TEXTS = (
    "habari ya asubuhi",
    "The lighthouse opens at nine in the morning.",
    "टावर सुबह नौ बजे खुलता है।",
    "塔は九時に開く。",
    "مینار صبح نو بجے کھلتا ہے۔",
    "พิพิธภัณฑ์เปิดเก้าโมงเช้า",
    "x",
)
LONG = "The lighthouse keeper counts the ships that pass at night. " * 120
COSINE = 0.999


@pytest.fixture(scope="module")
def local() -> TransformerEncoder:
    return load_encoder(locate(NAME, offline=True), name=NAME, precision="fp32")


@pytest.fixture
def served(encoder_server: ModelServer) -> ServedEncoder:
    endpoint = VLLMEndpoint(encoder_server.command.base_url, NAME, timeout=120.0)
    return ServedEncoder(endpoint, tokenizer=folder_of(NAME))


async def test_it_keeps_the_protocol(served: ServedEncoder) -> None:
    def ask() -> None:
        assert isinstance(served, TokenEncoder)
        assert (served.dimension, served.pooling, served.recipe.max_tokens) == (384, "mean", 512)
        assert len(served.fingerprint) == 32

    await asyncio.to_thread(ask)


@pytest.mark.parametrize("kind", ["query", "passage"])
async def test_token_states_are_those_of_the_local_encoder(
    served: ServedEncoder, local: TransformerEncoder, kind: str
) -> None:
    theirs = await served.encode_tokens(TEXTS, kind)  # type: ignore[arg-type]
    ours = await local.encode_tokens(TEXTS, kind)  # type: ignore[arg-type]
    for one, other in zip(theirs, ours, strict=True):
        assert one.shape == other.shape
        cosines = (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
        assert cosines.min() >= COSINE
        assert np.allclose(one, other, atol=2e-3)  # equal in length, too, not in direction only


async def test_vectors_are_those_of_the_local_encoder(served: ServedEncoder, local: TransformerEncoder) -> None:
    theirs, ours = await served.encode(TEXTS, "query"), await local.encode(TEXTS, "query")
    assert (theirs * ours).sum(axis=1).min() >= COSINE
    others = theirs @ ours.T
    assert (others.argmax(axis=1) == np.arange(len(TEXTS))).all()


@pytest.mark.parametrize("tokenizer", [True, False])
async def test_texts_longer_than_the_model_lose_their_end_and_keep_their_vector(
    encoder_server: ModelServer, local: TransformerEncoder, tokenizer: bool
) -> None:
    """Cut here by counts; a server that cuts by itself drops the closing token, which the second part shows."""
    endpoint = VLLMEndpoint(encoder_server.command.base_url, NAME, timeout=120.0)
    served = ServedEncoder(endpoint, tokenizer=folder_of(NAME) if tokenizer else None)
    theirs, ours = await served.encode([LONG], "passage"), await local.encode([LONG], "passage")
    assert float((theirs[0] * ours[0]).sum()) >= COSINE
    assert 480 <= len((await served.encode_tokens([LONG], "passage"))[0]) <= 512
    by_server = (await endpoint.embed_tokens(["passage: " + LONG], 384))[0].mean(axis=0)
    assert float(by_server @ ours[0]) / float(np.linalg.norm(by_server)) < COSINE


async def test_token_counts_are_equal(served: ServedEncoder, local: TransformerEncoder) -> None:
    endpoint = VLLMEndpoint(served._server._channel.base_url, NAME)  # type: ignore[attr-defined]
    expected = local.count_many(TEXTS)
    assert await endpoint.count(TEXTS) == expected
    await endpoint.aclose()
    assert await asyncio.to_thread(served.count_many, TEXTS) == expected


async def test_many_texts_at_once_keep_their_order(served: ServedEncoder) -> None:
    texts = [f"sentence number {number}" for number in range(40)]
    together, alone = await served.encode(texts, "passage"), await served.encode(texts[17:18], "passage")
    assert float(together[17] @ alone[0]) >= COSINE
    assert len({row.tobytes() for row in together}) == 40


async def test_score_and_rerank_prefer_the_passage_that_answers(encoder_server: ModelServer) -> None:
    endpoint = VLLMEndpoint(encoder_server.command.base_url, timeout=120.0)
    passages = ["query: bread is baked at night", "query: when does the lighthouse open in the morning"]
    for scores in (
        await endpoint.rerank("query: when does the lighthouse open", passages),
        await endpoint.score("query: when does the lighthouse open", passages),
    ):
        assert scores[1] > scores[0]
    await endpoint.aclose()
