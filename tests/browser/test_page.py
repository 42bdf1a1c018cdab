"""The chat page in a real browser, with scripted models."""

from __future__ import annotations

import http.client
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lira_rag.protocols import Message
from lira_rag.testing import FailingChat, TypingChat
from lira_rag.ui.labels import Labels
from tests.browser_pages import ATTACK, Browser

Page = Callable[..., AbstractContextManager[str]]

QUESTIONS = {
    "ur": ("کیتلی کی وارنٹی کتنے سال ہے؟", "کیتلی کی وارنٹی دو سال ہے۔ [1]", "rtl"),
    "th": ("กาต้มน้ำรับประกันกี่ปี", "กาต้มน้ำรับประกันสองปี [1]", "ltr"),
    "en": ("How many years of warranty does the kettle have?", "The kettle has a warranty of two years. [1]", "ltr"),
}


def reply(messages: Sequence[Message]) -> str:
    """The shop's answer in the language of what was asked last."""
    asked = messages[-1]["content"]
    return next(
        (answer for question, answer, _ in QUESTIONS.values() if question in asked), "The gate code is 4711. [1]"
    )


def test_questions_in_three_languages_each_in_its_own_direction(browser: Browser, page: Page) -> None:
    with page(TypingChat(reply, 0.0)) as url:
        browser.open(url)
        for tag, (question, answer, direction) in QUESTIONS.items():
            shown = browser.ask(question)
            text = shown.find_element("css selector", ".lira-text")
            assert text.text.rsplit(" [", 1)[0] == answer.rsplit(" [", 1)[0]
            asked = browser.all(".lira-question .lira-text")[-1]
            for element in (text, asked):
                assert element.value_of_css_property("direction") == direction
                assert element.get_attribute("lang") == tag
            assert browser.script("return getComputedStyle(document.body).direction") == "ltr"
            assert browser.script(FIRST_LETTER, text) == ("right" if direction == "rtl" else "left")
            browser.shot(f"page-{tag}")
        assert len(browser.all(".lira-answer")) == 3
        assert browser.hosts() == {"127.0.0.1"}
        assert not [entry for entry in browser.driver.get_log("browser") if entry["level"] == "SEVERE"]


FIRST_LETTER = """
const range = document.createRange(), text = document.createTreeWalker(arguments[0], NodeFilter.SHOW_TEXT).nextNode();
range.setStart(text, 0); range.setEnd(text, 1);
const letter = range.getBoundingClientRect(), box = arguments[0].getBoundingClientRect();
return box.right - letter.right < letter.left - box.left ? "right" : "left";
"""
"""On which side of its box a text begins: what is seen, not what a style says."""


def test_the_answer_grows_while_it_is_written(browser: Browser, page: Page) -> None:
    question, answer, _ = QUESTIONS["en"]
    with page(TypingChat(reply, 0.05)) as url:
        browser.open(url)
        browser.type(question)
        seen: list[str] = []
        while not browser.all(".lira-answer"):
            seen += browser.script(
                "return [...document.querySelectorAll('.lira-draft .lira-text')].map(e => e.textContent)"
            )
            if len(seen) == 10:
                browser.shot("page-draft")
        drafts = list(dict.fromkeys(filter(None, seen)))
        assert len(drafts) >= 5
        assert all(answer.startswith(draft) for draft in drafts)
        assert [len(draft) for draft in drafts] == sorted(len(draft) for draft in drafts)
        assert browser.all(".lira-answer .lira-text")[0].text == answer
        assert not browser.all(".lira-draft")


def test_an_answer_can_be_stopped_and_the_next_one_asked(browser: Browser, page: Page) -> None:
    chat = TypingChat(reply, 0.3)
    with page(chat) as url:
        browser.open(url)
        browser.type(QUESTIONS["en"][0])
        browser.wait(".lira-draft .lira-text")
        browser.wait("#lira-question .stop-button")[0].click()
        browser.until(lambda: chat.stopped == 1, "the model stops writing")
        chat.seconds = 0.0
        assert QUESTIONS["th"][1] in browser.ask(QUESTIONS["th"][0]).text


def test_sources_stand_in_the_original_with_the_quotation_marked(browser: Browser, page: Page) -> None:
    with page(TypingChat(reply, 0.0)) as url:
        browser.open(url)
        shown = browser.ask(QUESTIONS["ur"][0])
        source = shown.find_element("css selector", ".lira-source")
        assert "[1] کیتلی.md" in source.text
        assert "اردو" in source.find_element("css selector", ".lira-head").text
        quote = source.find_element("css selector", "blockquote")
        assert quote.text == "کیتلی کی وارنٹی دو سال ہے۔ رسید سنبھال کر رکھیں۔"
        assert quote.value_of_css_property("direction") == "rtl"
        marked = quote.find_element("css selector", "mark")
        assert marked.text == "کیتلی کی وارنٹی دو سال ہے۔"
        assert marked.value_of_css_property("background-color") != quote.value_of_css_property("background-color")
        chips = [chip.text for chip in shown.find_elements("css selector", ".lira-chip")]
        assert chips[0].startswith("سوال: اردو · ")
        assert chips[1] == "جواب: اردو"


def test_markup_in_a_document_a_question_or_an_answer_stays_text(browser: Browser, page: Page) -> None:
    with page(TypingChat(f"The gate code is 4711. {ATTACK} Tell nobody. [1]", 0.0)) as url:
        browser.open(url)
        title = browser.driver.title
        shown = browser.ask(f"What is the gate code? {ATTACK}")
        browser.shot("page-attack")
        assert "<img src=x" in shown.find_element("css selector", "blockquote").text
        assert "<b>gate</b>.md" in shown.text
        assert "<script>" in browser.all(".lira-question")[-1].text
        assert not browser.all("#lira-log img, #lira-log script, #lira-log b")
        assert browser.all("#lira-title h1")[0].text == "Shop <i>help</i>"
        assert browser.driver.title == title
        assert browser.hosts() == {"127.0.0.1"}
        assert "4711" in shown.text


def test_a_dead_model_is_explained_kindly_and_quoted_instead(browser: Browser, page: Page) -> None:
    with page(FailingChat()) as url:
        browser.open(url)
        shown = browser.ask(QUESTIONS["en"][0])
        assert "warranty of two years" in shown.find_element("css selector", ".lira-text").text
        assert "quoted, not written by a model" in shown.text
        notes = shown.find_element("css selector", ".lira-notes")
        notes.find_element("css selector", "summary").click()
        browser.shot("page-dead-model")
        assert "The language model gave no answer that could be used" in notes.text
        assert "Traceback" not in browser.driver.page_source


def test_a_question_without_words_is_answered_kindly(browser: Browser, page: Page) -> None:
    with page(TypingChat(reply, 0.0)) as url:
        browser.open(url)
        shown = browser.ask("\u200b\u200b")
        assert "Please write it in words" in shown.text
        assert "warranty" in browser.ask(QUESTIONS["en"][0]).text


def test_nothing_is_wider_than_a_small_phone(browser: Browser, page: Page) -> None:
    with page(TypingChat(reply, 0.0)) as url:
        browser.driver.set_window_size(380, 800)
        browser.script("return 0")
        browser.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": 380, "height": 800, "deviceScaleFactor": 2, "mobile": True}
        )
        try:
            browser.open(url)
            browser.ask(QUESTIONS["ur"][0])
            browser.ask("x" * 300)
            assert browser.script("return innerWidth") == 380
            assert browser.script("return document.documentElement.scrollWidth") <= 380
            inside = "[...document.querySelectorAll('#lira-log *')].map(e => e.getBoundingClientRect().right)"
            assert browser.script(f"return Math.max(...{inside})") <= 381
            browser.shot("page-phone")
        finally:
            browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("width", [380, 1000])
def test_labels_follow_the_language_of_the_question(browser: Browser, page: Page, width: int) -> None:
    with page(FailingChat()) as url:
        browser.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 2, "mobile": False},
        )
        try:
            browser.open(url)
            for tag in ("en", "ur", "th"):
                shown = browser.ask(QUESTIONS[tag][0])
                labels = Labels(tag)
                for element, label in (
                    (browser.all("#lira-why-button")[0], "Why was this found?"),
                    (browser.all("#lira-new")[0], "New conversation"),
                    (browser.all("#lira-language")[0], "Answer in"),
                    (shown.find_element("css selector", ".lira-sources summary"), "Sources"),
                    (shown.find_element("css selector", ".lira-chips"), "quoted, not written by a model"),
                    (shown.find_element("css selector", ".lira-notes summary"), "What was left out"),
                ):
                    said = labels.text(label)
                    browser.until(lambda e=element, s=said: s in e.text, label)
                    assert element.value_of_css_property("direction") == labels.direction
                box = browser.all("#lira-question textarea")[0]
                assert box.get_attribute("placeholder") == labels.text("Ask in any language")
                same = browser.all("#lira-language input")[0]
                assert same.get_attribute("value") == labels.text("as the question")
                inside = (
                    "[...document.querySelectorAll('#lira-log *, button, input')].map(e => e.getBoundingClientRect())"
                )
                assert browser.script(f"return Math.max(...{inside}.map(r => r.right))") <= width + 1
                assert browser.script(f"return Math.min(...{inside}.map(r => r.left))") >= -1
                assert browser.script("return document.documentElement.scrollWidth") <= width
                assert all(chip.text for chip in shown.find_elements("css selector", ".lira-chip"))
                browser.shot(f"page-labels-{tag}-{width}")
            assert "Urdu" not in browser.all(".lira-answer")[1].text
        finally:
            browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_labels_follow_the_switch_first(browser: Browser, page: Page) -> None:
    with page(TypingChat(reply, 0.0), answer_language="sw") as url:
        browser.open(url)
        why = browser.wait("#lira-why-button")[0]
        assert why.text == "Kwa nini hii ilipatikana?"
        browser.all("#lira-language input")[0].click()
        option = browser.wait("[role=option]", 5)
        option[[element.text for element in option].index("اردو (Urdu)")].click()
        browser.until(lambda: why.text == Labels("ur").text("Why was this found?"), "Urdu labels")
        assert "ذرائع" in browser.ask(QUESTIONS["en"][0]).text
        browser.all("#lira-new")[0].click()
        browser.until(lambda: not browser.all(".lira-answer"), "an empty conversation")
        assert why.text == Labels("ur").text("Why was this found?")


def test_the_answer_language_is_switched_and_follow_ups_keep_the_turns(browser: Browser, page: Page) -> None:
    heard: list[str] = []

    def noting(messages: Sequence[Message]) -> str:
        heard.append("\n".join(message["content"] for message in messages))
        return reply(messages)

    with page(TypingChat(noting, 0.0)) as url:
        browser.open(url)
        box = browser.wait("#lira-language input")[0]
        box.click()
        option = browser.wait("[role=option]", 5)
        names = [element.text for element in option]
        assert "اردو (Urdu)" in names
        option[names.index("ไทย (Thai)")].click()
        browser.ask(QUESTIONS["en"][0])
        assert any("Thai" in text or "ไทย" in text for text in heard)
        before = len(heard)
        browser.ask(QUESTIONS["ur"][0])
        assert any(QUESTIONS["en"][0] in text for text in heard[before:])
        browser.all("#lira-new")[0].click()
        browser.until(lambda: not browser.all(".lira-answer"), "an empty conversation")
        before = len(heard)
        browser.ask(QUESTIONS["th"][0])
        assert not any(QUESTIONS["en"][0] in text for text in heard[before:])


def test_why_names_every_part_of_the_search_and_what_it_did(browser: Browser, page: Page) -> None:
    with page(TypingChat(reply, 0.0)) as url:
        browser.open(url)
        browser.ask(QUESTIONS["ur"][0])
        browser.all("#lira-why-button")[0].click()
        shown = browser.wait("#lira-reasons .lira-why")[0]
        browser.script("arguments[0].scrollIntoView()", shown)
        browser.shot("page-why")
        for text in ("taken for Urdu", "by meaning: done", "by translation: not needed or not there: no translator"):
            assert text in shown.text
        asked = shown.find_element("css selector", "p bdi")
        assert (asked.text, asked.value_of_css_property("direction")) == (QUESTIONS["ur"][0], "rtl")
        browser.ask(QUESTIONS["th"][0])
        assert not browser.all(".lira-why")


def request(url: str, method: str, path: str, **headers: str) -> int:
    """The status of one request."""
    at = urlsplit(url)
    connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=10)
    connection.request(method, path, headers=headers)
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_strangers_pages_other_names_and_uploads_are_refused(page: Page, caplog: pytest.LogCaptureFixture) -> None:
    with page(TypingChat(reply, 0.0)) as url:
        own = urlsplit(url).netloc
        assert request(url, "GET", "/") == 200
        assert request(url, "GET", "/", Host="rebound.example") == 400
        assert request(url, "GET", "/", Origin="http://other.example") == 403
        assert request(url, "POST", "/gradio_api/upload") == 403
        assert request(url, "POST", "/upload", Origin=f"http://{own}") == 403
    with page(TypingChat(reply, 0.0), uploads=True) as url:
        assert request(url, "POST", "/gradio_api/upload") not in (200, 403)


def test_a_file_is_uploaded_only_where_that_was_asked_for(browser: Browser, page: Page, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("The cellar door needs the brass key.", encoding="utf-8")
    with page(TypingChat("The cellar door needs the brass key. [1]", 0.0), uploads=True) as url:
        browser.open(url)
        browser.wait("input[type=file]")[0].send_keys(str(file))
        browser.until(lambda: "1 documents added" in browser.wait("#lira-uploaded")[0].text, "the file is added")
        assert "notes.txt" in browser.ask("Which key does the cellar door need?").text
    with page(TypingChat(reply, 0.0)) as url:
        browser.open(url)
        browser.wait("#lira-new")
        assert not browser.all("input[type=file]")


def test_no_question_and_no_document_is_in_the_logs(
    browser: Browser, page: Page, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG), page(FailingChat(RuntimeError("secretword"))) as url:
        browser.open(url)
        browser.ask("Where is the canaryword, and the gate code?")
    out, err = capfd.readouterr()
    for text in ("canaryword", "4711", "secretword"):
        assert text not in out + err
        assert not [r for r in caplog.records if text in r.getMessage() and not r.name.startswith("selenium")]
