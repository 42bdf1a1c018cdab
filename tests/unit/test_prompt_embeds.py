"""Soft prompts to a vLLM server: opt-in, what is sent, and replies that are no completion."""

import base64
import io
import json
import zipfile

import httpx
import numpy as np
import pytest
import torch

from lira_rag.clients.transport import Transport
from lira_rag.errors import ChatError, ConfigError, InvalidInput
from lira_rag.lasr.prompt_embeds import VLLMPrompts, serialise

URL = "http://127.0.0.1:9/v1"


def served(reply: object, seen: list[object]) -> VLLMPrompts:
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.path, json.loads(request.content)))
        return httpx.Response(200, json=reply)

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return VLLMPrompts(URL, "m", own_server=True, transport=Transport(URL, client=client))


@pytest.mark.parametrize("said", [False, 1, None])
def test_without_the_opt_in_nothing_can_be_sent(said: object) -> None:
    with pytest.raises(ConfigError, match="a server of your own"):
        VLLMPrompts(URL, "m", own_server=said)  # type: ignore[arg-type]


def test_one_plain_dense_tensor_is_serialised() -> None:
    """Read back without unpickling: the archive's raw storage is the matrix in bfloat16."""
    prompt = torch.tensor([[1.0, -2.0], [0.5, 3.0], [0.0, 8.0]]).T  # not contiguous
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(serialise(prompt)))) as archive:
        storages = [name for name in archive.namelist() if "/data/" in name]
        raw = archive.read(storages[0])
    assert len(storages) == 1
    halves = np.frombuffer(raw, dtype="<u2").astype(np.uint32) << 16
    np.testing.assert_array_equal(halves.view(np.float32).reshape(2, 3), prompt.numpy())


@pytest.mark.parametrize("prompt", [torch.zeros(3), torch.zeros(0, 4), torch.full((2, 2), float("nan"))])
def test_what_is_no_finite_matrix_is_refused(prompt: torch.Tensor) -> None:
    with pytest.raises(InvalidInput, match="finite matrix"):
        serialise(prompt)


async def test_a_completion_is_asked_for_by_embeddings_alone() -> None:
    seen: list[object] = []
    server = served({"choices": [{"text": " Nairobi. "}], "usage": {"total_tokens": 9}}, seen)
    assert await server.write([torch.ones(2, 3)], max_tokens=4) == [("Nairobi.", 9)]
    path, body = seen[0]  # type: ignore[misc]
    assert path == "/v1/completions"
    assert {key: body[key] for key in ("model", "max_tokens", "temperature", "stream")} == {
        "model": "m",
        "max_tokens": 4,
        "temperature": 0,
        "stream": False,
    }
    assert "prompt" not in body and body["prompt_embeds"]


@pytest.mark.parametrize("reply", [{}, {"choices": []}, {"choices": [{"message": {}}]}, [1]])
async def test_a_reply_that_is_no_completion_is_an_error(reply: object) -> None:
    with pytest.raises(ChatError, match="bad_shape"):
        await served(reply, []).write([torch.ones(2, 3)])
