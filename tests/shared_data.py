"""The folder of real data that some tests read when it is there: LIRA_DATA, else ../shared/data beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("LIRA_DATA") or Path(__file__).parents[2] / "shared" / "data")

needs_afriqa = pytest.mark.skipif(
    not list((FOLDER / "afriqa").glob("gold_passages.*.dev.jsonl")),
    reason="needs AfriQA: a folder with afriqa/gold_passages.XXX.dev.jsonl in LIRA_DATA or ../shared/data",
)
