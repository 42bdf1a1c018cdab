"""The critics with the packaged models."""

from __future__ import annotations

import pytest

from lira_rag import Lira
from lira_rag.agents.embedding_critic import EmbeddingCritic
from lira_rag.agents.team import Team
from lira_rag.testing import FakeTranslator

pytestmark = pytest.mark.models

ASKED = {
    "Mji mkuu wa Kenya ni upi?": [
        "capital capital capital capital",
        "The cat sleeps.",
        "What is the capital of Kenya?",
    ],
    "বাংলাদেশের রাজধানী কোথায়?": ["Where is the dog?", "Where is the capital of Bangladesh?", "a a a a a a a"],
    "เมืองหลวงของประเทศไทยคืออะไร": ["Thai food is spicy.", "capital capital", "What is the capital of Thailand?"],
}


async def test_the_embedding_critic_finds_the_right_translation() -> None:
    """No chat model and no training: argmax-sim, with the packaged encoder."""
    arca = Lira.create(None).arca
    team = Team([FakeTranslator(ASKED)], critics=[EmbeddingCritic(arca)], deadline=60)
    for text, language in zip(ASKED, ("sw", "bn", "th"), strict=True):
        decision = await team.decide(text, language)
        assert decision.best is not None
        assert "capital of" in decision.best.text
        assert decision.degraded == ()
