"""The view of an answer and its HTML: what is shown, in which direction, and that nothing in a text is markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from lira_rag import Answer, Hit, Lira, Passage, Source
from lira_rag.errors import DeadlineExceeded
from lira_rag.schema import Citation
from lira_rag.testing import FailingChat, FakeEncoder, TypingChat
from lira_rag.ui.markup import answer_html, draft_html, question_html, trouble_html
from lira_rag.ui.page import SAME, language_choices
from lira_rag.ui.present import Piece, direction, language_name, present
from lira_rag.ui.talk import Session, Talk

TEXT = "The kettle has a warranty of two years. Keep the receipt."
NASTY = "</div></blockquote><script>x()</script>\n\n# [a](http://evil) & 'q' \"q\""


def answer(text: str = TEXT, **given: object) -> Answer:
    passage = Passage("kettle#0", "kettle", TEXT, 0, len(TEXT), "kettle.md", "en")
    other = Passage("bag#0", "bag", "A bag.", 0, 6, "", "th")
    sources = (Source(1, Hit(passage, 1.0, relevance=0.834), cited=True), Source(2, Hit(other, 0.5)))
    made = Answer("q", text, "en", "sw", sources, model="m", citations=(Citation(1, TEXT[:39], 0, 39),))
    return replace(made, **given)  # type: ignore[arg-type]


def test_cited_sources_are_shown_with_their_quotation() -> None:
    view = present(answer())
    assert [source.number for source in view.sources] == [1]
    assert view.sources[0].pieces == (Piece(TEXT[:39], quoted=True), Piece(TEXT[39:]))
    assert (view.sources[0].title, view.sources[0].relevance) == ("kettle.md", 83)


def test_without_a_cited_source_all_are_shown() -> None:
    made = answer()
    uncited = tuple(replace(source, cited=False) for source in made.sources)
    view = present(replace(made, sources=uncited, citations=(), abstained=True))
    assert [(source.number, source.title) for source in view.sources] == [(1, "kettle.md"), (2, "bag")]


@pytest.mark.parametrize(
    "spans", [[(0, 10), (5, 15)], [(5, 15), (0, 10)], [(0, 15), (3, 5)], [(40, len(TEXT))], [(0, len(TEXT))]]
)
def test_pieces_are_the_whole_text_and_every_quoted_letter_is_marked(spans: list[tuple[int, int]]) -> None:
    citations = tuple(Citation(1, TEXT[a:b], a, b) for a, b in spans)
    pieces = present(answer(citations=citations)).sources[0].pieces
    assert "".join(piece.text for piece in pieces) == TEXT
    marked = [quoted for piece in pieces for quoted in [piece.quoted] * len(piece.text)]
    assert marked == [any(a <= n < b for a, b in spans) for n in range(len(TEXT))]


@pytest.mark.parametrize(
    ("reason", "plain"),
    [
        ("chat: ChatError: refused; quoted instead", "The language model gave no answer"),
        ("translated: not ready after 1 s", "The translation of the question"),
        ("query: cut to its first 2000 characters", "too long and was cut"),
        ("answered in en, not sw: quoted", "not in the language"),
        ("never heard of", "Something was left out"),
    ],
)
def test_reasons_are_put_in_plain_words_and_kept(reason: str, plain: str) -> None:
    (note,) = present(answer(degraded=(reason, reason))).notes
    assert plain in note.plain
    assert note.detail == reason


@pytest.mark.parametrize(
    ("tag", "way", "name"),
    [
        ("ur", "rtl", "Urdu"),
        ("sw", "ltr", "Swahili"),
        ("ur-Latn", "ltr", "Urdu (Latin)"),
        ("und", "auto", "unknown language"),
    ],
)
def test_directions_and_names(tag: str, way: str, name: str) -> None:
    assert (direction(tag), language_name(tag)) == (way, name)


class _Tags(HTMLParser):
    """Tags that a browser would see, and whether they close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.stack: list[str] = []
        self.feed(html)
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= {"class", "dir", "lang", "open"}
        self.seen.add(tag)
        if tag != "br":
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag


def test_nothing_in_a_text_is_markup() -> None:
    passage = Passage("x#0", NASTY, NASTY, 0, len(NASTY), NASTY, "en")
    sources = (Source(1, Hit(passage, 1.0), cited=True),)
    citations = (Citation(1, NASTY[3:30], 3, 30, translation=NASTY),)
    made = answer(NASTY, sources=sources, citations=citations, standalone=NASTY, degraded=(NASTY,))
    shown = [
        answer_html(present(made), 0.5),
        question_html(NASTY, "und"),
        draft_html(NASTY, "ur", NASTY),
        trouble_html(NASTY, NASTY),
    ]
    ours = {"div", "span", "small", "bdi", "details", "summary", "blockquote", "mark", "p", "br"}
    for html in shown:
        assert _Tags(html).seen <= ours
        assert "\n" not in html  # a blank line would end the HTML block, and Markdown would begin
        assert html.startswith("<div")


def test_the_direction_of_every_text_is_its_own() -> None:
    html = answer_html(present(answer(language="ur", question_language="ar")), None)
    assert re.search(r'class="lira-text" lang="ur" dir="rtl"', html)
    assert re.search(r'<blockquote lang="en" dir="ltr">', html)


def test_the_switch_names_languages_as_their_readers_do() -> None:
    names = dict(language_choices(["ur", "th", "en"]))
    assert names == {"as the question": SAME, "اردو (Urdu)": "ur", "ไทย (Thai)": "th", "English": "en"}
    assert len(language_choices([])) > 10


async def heard(talk: Talk, *questions: str) -> list[Session]:
    """All sessions of some questions one after the other."""
    sessions = [Session()]
    for question in questions:
        sessions += [session async for session in talk.ask(question, None, sessions[-1])]
    return sessions[1:]


def shop(chat: object) -> Lira:
    lira = Lira.create(None, encoder=FakeEncoder(), chat=chat)  # type: ignore[arg-type]
    lira.add([{"id": "kettle", "text": TEXT}])
    return lira


async def test_a_talk_shows_a_growing_draft_and_then_the_answer() -> None:
    with shop(TypingChat("The kettle has a warranty of two years. [1]", 0.01)) as lira:
        sessions = await heard(Talk(lira), "How long is the warranty of the kettle?")
    last = [session.messages[-1]["content"] for session in sessions]
    drafts = [text for text in last if "lira-draft" in text]
    assert len(drafts) > 3
    assert "lira-answer" in last[-1]
    assert [message["role"] for message in sessions[-1].messages] == ["user", "assistant"]
    assert [turn.question for turn in sessions[-1].turns] == ["How long is the warranty of the kettle?"]


async def test_why_explains_the_last_question_and_escapes_it() -> None:
    with shop(FailingChat()) as lira:
        talk = Talk(lira)
        assert "Nothing was asked yet" in await talk.why(Session())
        sessions = await heard(talk, "kettle <b>warranty</b>?")
        html = await talk.why(sessions[-1])
    assert "&lt;b&gt;warranty" in html
    assert _Tags(html).seen == {"div", "p", "bdi", "br", "ul", "ol", "li", "b", "small"}
    assert "by translation</b>: not needed or not there: no translator" in html


async def test_a_talk_goes_on_after_trouble() -> None:
    with shop(FailingChat()) as lira:
        sessions = await heard(Talk(lira), "\u200b", "How long is the warranty of the kettle?")
    contents = [message["content"] for message in sessions[-1].messages]
    assert "Please write it in words" in contents[1]
    assert "two years" in contents[3]
    assert len(sessions[-1].turns) == 1


async def test_an_error_of_any_kind_is_told_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        config = Lira.create(None, encoder=FakeEncoder(), chat="none").config

        def __init__(self, error: Exception) -> None:
            self.error = error

        async def astream(self, *args: object, **settings: object):  # type: ignore[no-untyped-def]
            raise self.error
            yield

    for error, said in ((RuntimeError("secret"), "RuntimeError"), (DeadlineExceeded("late"), "took too long")):
        sessions = await heard(Talk(Broken(error)), "hello there")  # type: ignore[arg-type]
        assert said in sessions[-1].messages[-1]["content"]
        assert "secret" not in sessions[-1].messages[-1]["content"]
    assert "secret" not in caplog.text
