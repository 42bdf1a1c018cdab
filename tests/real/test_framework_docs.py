"""Every Python block of docs/langchain.md and docs/llamaindex.md runs, and prints what stands below it."""

import contextlib
import io
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.models

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)


@pytest.mark.parametrize("page", ["langchain.md", "llamaindex.md"])
def test_the_blocks_run_one_after_the_other_and_print_what_they_say(page: str) -> None:
    blocks = BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    assert len(blocks) >= 6
    names: dict[str, object] = {}
    for code, expected in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, page, "exec"), names)
        assert expected, "a block without its output checks nothing"
        assert printed.getvalue().strip() == expected.strip()
