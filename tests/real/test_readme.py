"""The README's Python runs as printed."""

import contextlib
import io
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.models

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
PRINTED = re.findall(r"```text\n(.*?)```", README, re.DOTALL)


def test_the_first_block_is_short_and_prints_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the second, the LangChain chain, goes on from it; what its model writes is not compared."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    assert len(BLOCKS) == 2
    assert len(BLOCKS[0].strip().splitlines()) <= 15
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(BLOCKS[0], "README.md", "exec"), names)
    assert printed.getvalue() == PRINTED[0]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(BLOCKS[1], "README.md", "exec"), names)
    assert printed.getvalue().strip()
    names["lira"].close()  # type: ignore[attr-defined]
