"""Packaged chat models draw several translations: SmolLM2, and gemma3-270m where its licence was accepted."""

from __future__ import annotations

import time

import anyio
import pytest

from lira_rag.agents.translators import ChatTranslator
from lira_rag.clients import LocalChat
from lira_rag.errors import InvalidInput, LicenseRequired
from lira_rag.models import locate

pytestmark = pytest.mark.models

EXAMPLES = {
    "sw": [
        ("Mji mkuu wa Kenya ni upi?", "What is the capital city of Kenya?"),
        ("Nani aliandika kitabu hiki?", "Who wrote this book?"),
        ("Daraja lilijengwa mwaka gani?", "In which year was the bridge built?"),
        ("Mto mrefu zaidi Afrika ni upi?", "What is the longest river in Africa?"),
    ]
}


@pytest.fixture(scope="module", params=["smollm2-135m", "gemma3-270m"])
def chat(request: pytest.FixtureRequest) -> LocalChat:
    try:
        return LocalChat(locate(request.param), name=request.param)
    except LicenseRequired:
        pytest.skip("its licence was not accepted on this machine")


async def test_candidates_differ_and_repeat_with_the_seed(chat: LocalChat) -> None:
    translator = ChatTranslator(chat, candidates=4, examples=EXAMPLES, seed=1)
    first = await translator.translate("Mji mkuu wa Uganda ni upi?", "sw")
    assert 2 <= len(first) <= 4 and len({t.text for t in first}) == len(first)
    assert await translator.translate("Mji mkuu wa Uganda ni upi?", "sw") == first
    assert "Uganda" in first[0].text or chat.name == "smollm2-135m"  # which hardly knows any Swahili


async def test_drawing_can_be_cancelled(chat: LocalChat) -> None:
    await chat.chat([{"role": "user", "content": "Hi"}], max_tokens=2)
    started = time.monotonic()
    with anyio.move_on_after(0.5) as scope:
        await chat.sample([{"role": "user", "content": "Write a long story."}], count=4, max_tokens=500)
    assert scope.cancelled_caught
    await chat.chat([{"role": "user", "content": "Hi"}], max_tokens=2)
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("settings", [{"count": 0}, {"count": 1, "temperature": 0}, {"count": 1, "max_tokens": 0}])
async def test_bad_settings_are_refused(chat: LocalChat, settings: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match=list(settings)[-1]):
        await chat.sample([{"role": "user", "content": "Hi"}], **settings)  # type: ignore[arg-type]
