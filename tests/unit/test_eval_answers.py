"""T7 counts what answers are, not what they say of themselves."""

from __future__ import annotations

from lira_rag.evaluation.answers import AnswerRates, evaluate_answers, t7_questions, to_table
from lira_rag.evaluation.demo_corpus import Question
from lira_rag.schema import Answer, Citation, Hit, Passage, Source

PAGE = "Standard delivery takes 3 to 5 working days."
QUESTION = Question("q", "th", "ส่งของใช้เวลากี่วัน", {"page": 2})
THAI = "จัดส่งใช้เวลา 3 ถึง 5 วันทำการ [1]"


def answer(text: str, *citations: Citation, document: str = "page", **fields: object) -> Answer:
    hit = Hit(Passage(f"{document}#0", document, PAGE, 0, len(PAGE), language="en"), 1.0)
    return Answer("q", text, "th", "th", (Source(1, hit, True),), citations=citations, **fields)  # type: ignore[arg-type]


def rates(*answers: Answer) -> dict[str, object]:
    counted = AnswerRates()
    for one in answers:
        counted.add(QUESTION, one)
    return counted.to_dict()


def test_a_language_is_told_from_the_text_whatever_the_answer_claims() -> None:
    english = answer(PAGE, degraded=("answered in en, not th: it is quoted",))
    found = rates(answer(THAI), english, answer(PAGE))
    assert (found["n"], found["answered"], found["right language"], found["else stated"]) == (3, 100.0, 33.3, 50.0)


def test_a_quotation_is_looked_up_at_its_offsets() -> None:
    good, moved = Citation(1, PAGE[:17], 0, 17), Citation(1, PAGE[:17], 1, 18)
    found = rates(answer(THAI, good, moved), answer(THAI))
    assert (found["verbatim"], found["with a quotation"]) == (50.0, 50.0)


def test_a_source_counts_when_it_is_graded() -> None:
    assert rates(answer(THAI), answer(THAI, document="other"))["right source"] == 50.0


def test_abstaining_is_right_where_nothing_answers_and_wrong_elsewhere() -> None:
    counted = AnswerRates()
    counted.add(QUESTION, answer("ไม่ทราบ", abstained=True))
    counted.add_unanswerable("off-topic", answer("ไม่ทราบ", abstained=True))
    counted.add_unanswerable("off-topic", answer(THAI))
    found = counted.to_dict()
    assert (found["answered"], found["right language"], found["refused off-topic"]) == (0.0, None, 50.0)
    assert (found["refused near"], found["n off-topic"]) == (None, 2)


async def test_every_question_is_asked_once() -> None:
    asked: list[str] = []

    async def ask(question: str) -> Answer:
        asked.append(question)
        return answer(THAI)

    found = await evaluate_answers(ask, ("th", "en"))
    answerable, unanswerable = t7_questions(("th", "en"))
    assert asked == [question.text for question in answerable] + [question.text for question, _ in unanswerable]
    assert (found["th"].asked, found["en"].asked) == (20, 20)
    table = to_table({"none": found}, ["about"])
    assert "| th | 20 |" in table
    assert "## chat = none" in table
