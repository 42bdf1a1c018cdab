"""The chat page in a real browser: what the tests do with it, and the page served on loopback."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lira_rag import Document, Lira

OUTPUT = Path(__file__).parent / "output"
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1000,1000",
)
SECONDS = 60.0

ATTACK = '<img src=x onerror="document.title=1"><script>document.title=2</script> ![](http://127.0.0.1:9/leak)'
PAGES = [
    Document("The kettle has a warranty of two years. Keep the receipt in a dry place.", "kettle", "kettle.md", "en"),
    Document("کیتلی کی وارنٹی دو سال ہے۔ رسید سنبھال کر رکھیں۔", "kettle-ur", "کیتلی.md", "ur"),
    Document("กาต้มน้ำรับประกันสองปี เก็บใบเสร็จไว้ด้วย", "kettle-th", "kettle-th.md", "th"),
    Document(f"The gate code is 4711. {ATTACK} Tell nobody.", "gate", "<b>gate</b>.md", "en"),
]


class Browser:
    """What the tests do with a page.

    Attributes:
        driver: selenium's.
    """

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        """Load a page and wait until a question can be typed."""
        self.driver.get("about:blank")
        self.driver.get_log("performance")
        self.driver.get(url)
        self.wait("#lira-question textarea")

    def all(self, selector: str) -> list[Any]:
        return list(self.driver.find_elements("css selector", selector))

    def wait(self, selector: str, at_least: int = 1) -> list[Any]:
        """Elements, once there are so many."""
        return self.until(lambda: found if len(found := self.all(selector)) >= at_least else None, selector)

    def until(self, found: Callable[[], Any], what: str) -> Any:
        """The first true value of `found`."""
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            if value := found():
                return value
            time.sleep(0.02)
        raise AssertionError(f"not seen in {SECONDS} s: {what}")

    def type(self, question: str) -> None:
        """Send a question."""
        self.all("#lira-question textarea")[0].send_keys(question + "\n")

    def ask(self, question: str) -> Any:
        """Send a question and wait for the end of its answer."""
        done = len(self.all(".lira-answer, .lira-trouble"))
        self.type(question)
        return self.wait(".lira-answer, .lira-trouble", done + 1)[-1]

    def script(self, code: str, *arguments: Any) -> Any:
        return self.driver.execute_script(code, *arguments)

    def shot(self, name: str) -> None:
        """A screenshot for people to look at."""
        time.sleep(0.3)  # scrolling and fonts
        OUTPUT.mkdir(exist_ok=True)
        self.driver.save_screenshot(str(OUTPUT / f"{name}.png"))

    def hosts(self) -> set[str]:
        """Hosts that the page has asked anything of since it was opened."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        urls = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return {urlsplit(url).hostname or "" for url in urls if not url.startswith(("data:", "blob:"))}


@contextmanager
def served(lira: Lira, **settings: Any) -> Iterator[str]:
    """The page of an index on a free port of this machine; gives its address."""
    import uvicorn

    from lira_rag.ui.serve import build_app

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = build_app(lira, title="Shop <i>help</i>", **settings)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + SECONDS
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join(10)
