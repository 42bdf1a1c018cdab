"""The chat page with the packaged models: one question a language, as a first user would ask."""

from __future__ import annotations

import pytest

from lira_rag import Lira
from lira_rag.evaluation.demo_corpus import documents
from tests.browser_pages import Browser, served

pytestmark = [pytest.mark.models, pytest.mark.timeout(300)]


def test_the_shops_pages_are_asked_in_three_languages(browser: Browser) -> None:
    with Lira.create(None, store="memory") as lira:
        lira.add(documents())
        with served(lira) as url:
            browser.open(url)
            for tag, question, relevance in (
                ("en", "How long does a parcel to Mombasa take?", "relevance"),
                ("ur", "ممباسا تک پارسل پہنچنے میں کتنے دن لگتے ہیں؟", "مطابقت"),
                ("th", "พัสดุไปมอมบาซาใช้เวลากี่วัน", "ความเกี่ยวข้อง"),
            ):
                shown = browser.ask(question)
                asked = browser.all(".lira-question .lira-text")[-1]
                assert asked.get_attribute("lang") == tag
                assert asked.value_of_css_property("direction") == ("rtl" if tag == "ur" else "ltr")
                sources = shown.find_elements("css selector", ".lira-source")
                assert sources
                assert relevance in sources[0].text
                browser.shot(f"real-{tag}")
                browser.all("#lira-new")[0].click()
                browser.until(lambda: not browser.all(".lira-answer"), "an empty conversation")
            assert browser.hosts() == {"127.0.0.1"}
