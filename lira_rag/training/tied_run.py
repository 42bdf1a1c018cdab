"""One run of `lira train prompt --tied`: read, encode, fit, save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from anyio.to_thread import run_sync

from lira_rag.arca.prompt_data import Example, english_only
from lira_rag.errors import ConfigError
from lira_rag.functional.threads import one_thread
from lira_rag.lasr.token_table import TokenTable
from lira_rag.modules.tied_mapping import pool, save_tied
from lira_rag.protocols import Encoder, TokenEncoder
from lira_rag.training.prompt_features import encode_texts
from lira_rag.training.tied_prompt import TiedSettings, fit_tied, start_tied

__all__ = ["train_tied"]

Report = Callable[[int, int | None], None]
ENGLISH_TIMES = 3
"""How often each English text is shown: it is there once, the foreign ones in many languages."""


async def train_tied(
    examples: Sequence[Example],
    encoder: Encoder,
    llm: TokenTable,
    out: Path,
    *,
    more: Sequence[Example] = (),
    bins: int = 4,
    settings: TiedSettings | None = None,
    cache: Path | None = None,
    sources: str = "",
    progress: Report | None = None,
) -> list[float]:
    """Train a tied mapping and save it to `out`; returns the mean loss of each epoch.

    Args:
        examples: of `prompt_data.training_examples`; their English sides are added.
        encoder: g, frozen, and h.
        llm: its tokens and their table; the model itself is not run.
        more: further English texts.
        bins: S, bins a path when it is used.
        cache: folder for encoded texts.
        sources: where the examples come from, with licences, for the card.
        progress: called with (texts encoded, texts), then with (steps, all steps).

    Raises:
        ConfigError: the encoder gives no token states.
    """
    if not isinstance(encoder, TokenEncoder):
        raise ConfigError(f"soft prompts need token states, and {type(encoder).__name__} has no encode_tokens")
    settings = settings or TiedSettings()
    foreign = [row for row in examples if row.task == "english"]
    rows = [*foreign, *ENGLISH_TIMES * english_only(foreign), *more]
    mapping = await start_tied(rows, encoder, llm, settings, bins)
    encoded, counts = await encode_texts(encoder, [row.text for row in rows], bins, cache, progress)
    pooled = pool(encoded.float(), counts)

    def fit() -> list[float]:
        with one_thread():
            return fit_tied(rows, pooled, mapping, llm, settings, progress)

    losses = await run_sync(fit)
    about = {
        "settings": asdict(settings),
        "languages": sorted({row.language for row in foreign}),
        "examples": len(rows),
        "gloss": False,
        "sources": sources,
    }
    save_tied(out, mapping, encoder=encoder.fingerprint, llm=llm.fingerprint, about=about)
    return losses
