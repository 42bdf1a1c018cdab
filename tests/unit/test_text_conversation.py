"""A conversation lends its language to turns that have none, and follows a switch."""

import pytest

from lira_rag.errors import InvalidInput
from lira_rag.text.conversation import LanguagePrior
from lira_rag.text.language import MINIMUM_CONFIDENCE, Detected, detect

THAI = "สั่งของแล้วยังไม่มา"


def talk(*turns: str) -> list[Detected]:
    prior, found = LanguagePrior(), []
    for turn in turns:
        found.append(detect(turn, prior=prior))
        prior = prior.after(found[-1])
    return found


def test_a_switch_is_followed_turn_by_turn() -> None:
    found = talk(THAI, "ขอเงินคืนได้ไหม", "where is my order please", "ขอบคุณครับ")
    assert [turn.language for turn in found] == ["th", "th", "en", "th"]
    assert all(turn.confidence >= MINIMUM_CONFIDENCE for turn in found)


@pytest.mark.parametrize("text", ["ok", "yes 42", "Galaxy S24", "👍", "10:30"])
def test_a_turn_without_a_language_stays_in_the_conversations(text: str) -> None:
    found = talk(THAI, text)[1]
    assert (found.language, found.by) == ("th", "conversation")
    assert 0.3 < found.confidence < MINIMUM_CONFIDENCE
    assert detect(text).language == "und"


def test_what_was_carried_over_is_no_evidence_for_more() -> None:
    prior = LanguagePrior().after(detect(THAI))
    assert prior.after(detect("ok", prior=prior)) is prior
    assert prior.after(detect("ok")) is prior


def test_a_longer_text_of_no_known_language_is_not_carried_over() -> None:
    assert talk(THAI, "endet neh selam new gizew")[1].language == "und"


def test_the_prior_decides_between_neighbours() -> None:
    text = "हा पंखा चालत नाही, काय करू?"
    assert detect(text).confidence < MINIMUM_CONFIDENCE
    assert detect(text, prior=LanguagePrior((("mr", 0.9),))).language == "mr"
    assert detect("kya hua", prior=LanguagePrior((("hi", 0.99),))).language == "hi-Latn"


def test_the_last_turns_weigh_more() -> None:
    prior = LanguagePrior((("th", 1.0), ("en", 1.0)))
    assert prior.carried()[0] == "en"
    assert prior.shares()["en"] > prior.shares()["th"]
    assert sum(prior.shares().values()) == pytest.approx(1.0)


def test_it_keeps_the_last_turns_only() -> None:
    prior = LanguagePrior((("sw", 0.9),) * 50 + (("tl", 0.9),))
    assert len(prior.turns) == 8
    assert prior.turns[-1] == ("fil", 0.9)


def test_no_turns() -> None:
    assert LanguagePrior().carried() == ("und", 0.0)
    assert detect("ok", prior=LanguagePrior()).language == "und"


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        ((("th", 1.5),), r"confidence must be in \[0, 1\], but got 1.5"),
        ((("th", float("nan")),), r"confidence must be in \[0, 1\], but got nan"),
        ((("no such", 0.5),), "language must be a BCP-47 tag, but got 'no such'"),
        ((("th", "high"),), r"turns must be \(tag, confidence\) pairs"),
        ("th", r"turns must be \(tag, confidence\) pairs"),
        (None, r"turns must be \(tag, confidence\) pairs"),
    ],
)
def test_nonsense_is_refused(turns: object, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        LanguagePrior(turns)  # type: ignore[arg-type]
