"""Soft prompts to a vLLM server: ``prompt_embeds`` of its completions (``vllm serve … --enable-prompt-embeds``).

vLLM takes the matrix as a torch-serialised tensor in base64 and offers nothing else. This library never *reads* that
format, from anyone (CVE-2025-62164 was a server that did). It writes it, one plain dense float tensor in memory, and
only when the caller says ``own_server=True``: a server with the switch on trusts whoever may reach it, so it belongs on
loopback or behind your own login.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field, ValidationError

from lira_rag.clients.transport import Transport
from lira_rag.errors import ConfigError, InvalidInput

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["VLLMPrompts", "serialise"]


class _Choice(BaseModel):
    text: str


class _Usage(BaseModel):
    total_tokens: int = 0


class _Completion(BaseModel):
    """The part of a completion that is used."""

    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage = _Usage()


def serialise(prompt: Tensor) -> str:
    """A matrix [L, d] as vLLM wants it: a dense bfloat16 tensor, torch-serialised, base64.

    Raises:
        InvalidInput: it is no finite matrix.
    """
    import torch

    if prompt.ndim != 2 or not len(prompt) or not bool(torch.isfinite(prompt).all()):
        raise InvalidInput(f"a prompt must be a finite matrix [L, d] with L > 0, but has shape {tuple(prompt.shape)}")
    buffer = io.BytesIO()
    torch.save(prompt.detach().to(torch.bfloat16).contiguous().clone(), buffer)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


class VLLMPrompts:
    """Completions of a vLLM server behind matrices of embeddings; greedy.

    Args:
        base_url: such as ``http://127.0.0.1:8000/v1``.
        model: the name it is served under.
        own_server: must be True; see above.
        transport: to share one; None makes it.

    Raises:
        ConfigError: own_server is not True.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        own_server: bool = False,
        timeout: float = 60.0,
        transport: Transport | None = None,
    ) -> None:
        if own_server is not True:
            raise ConfigError(
                "prompt embeddings travel as torch-serialised tensors, which must only go to a server of your own",
                hint="pass own_server=True if it is one",
            )
        self.model = model
        self._transport = transport or Transport(base_url, timeout=timeout)

    async def write(self, prompts: Sequence[Tensor], *, max_tokens: int = 64) -> list[tuple[str, int]]:
        """The text behind each prompt, and the tokens it cost by the server's count.

        Raises:
            ChatError: as `Transport.post`, or bad_shape: the reply is no completion.
        """
        return [await self._one(prompt, max_tokens) for prompt in prompts]

    async def _one(self, prompt: Tensor, max_tokens: int) -> tuple[str, int]:
        body = {
            "model": self.model,
            "prompt_embeds": serialise(prompt),
            "max_tokens": max_tokens,
            "temperature": 0,
            "stream": False,
        }
        content = await self._transport.post("/completions", body)
        try:
            found = _Completion.model_validate_json(content)
        except ValidationError:
            raise self._transport.error("bad_shape", f"{len(content)} bytes are no completion") from None
        return found.choices[0].text.strip(), found.usage.total_tokens

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        await self._transport.aclose()
