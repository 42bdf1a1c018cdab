"""A real Chromium, headless; without one these tests are skipped and say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from lira_rag import Lira
from lira_rag.testing import FakeEncoder
from tests.browser_pages import CHROMIUM, DRIVER, FLAGS, PAGES, Browser, served


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = (
        "" if CHROMIUM and DRIVER else "needs chromium and chromedriver (apt-get install chromium chromium-driver)"
    )
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(240))  # a page loads slowly on a machine that does other work
            if missing:
                item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium: Any) -> Browser:
    chromium.set_window_size(1000, 1000)
    return Browser(chromium)


@pytest.fixture
def page() -> Callable[..., AbstractContextManager[str]]:
    """A function: a page over a small shop, with a chat model of the test's own."""

    @contextmanager
    def opened(chat: object, **settings: Any) -> Iterator[str]:
        with Lira.create(None, encoder=FakeEncoder(), chat=chat, store="memory") as lira:  # type: ignore[arg-type]
            lira.add(PAGES)
            with served(lira, **settings) as url:
                yield url

    return opened
