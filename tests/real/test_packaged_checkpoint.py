"""The checkpoint that comes with the library: it fits the default encoder, is small, and anchors sentences of ours."""

import numpy as np
import pytest

from lira_rag.arca import Arca
from lira_rag.arca.maps import SHARED, find_packaged
from lira_rag.encoders import load_encoder
from lira_rag.encoders.local import TransformerEncoder
from lira_rag.models import locate

pytestmark = pytest.mark.models

PAIRS = {
    "sw": [
        ("Bei ya birika hili ni kiasi gani?", "How much does this kettle cost?"),
        ("Mji mkuu wa Tanzania ni upi?", "What is the capital of Tanzania?"),
        ("Je, naweza kurudisha bidhaa hii?", "Can I return this product?"),
        ("Nani aliandika kitabu hiki?", "Who wrote this book?"),
    ],
    "ha": [
        ("Menene babban birnin Najeriya?", "What is the capital of Nigeria?"),
        ("Wane ne ya rubuta wannan littafin?", "Who wrote this book?"),
        ("Yaushe aka kafa jami'ar?", "When was the university founded?"),
        ("Nawa ne farashin wannan?", "How much does this cost?"),
    ],
    "zu": [
        ("Ubani owabhala le ncwadi?", "Who wrote this book?"),
        ("Liphi inhloko-dolobha laseNingizimu Afrika?", "What is the capital of South Africa?"),
        ("Yasungulwa nini inyuvesi?", "When was the university founded?"),
        ("Bangaki abantu abahlala eThekwini?", "How many people live in Durban?"),
    ],
}


@pytest.fixture(scope="module")
def encoder() -> TransformerEncoder:
    return load_encoder(locate("e5-small-int4"), name="e5-small-int4")


@pytest.mark.parametrize("language", PAIRS)
async def test_questions_come_nearer_to_their_english(encoder: TransformerEncoder, language: str) -> None:
    folder = find_packaged(encoder.fingerprint)
    assert folder is not None
    arca = Arca.load(folder, encoder)
    texts, english = [a for a, _ in PAIRS[language]], [b for _, b in PAIRS[language]]
    target = await arca.encode_english(english, "query")
    before = await encoder.encode(texts, "query")
    after = await arca.encode(texts, "query", language)
    near, far = (rows @ target.T for rows in (after, before))
    assert (np.diag(near) > np.diag(far)).all()
    assert np.diag(near).mean() > np.diag(far).mean() + 0.02
    margins = [float((np.diag(m) - (m.sum(axis=1) - np.diag(m)) / 3).mean()) for m in (near, far)]
    assert margins[0] > margins[1]


def test_it_is_small_and_says_what_it_is_made_of(encoder: TransformerEncoder) -> None:
    folder = find_packaged(encoder.fingerprint)
    assert folder is not None
    assert sum(file.stat().st_size for file in folder.iterdir()) < 10_500_000
    maps = Arca.load(folder, encoder).maps
    assert maps is not None
    assert "CC BY-SA 4.0" in maps.card["sources"]
    assert all(verdict["reason"] for verdict in maps.card["verdicts"].values())
    assert all(maps.normal_of(language) is not None for language in maps.maps if language != SHARED)


async def test_english_and_other_languages_are_left_as_they_are(encoder: TransformerEncoder) -> None:
    folder = find_packaged(encoder.fingerprint)
    assert folder is not None
    arca = Arca.load(folder, encoder)
    for text, language in (("Who wrote this book?", "en"), ("Qui a écrit ce livre ?", "fr")):
        np.testing.assert_array_equal(
            await arca.encode([text], "query", language), await encoder.encode([text], "query")
        )
    assert arca.fingerprint == encoder.fingerprint
