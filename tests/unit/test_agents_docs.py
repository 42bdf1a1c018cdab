"""The example in docs/agents.md runs as it stands, is short, and the team fits the engine."""

from __future__ import annotations

import asyncio
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from lira_rag import Document, Lira
from lira_rag.agents.team import Team
from lira_rag.testing import FailingTranslator, FakeEncoder, FakeTranslator

GUIDE = Path(__file__).parents[2] / "docs" / "agents.md"


@pytest.fixture
def example(tmp_path: Path) -> dict[str, Any]:
    """The names that the guide's Python block leaves behind."""
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    return runpy.run_path(str(tmp_path / "example.py"))


def test_the_guides_example_does_what_it_says(example: dict[str, Any]) -> None:
    assert example["decision"].best.text == "what does the dog eat"
    assert example["decision"].confidence == 0.9
    assert "`decision.best.text` is `what does the dog eat`" in GUIDE.read_text(encoding="utf-8")
    assert asyncio.run(example["PhraseBook"]({}).translate("x", "sw")) == []


async def test_the_team_feeds_the_engines_translated_leg(example: dict[str, Any]) -> None:
    with Lira.create(None, encoder=FakeEncoder(64), translator=example["team"], store="memory") as lira:
        await lira.aadd([Document("The dog eats bones", id="dog"), Document("Rain in the hills", id="rain")])
        explained = await lira.aexplain("Mbwa anakula nini?", k=1)
    assert explained.result[0].id == "dog"
    assert [(t.text, t.translator, t.confidence) for t in explained.translations] == [
        ("what does the dog eat", "phrase-book", 0.9)
    ]


async def test_a_team_without_a_translation_leaves_the_other_legs() -> None:
    team = Team([FailingTranslator(), FakeTranslator({})])
    with Lira.create(None, encoder=FakeEncoder(64), translator=team, store="memory") as lira:
        await lira.aadd([Document("Mbwa anakula mifupa", id="dog")])
        result = await lira.asearch("Mbwa anakula nini?", k=1)
    assert result[0].id == "dog"
    assert result.degraded == (
        "translated: no translator proposed anything",
        "translated: failing-translator: RuntimeError",
    )
