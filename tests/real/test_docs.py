"""Every Python block of the documentation is valid, and runs as it stands on what the page takes for granted.

Pages that are not in `STAGES` have tests of their own. Every command of ours that a page names is one the tool has.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from mteb.mocks.mock_tasks import MockRetrievalTask

from lira_rag import Lira
from lira_rag.arca import Arca
from lira_rag.arca.maps import AnchorMaps, find_packaged
from lira_rag.encoders import load_encoder
from lira_rag.lasr.frozen_llm import FrozenLLM
from lira_rag.lasr.soft_prompt import SoftPrompts
from lira_rag.lasr.token_table import llm_fingerprint
from lira_rag.models import locate
from lira_rag.modules.prompt_mapping import PromptMapping, save_mapping
from lira_rag.serving.app import build_app
from lira_rag.testing import FakeEncoder
from lira_rag.testing.server import FaultServer, completion
from tests.tiny_models import make_causal

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.glob("*.md"))
OWN_TESTS = {"agents.md", "chat.md", "langchain.md", "llamaindex.md", "reports.md"}

Names = dict[str, Any]
Stage = AbstractAsyncContextManager[tuple[Names, dict[str, str]]]
"""Names that the page takes for granted, and what to put in place of its addresses."""


@asynccontextmanager
async def bare(_: Path) -> AsyncIterator[tuple[Names, dict[str, str]]]:
    yield {}, {}


@asynccontextmanager
async def chat_server(folder: Path) -> AsyncIterator[tuple[Names, dict[str, str]]]:
    with Lira.create(folder / "shop.lira") as lira:
        await lira.aadd(["An item can be sent back within thirty days.", "The blue kettle costs forty euros."])
        hits = list(await lira.asearch("return", k=2))
    async with FaultServer(then=completion("An item can be sent back within thirty days. [1]")) as server:
        yield {"hits": hits}, {"http://localhost:8000/v1": server.base_url}


@asynccontextmanager
async def a_lira(folder: Path) -> AsyncIterator[tuple[Names, dict[str, str]]]:
    files = {
        "queries.jsonl": '{"_id": "q", "text": "Kifurushi kitafika lini?", "language": "sw"}',
        "corpus.jsonl": '{"_id": "d", "text": "Parcels take three days."}',
        "qrels.tsv": "q\td\t1\n",
    }
    (folder / "my-data").mkdir()
    for name, text in files.items():
        (folder / "my-data" / name).write_text(text, encoding="utf-8")
    with Lira.create(None, chat="none") as lira:
        yield {"lira": lira, "tasks": [MockRetrievalTask()]}, {}


@asynccontextmanager
async def a_head(_: Path) -> AsyncIterator[tuple[Names, dict[str, str]]]:
    with Lira.create(None, chat="none") as lira:
        encoder = lira.arca.native
    packaged = find_packaged(encoder.fingerprint)
    assert packaged is not None
    maps = AnchorMaps.load(packaged, encoder.fingerprint)
    yield {"encoder": encoder, "maps": maps, "asked": ["Ina kaya na?"], "translated": ["where my goods"]}, {}


@asynccontextmanager
async def our_server(_: Path) -> AsyncIterator[tuple[Names, dict[str, str]]]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    app = build_app(Arca(FakeEncoder()), "e5-small-int4")
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.02)
    yield {}, {"http://127.0.0.1:8080/v1": f"http://127.0.0.1:{port}/v1"}
    server.should_exit = True
    await asyncio.to_thread(thread.join, 10)


@asynccontextmanager
async def a_soft_prompt(folder: Path) -> AsyncIterator[tuple[Names, dict[str, str]]]:
    """A tiny language model in place of the packaged one, and an untrained mapping from the real encoder to it."""
    llm = make_causal(folder / "llm", "smollm2")
    encoder = load_encoder(locate("e5-small-int4"), name="e5-small-int4")
    mark = llm_fingerprint(llm)
    untrained = PromptMapping(encoder.dimension, 32, bins=4)
    save_mapping(folder / "mapping", untrained, encoder=encoder.fingerprint, english="", llm=mark)
    soft = SoftPrompts.load(folder / "mapping", encoder, FrozenLLM(llm))
    yield {"soft": soft, "folder": llm}, {'locate("smollm2-135m")': repr(str(llm))}


STAGES: dict[str, Callable[[Path], Stage]] = {
    "answers.md": chat_server,
    "head.md": a_head,
    "index.md": bare,
    "interop.md": a_lira,
    "migrating.md": bare,
    "reasoning.md": a_soft_prompt,
    "scripts.md": bare,
    "serving.md": our_server,
}


def blocks(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def run_block(block: str, name: str, names: Names) -> None:
    """Execute a block; `await` may stand outside of functions, as in notebooks."""
    waiting = eval(compile(block, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)  # noqa: S307
    if inspect.iscoroutine(waiting):
        asyncio.run(waiting)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_are_python(page: Path) -> None:
    for block in blocks(page):
        compile(block, page.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_every_page_with_code_is_run_somewhere() -> None:
    assert {page.name for page in PAGES if blocks(page)} == STAGES.keys() | OWN_TESTS


@pytest.mark.models
@pytest.mark.parametrize("name", sorted(STAGES))
async def test_the_page_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with STAGES[name](tmp_path) as (names, addresses):
        for block in blocks(DOCS / name):
            for written, real in addresses.items():
                block = block.replace(written, real)  # noqa: PLW2901
            await asyncio.to_thread(run_block, block, name, names)
    for left in names.values():
        if isinstance(left, Lira):
            left.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
