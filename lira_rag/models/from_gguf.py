"""A GGUF file becomes an ordinary bf16 checkpoint: config, safetensors, tokenizer and chat template."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from lira_rag.errors import MissingDependency
from lira_rag.models.catalogue import PackagedModel

__all__ = ["convert"]

_FILE = "model.gguf"


def convert(model: PackagedModel, files: Sequence[Path], out: Path) -> None:
    """Dequantise once and save; later loads need neither gguf nor accelerate.

    Args:
        model: the catalogue entry (its name is used in errors).
        files: the GGUF file, or its parts in order.
        out: an empty folder.

    Raises:
        MissingDependency: gguf or accelerate is not installed.
    """
    for package in ("gguf", "accelerate"):
        if find_spec(package) is None:
            raise MissingDependency(
                f"converting {model.name} needs the package {package}", hint='pip install "lira-rag[gguf]"'
            )
    joined = out.parent / "gguf"
    joined.mkdir()
    with (joined / _FILE).open("wb") as whole:
        for path in files:
            with path.open("rb") as part:
                shutil.copyfileobj(part, whole, 1 << 20)
    _save(joined, out)
    shutil.rmtree(joined)


def _save(joined: Path, out: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging as bars

    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()  # type: ignore[no-untyped-call]
    tokenizer = AutoTokenizer.from_pretrained(joined, gguf_file=_FILE)
    network = AutoModelForCausalLM.from_pretrained(
        joined, gguf_file=_FILE, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
    )
    network.save_pretrained(out)
    tokenizer.save_pretrained(out)
    if shown:
        bars.enable_progress_bar()  # type: ignore[no-untyped-call]
