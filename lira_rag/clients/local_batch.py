"""Many conversations at once with a model in this process: for translations that are prepared offline.

`LocalChat` answers one person. Here prompts of similar length share a batch, each prompt is read once for all replies
to it, and a reply that is finished leaves the batch, so that preparing costs a fraction of asking one by one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from inspect import signature
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from lira_rag.clients.local_chat import LocalChat
from lira_rag.errors import InvalidInput
from lira_rag.protocols import Message

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["BatchChat"]

BATCH_TOKENS = 4096
"""Prompt tokens read at once, padding included."""
TOP_K, TOP_P = 64, 0.95


class BatchChat(LocalChat):
    """A `LocalChat` that can also answer many conversations, one line each."""

    async def lines(
        self,
        conversations: Sequence[Sequence[Message]],
        *,
        count: int,
        max_tokens: int = 48,
        temperature: float = 0.7,
        seed: int = 0,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[list[str]]:
        """For each conversation the greedy reply and then `count` drawn ones, equal ones included.

        A reply ends at its first line break; one cut at `max_tokens` stays as it is, and an empty one is "".

        Args:
            temperature: of the drawn replies; they come from the `TOP_K` likeliest tokens and of those from the
                nucleus of `TOP_P`.
            seed: equal conversations and seeds give equal replies on the same machine.
            progress: called with (conversations done, conversations).

        Raises:
            InvalidInput: count, max_tokens or temperature is not > 0.
            ModelNotFound: the folder holds no model.
        """
        for name, value in (("count", count), ("max_tokens", max_tokens), ("temperature", temperature)):
            if not value > 0:
                raise InvalidInput(f"{name} must be > 0, but got {value}")
        stop, drawing = threading.Event(), _Drawing(count, max_tokens, temperature, seed)
        work = partial(self._all, [list(messages) for messages in conversations], drawing, stop, progress)
        try:
            return await to_thread.run_sync(work, abandon_on_cancel=True)
        finally:
            stop.set()

    def _all(
        self,
        conversations: list[list[Message]],
        drawing: _Drawing,
        stop: threading.Event,
        progress: Callable[[int, int], None] | None,
    ) -> list[list[str]]:
        import torch

        with self._lock:
            self._stop = stop
            prompts = [self._prompt(messages)["input_ids"][0] for messages in conversations]
            found: list[list[str]] = [[] for _ in prompts]
            done = 0
            for number, batch in enumerate(_batches([len(prompt) for prompt in prompts])):
                generator = torch.Generator().manual_seed(drawing.seed + number)
                with torch.inference_mode():
                    written = self._write([prompts[row] for row in batch], drawing, generator)
                for row, replies in zip(batch, written, strict=True):
                    found[row] = replies
                done += len(batch)
                if progress is not None:
                    progress(done, len(prompts))
        return found

    def _write(self, prompts: list[Tensor], drawing: _Drawing, generator: Generator) -> list[list[str]]:
        """Replies to each prompt of a batch."""
        import torch
        from torch.nn.utils.rnn import pad_sequence
        from transformers.cache_utils import DynamicCache

        model, each = self._load_model(), drawing.count + 1
        ones = [torch.ones_like(prompt) for prompt in prompts]
        tokens, mask = (pad_sequence(rows, batch_first=True, padding_side="left") for rows in (prompts, ones))
        cache = DynamicCache(config=model.config)
        places = (mask.cumsum(-1) - 1).clamp(min=0)
        read = model(tokens, attention_mask=mask, position_ids=places, logits_to_keep=1, **_kept(model, cache))
        cache.batch_repeat_interleave(each)
        greedy = (torch.arange(len(prompts) * each) % each) == 0
        state = _Writing(cache, mask.repeat_interleave(each, 0), places[:, -1:].repeat_interleave(each, 0), greedy)
        logits = read.logits[:, -1].repeat_interleave(each, 0)
        for step in range(drawing.max_tokens):
            token = drawing.next(logits, state.greedy, generator)
            if not state.take(token, self._line_breaks) or step + 1 == drawing.max_tokens:
                break
            logits = state.forward(model)
        texts = [self._text(row) for row in state.written]
        return [texts[start : start + each] for start in range(0, len(texts), each)]

    @property
    def _line_breaks(self) -> frozenset[int]:
        """Tokens that end a line or the reply."""
        if not hasattr(self, "_breaks"):
            tokenizer = self._load_tokenizer()
            ends = self._load_model().generation_config.eos_token_id
            found = {ends} if isinstance(ends, int) else set(ends or ())
            found |= {number for piece, number in tokenizer.get_vocab().items() if "\n" in piece or piece == "<0x0A>"}
            self._breaks = frozenset(found)
        return self._breaks

    def _text(self, tokens: list[int]) -> str:
        with self._tokenizer_lock:
            return str(self._load_tokenizer().decode(tokens, skip_special_tokens=True)).strip()


@dataclass(frozen=True, slots=True)
class _Drawing:
    """How replies are drawn."""

    count: int
    max_tokens: int
    temperature: float
    seed: int

    def next(self, logits: Tensor, greedy: Tensor, generator: Generator) -> Tensor:
        """The next token of each row [n] from logits [n, vocabulary]."""
        import torch

        values, tokens = logits.float().topk(min(TOP_K, logits.shape[-1]), dim=-1)
        shares = (values / self.temperature).softmax(-1)
        before = shares.cumsum(-1) - shares
        shares = shares.masked_fill(before > TOP_P, 0.0)
        place = torch.multinomial(shares, 1, generator=generator)
        place = place.masked_fill(greedy[:, None], 0)
        return tokens.gather(-1, place)[:, 0]


@dataclass(slots=True)
class _Writing:
    """The rows of a batch that are still being written.

    Attributes:
        mask, places: [n, L] attention mask and [n, 1] position of the last token, of the rows still in the batch.
        greedy: bool [n].
        rows: which reply each of them is.
        written: token ids of every reply.
    """

    cache: Any
    mask: Tensor
    places: Tensor
    greedy: Tensor
    rows: list[int] = field(init=False)
    written: list[list[int]] = field(init=False)
    last: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.rows = list(range(len(self.greedy)))
        self.written = [[] for _ in self.rows]

    def take(self, token: Tensor, ends: frozenset[int]) -> bool:
        """Add a token to every row; rows that end with it leave the batch. False when none is left."""
        import torch

        ended = [
            number in ends and bool(self.written[row]) for row, number in zip(self.rows, token.tolist(), strict=True)
        ]
        for row, number, over in zip(self.rows, token.tolist(), ended, strict=True):
            if not over and number not in ends:
                self.written[row].append(number)
        kept = torch.tensor([place for place, over in enumerate(ended) if not over], dtype=torch.long)
        if len(kept) < len(self.rows):
            self.cache.batch_select_indices(kept)
            self.mask, self.places, self.greedy = self.mask[kept], self.places[kept], self.greedy[kept]
            self.rows = [self.rows[place] for place in kept.tolist()]
        self.last = token[kept]
        return bool(self.rows)

    def forward(self, model: Any) -> Tensor:
        """Logits [n, vocabulary] behind the last token."""
        self.mask = _longer(self.mask)
        self.places = self.places + 1
        read = model(self.last[:, None], attention_mask=self.mask, position_ids=self.places, **_kept(model, self.cache))
        logits: Tensor = read.logits[:, -1]
        return logits


def _kept(model: Any, cache: Any) -> dict[str, Any]:
    """The argument that hands a model its keys and values; transformers renamed it within version 5."""
    return {"cache" if "cache" in signature(model.forward).parameters else "past_key_values": cache}


def _longer(mask: Tensor) -> Tensor:
    import torch

    return torch.cat([mask, mask.new_ones(len(mask), 1)], dim=-1)


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Rows in batches of similar length, at most `BATCH_TOKENS` each, padding included; at least one row each."""
    batches: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lambda row: (lengths[row], row)):
        if not batches or (len(batches[-1]) + 1) * lengths[row] > BATCH_TOKENS:
            batches.append([])
        batches[-1].append(row)
    return batches
