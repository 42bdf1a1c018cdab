"""One run of `lira train prompt`: read, gloss, encode, train, save. Goes on where a killed run was."""

from __future__ import annotations

import functools
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from anyio.to_thread import run_sync

from lira_rag.arca.prompt_data import Example, english_only
from lira_rag.errors import ConfigError
from lira_rag.functional.threads import one_thread
from lira_rag.lasr.frozen_llm import FrozenLLM
from lira_rag.modules.prompt_mapping import PromptMapping, save_mapping
from lira_rag.protocols import Encoder, TokenEncoder
from lira_rag.training.prompt_features import PromptFeatures, encode_examples, kept_glosses
from lira_rag.training.soft_prompt import PromptSettings, train_mapping

__all__ = ["TrainedPrompt", "train_prompt"]

Report = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class TrainedPrompt:
    """How a run ended.

    Attributes:
        finished: False when it ran out of `seconds`; the same call goes on.
        steps: steps of stages 1 and 2 that are done.
        loss: mean loss of the last fifty, in nats a token.
        examples: what it was trained on, reconstruction included.
    """

    finished: bool
    steps: int
    loss: float
    examples: int


async def train_prompt(
    examples: Sequence[Example],
    encoder: Encoder,
    llm: FrozenLLM,
    out: Path,
    *,
    english: TokenEncoder | None = None,
    bins: int = 16,
    gloss: bool = True,
    settings: PromptSettings | None = None,
    cache: Path | None = None,
    seconds: float | None = None,
    sources: str = "",
    progress: Report | None = None,
) -> TrainedPrompt:
    """Train a mapping and save it to `out`.

    Args:
        examples: of `prompt_data.training_examples`; their English sides are added as texts to reconstruct.
        encoder: g, frozen. `english` is h; None is `encoder`.
        llm: the frozen language model.
        bins: S, rows a path; a bin of more than two tokens can hardly be read without long training.
        gloss: give texts that are not English a gloss on the English path; without, it learns from English texts only.
        cache: folder for encoded texts; None encodes them again in every run.
        seconds: stop after this long, state saved; None trains to the end.
        sources: where the examples come from, with licences, for the card.
        progress: called with (steps, all steps), or (texts encoded, texts) before that.

    Raises:
        ConfigError: the encoder gives no token states.
    """
    if not isinstance(encoder, TokenEncoder):
        raise ConfigError(f"soft prompts need token states, and {type(encoder).__name__} has no encode_tokens")
    settings, started = settings or PromptSettings(), time.monotonic()
    rows = [*examples, *english_only(examples)]
    said = kept_glosses(rows, cache) if gloss else [row.text if row.language == "en" else "" for row in rows]
    features = await encode_examples(rows, said, encoder, english or encoder, bins, cache, progress)
    mapping = _new_mapping(encoder, english, llm, bins, settings.seed)
    partial = Path(f"{out}.partial")
    end = None if seconds is None else started + seconds
    call = functools.partial(_train, rows, features, mapping, llm, partial, settings, progress, end)
    losses = await run_sync(call)
    finished = len(losses) == settings.translate + settings.task
    if finished:
        about = {
            "settings": asdict(settings),
            "languages": sorted({row.language for row in examples}),
            "examples": len(rows),
            "gloss": gloss,
            "sources": sources,
        }
        mark = "" if english is None else english.fingerprint
        save_mapping(out, mapping, encoder=encoder.fingerprint, english=mark, llm=llm.fingerprint, about=about)
        shutil.rmtree(partial, ignore_errors=True)
    last = losses[-50:]
    return TrainedPrompt(finished, len(losses), sum(last) / max(1, len(last)), len(rows))


def _train(
    rows: Sequence[Example],
    features: PromptFeatures,
    mapping: PromptMapping,
    llm: FrozenLLM,
    partial: Path,
    settings: PromptSettings,
    progress: Report | None,
    end: float | None,
) -> list[float]:
    """`train_mapping` on one thread, until `end` (time.monotonic) at the latest."""

    def late() -> bool:
        return end is not None and time.monotonic() > end

    with one_thread():
        return train_mapping(rows, features, mapping, llm, partial, settings, progress, late)


def _new_mapping(
    encoder: TokenEncoder, english: TokenEncoder | None, llm: FrozenLLM, bins: int, seed: int
) -> PromptMapping:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PromptMapping(encoder.dimension, llm.width, english.dimension if english else None, bins)
