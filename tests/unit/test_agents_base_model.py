"""A chat model without a chat template (a base model) continues a text; it must still be askable and drawable."""

from __future__ import annotations

from pathlib import Path

import pytest

from lira_rag.clients import LocalChat
from lira_rag.clients.local_prompt import as_paragraphs
from tests.tiny_models import make_base_chat


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    make_base_chat(folder)
    return folder


def test_earlier_turns_become_paragraphs() -> None:
    turns = [("system", "Do it."), ("user", "a"), ("assistant", "b"), ("user", "c")]
    assert as_paragraphs([{"role": r, "content": c} for r, c in turns]) == "Do it.\n\na\nb\n\nc\n"


async def test_a_base_model_replies_and_draws(base: Path) -> None:
    chat = LocalChat(base, name="base")
    ask = [{"role": "user", "content": "word1 word2"}]
    reply = await chat.chat(ask, max_tokens=6)  # type: ignore[arg-type]
    assert "word" in reply and reply == await chat.chat(ask, max_tokens=6)  # type: ignore[arg-type]
    drawn = await chat.sample(ask, count=4, max_tokens=6, temperature=2.0, seed=1)  # type: ignore[arg-type]
    assert 2 <= len(drawn) <= 4 and len(set(drawn)) == len(drawn)
    assert drawn == await chat.sample(ask, count=4, max_tokens=6, temperature=2.0, seed=1)  # type: ignore[arg-type]
    assert drawn != await chat.sample(ask, count=4, max_tokens=6, temperature=2.0, seed=2)  # type: ignore[arg-type]
