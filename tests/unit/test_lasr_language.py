"""The answer-language guarantee with scripted models: kept, asked once more, translated by the agents, or stated."""

from __future__ import annotations

from typing import Any

import pytest

from lira_rag.agents import ChatTranslator, Team, standard_guards
from lira_rag.lasr import EXTRACT, LaSR
from lira_rag.lasr.phrases import no_answer
from lira_rag.lasr.tongue import detector, right_share, same_language
from lira_rag.schema import Answer, Hit, Passage
from lira_rag.testing import FailingTranslator, FakeTranslator, ScriptedChat, SlowTranslator, cited

RETURNS = "You can return an item within 30 days of delivery. Sale items cannot be returned."
HINDI = "मैं सामान कितने दिनों में वापस कर सकता हूँ?"
QUOTE = (1, "return an item within 30 days")
IN_ENGLISH = cited("You can return an item within 30 days [1].", QUOTE)
IN_HINDI = cited("आप 30 दिनों के भीतर सामान वापस कर सकते हैं [1]।", QUOTE)
DRIFTING = cited("आप 30 दिनों के भीतर सामान वापस कर सकते हैं [1]। Sale items cannot be returned [1].", QUOTE)
TABLE = {"You can return an item within 30 days": "आप 30 दिनों के भीतर सामान वापस कर सकते हैं"}


def hit(text: str = RETURNS, language: str = "en") -> Hit:
    return Hit(Passage("d#0", "d", text, 0, len(text), language=language), 1.0)


async def asked(chat: object, question: str = HINDI, **settings: Any) -> Answer:
    told = {name: settings.pop(name) for name in ("answer_language", "deadline", "language") if name in settings}
    return await LaSR(chat, **settings).run(question, [hit()], **{"deadline": 60.0, **told})  # type: ignore[arg-type]


async def test_english_first_then_hindi_takes_one_retry() -> None:
    chat = ScriptedChat([IN_ENGLISH, IN_HINDI])
    found = await asked(chat)
    assert (found.language, found.language_action, found.retries, found.language_share) == ("hi", "retried", 1, 1.0)
    assert found.text == "आप 30 दिनों के भीतर सामान वापस कर सकते हैं [1]।"
    assert [c.quote for c in found.citations] == [QUOTE[1]]
    assert len(chat.calls) == 2
    assert "not in the language hi" not in chat.calls[0][-1]["content"]
    assert "not in the language hi" in chat.calls[1][-1]["content"]


async def test_hindi_at_once_is_kept() -> None:
    chat = ScriptedChat([IN_HINDI])
    found = await asked(chat)
    assert (found.language, found.language_action, found.retries, len(chat.calls)) == ("hi", "kept", 0, 1)


async def test_still_english_is_translated_by_the_agents_with_its_citations() -> None:
    found = await asked(ScriptedChat([IN_ENGLISH]), translator=FakeTranslator(TABLE))
    assert found.text == "आप 30 दिनों के भीतर सामान वापस कर सकते हैं [1]."
    assert (found.language, found.language_action, found.retries, found.language_share) == ("hi", "translated", 1, 1.0)
    assert [c.quote for c in found.citations] == [QUOTE[1]]
    assert "translated to hi by fake-translator" in found.degraded[-1]


async def test_without_a_translator_the_language_is_stated() -> None:
    found = await asked(ScriptedChat([IN_ENGLISH]))
    assert (found.language, found.language_action, found.retries, found.language_share) == ("en", "stated", 1, 0.0)
    assert found.degraded == ("answered in en, not hi: the chat model scripted wrote so",)


LOST = {"You can return an item within 30 days": "आप सामान वापस कर सकते हैं"}
WRONG = {"You can return an item within 30 days": "Unaweza kurudisha bidhaa ndani ya siku 30 baada ya kuipokea"}


@pytest.mark.parametrize(
    "translator",
    [FakeTranslator({}), FakeTranslator(LOST), FakeTranslator(WRONG), FailingTranslator(), SlowTranslator(30)],
    ids=["nothing", "lost a number", "wrong language", "fails", "hangs"],
)
async def test_a_translation_that_will_not_do_is_not_used(translator: Any) -> None:
    found = await asked(ScriptedChat([IN_ENGLISH]), translator=translator, deadline=1.5)
    assert (found.language, found.language_action) == ("en", "stated")
    assert any(note.startswith("translation: ") for note in found.degraded)


async def test_a_drift_in_the_middle_is_noticed_and_asked_again() -> None:
    found = await asked(ScriptedChat([DRIFTING, IN_HINDI]))
    assert (found.language_action, found.language_share) == ("retried", 1.0)
    kept = await asked(ScriptedChat([DRIFTING]))
    assert (kept.language, kept.language_action, kept.language_share) == ("hi", "stated", 0.5)
    assert kept.degraded[-1].startswith("50% of the answer's sentences are not in hi")


async def test_a_second_reply_that_cannot_be_used_keeps_the_first() -> None:
    found = await asked(ScriptedChat([IN_ENGLISH, cited("चाँद पर हमारी दुकान 77 बजे खुलती है [1]।")]))
    assert found.text == "You can return an item within 30 days [1]."
    assert (found.language_action, found.retries) == ("stated", 1)
    assert any(note.startswith("retry in hi: ") for note in found.degraded)


async def test_the_user_may_ask_for_another_language() -> None:
    found = await asked(ScriptedChat([IN_ENGLISH, IN_HINDI]), "How long can I return an item?", answer_language="hi")
    assert (found.question_language, found.wanted_language, found.language) == ("en", "hi", "hi")
    assert found.retries == 1


async def test_a_model_that_does_not_know_the_language_is_not_asked_again_but_translated() -> None:
    chat = ScriptedChat([IN_ENGLISH], languages=("en",))
    found = await asked(chat, "How long?", language="en", answer_language="hi", translator=FakeTranslator(TABLE))
    assert (len(chat.calls), found.retries, found.language_action) == (1, 0, "translated")


async def test_a_quotation_is_translated_and_shown_beside_its_source() -> None:
    table = {"You can return an item within 30 days of delivery.": "डिलीवरी के 30 दिनों के भीतर सामान वापस हो सकता है।"}
    found = await LaSR(translator=FakeTranslator(table)).run(
        HINDI, [hit("You can return an item within 30 days of delivery.")], deadline=60.0
    )
    assert (found.model, found.language, found.language_action) == (EXTRACT, "hi", "translated")
    assert found.citations[0].quote == "You can return an item within 30 days of delivery."
    assert found.citations[0].translation == "डिलीवरी के 30 दिनों के भीतर सामान वापस हो सकता है।"


async def test_quotations_are_translated_beside_a_kept_answer_when_asked_for() -> None:
    table = {QUOTE[1]: "30 दिनों के भीतर सामान लौटाएँ"}
    found = await asked(ScriptedChat([IN_HINDI]), translator=FakeTranslator(table), translate_quotes=True)
    assert [(c.quote, c.translation) for c in found.citations] == [(QUOTE[1], "30 दिनों के भीतर सामान लौटाएँ")]
    plain = await asked(ScriptedChat([IN_HINDI]), translator=FakeTranslator(table))
    assert [c.translation for c in plain.citations] == [""]


async def test_the_refusal_is_translated_where_there_is_no_phrase() -> None:
    english, _ = no_answer("en")
    icelandic = "Ég veit það ekki: skjölin svara því ekki."
    node = LaSR(translator=FakeTranslator({english: icelandic}))
    found = await node.run("Hvenær opnar búðin?", [], language="is")
    assert (found.text, found.language, found.abstained) == (icelandic, "is", True)


async def test_a_team_made_for_english_is_aimed_at_the_wanted_language() -> None:
    """Its guards would reject Hindi as not being English; numbers and language are guarded all the same."""
    writer = ScriptedChat(["आप 30 दिनों के भीतर सामान वापस कर सकते हैं"], name="writer")
    team = Team([ChatTranslator(writer)], standard_guards("en"))
    assert list(await team.translate("You can return an item within 30 days", "en", "hi")) == []
    found = await asked(ScriptedChat([IN_ENGLISH]), translator=team)
    assert (found.language, found.language_action) == ("hi", "translated")


# --- by sentence and by script

TELL = detector(("vi", "en", "hi"))


@pytest.mark.parametrize(
    ("text", "wanted", "share"),
    [
        ("Bạn có thể trả hàng trong vòng 30 ngày kể từ khi nhận được hàng.", "vi", 1.0),
        ("Bạn có thể trả hàng 商品 trong vòng 30 ngày.", "vi", 0.0),
        ("Bạn có thể trả hàng trong vòng 30 ngày. You can return the item within thirty days of buying it.", "vi", 0.5),
        ("Kwa hiyo 30.", "und", None),
        ("30!", "vi", None),
    ],
)
def test_the_share_of_right_sentences(text: str, wanted: str, share: float | None) -> None:
    assert right_share(text, wanted, TELL, [("en", RETURNS)]) == share


def test_scripts_of_question_and_sources_are_in_place() -> None:
    text = "Bạn có thể mua 商品 trong cửa hàng của chúng tôi hôm nay."
    assert right_share(text, "vi", TELL, [("zh", "商品 30")]) == 1.0


@pytest.mark.parametrize(("one", "other", "same"), [("id", "ms", True), ("hi-Latn", "hi", True), ("en", "hi", False)])
def test_twins_are_one_language(one: str, other: str, same: bool) -> None:
    assert same_language(one, other) is same
