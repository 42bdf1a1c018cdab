"""Counting tokens: every counter, what it does when it cannot count, and which one is picked."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread

from lira_rag.clients import LocalChat, OpenAIChat
from lira_rag.config import load_config
from lira_rag.errors import ChatError, CorruptModel, InvalidInput, ModelNotFound
from lira_rag.models import CATALOG, folder_of, pull
from lira_rag.protocols import Message
from lira_rag.testing import EchoChat, FakeChat
from lira_rag.testing.server import FaultServer, Received, Step
from lira_rag.tokens import (
    CautiousCounter,
    ChatCounter,
    ServedCounter,
    TiktokenCounter,
    TokenCounter,
    TokenizerCounter,
    choose,
    context_of,
    counter_for,
    counter_of,
    message_tokens,
)
from lira_rag.tokens.openai import vocabulary_folder
from lira_rag.tokens.tax import size_of
from tests.tiny_models import write_tokenizer

MESSAGES: list[Message] = [{"role": "system", "content": "the cat"}, {"role": "user", "content": "a red house"}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tokenizer(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert", "max_position_embeddings": 512}')
    return tmp_path


class Words(EchoChat):
    """Counts words, and how often it was asked."""

    asked = 0
    context = 2_000

    def count_tokens(self, text: str) -> int:
        self.asked += 1
        return len(text.split())


# --- what all counters share


def every_counter(folder: Path) -> list[TokenCounter]:
    return [CautiousCounter(), ChatCounter(Words()), TokenizerCounter(folder), TiktokenCounter("o200k")]


def test_every_counter_keeps_the_protocol(folder: Path) -> None:
    for counter in every_counter(folder):
        assert isinstance(counter, TokenCounter)
        assert counter.name
        assert counter.count("") == 0
        assert counter.count_many([]) == []
        assert counter.count_many(["the cat", "the cat sat", "the cat"]) == [
            counter.count("the cat"),
            counter.count("the cat sat"),
            counter.count("the cat"),
        ]
        assert counter.count("a lone \udcff surrogate") > 0
        assert message_tokens(counter, MESSAGES) > sum(counter.count(m["content"]) for m in MESSAGES)


@pytest.mark.parametrize("texts", ["one str", [b"bytes"], [None]])
def test_what_is_no_text_is_refused(folder: Path, texts: Any) -> None:
    for counter in every_counter(folder):
        with pytest.raises(InvalidInput, match="must be a"):
            counter.count_many(texts)


class Forgetful(ChatCounter):
    remembered = 3


def test_a_text_is_counted_once_and_forgotten_last() -> None:
    chat = Words()
    counter = Forgetful(chat)
    assert counter.count_many(["a b", "c", "a b", "a b"]) == [2, 1, 2, 2]
    assert chat.asked == 2
    counter.count_many(["d", "a b", "e"])  # "c" is the oldest now, and leaves
    asked = chat.asked
    counter.count_many(["a b", "d", "e"])
    assert chat.asked == asked
    assert counter.count("c") == 1
    assert chat.asked == asked + 1


@pytest.mark.parametrize("context", [0, -1, 2.5, True])
def test_a_window_is_a_whole_number(context: Any) -> None:
    with pytest.raises(InvalidInput, match="context must be a whole number of tokens > 0"):
        CautiousCounter(context)


# --- the bound


@pytest.mark.parametrize("text", ["plain", "ไทย", "አማርኛ", "हिन्दी", "ﷺ" * 5, "㌀", "한국어", "İẞ", "\x00", "🇰🇪👩‍👩‍👧"])
def test_the_bound_is_one(text: str) -> None:
    bound = CautiousCounter().count(text)
    assert bound > len(text.encode())
    for name in ("o200k", "cl100k"):
        assert TiktokenCounter(name).count(text) <= bound


# --- a tokenizer on disk


def test_a_folders_tokenizer_counts_without_its_frame(folder: Path) -> None:
    counter = TokenizerCounter(folder, name="tiny")
    assert (counter.name, counter.exact, counter.frame, counter.context) == ("tiny", True, 2, 512)
    assert counter.count("the cat sat on the mat") == 6
    assert counter.unknown(["the zebra sat", "quokka"]) == 2
    assert counter.count("[SEP]") > 1, "a special token in a text is plain text"
    assert message_tokens(counter, MESSAGES) == 5 + 2 * 16 + 128


def test_a_folder_without_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="has no tokenizer"):
        TokenizerCounter(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(CorruptModel, match="cannot be read"):
        TokenizerCounter(tmp_path).count("a")


@pytest.mark.parametrize("config", ["", "[]", '{"max_position_embeddings": "many"}', '{"text_config": 3}'])
def test_a_config_that_says_nothing_gives_no_window(folder: Path, config: str) -> None:
    (folder / "config.json").write_text(config)
    assert context_of(TokenizerCounter(folder)) is None


# --- tiktoken, offline


@pytest.mark.parametrize(
    ("model", "like"),
    [
        ("gpt-4o", "o200k"),
        ("gpt-5-mini", "o200k"),
        ("gpt-4", "cl100k"),
        ("cl100k_base", "cl100k"),
        ("gpt-oss-20b", "o200k"),
    ],
)
def test_openai_models_have_their_encoding(model: str, like: str) -> None:
    text = "ฉันไม่ทราบ <|endoftext|>"
    assert TiktokenCounter(model).count(text) == TiktokenCounter(like).count(text)
    assert TiktokenCounter("o200k").count(text) != TiktokenCounter("cl100k").count(text)


def test_openai_counts_are_tiktokens_own() -> None:
    counter = TiktokenCounter("gpt-4")
    assert counter.count("hello world") == 2
    assert message_tokens(counter, [{"role": "user", "content": "hello world"}]) == 2 + 4 + 3


@pytest.mark.parametrize("name", ["llama-3", "", "text-davinci-003"])
def test_other_models_are_not_openais(name: str) -> None:
    with pytest.raises(ModelNotFound, match="no OpenAI model or encoding"):
        TiktokenCounter(name)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which no vocabulary lies about, and a folder for one."""
    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setenv("LIRA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(cache))
    return cache


def test_an_absent_vocabulary_names_the_command(bare: Path) -> None:
    with pytest.raises(ModelNotFound, match="o200k is not on this machine") as caught:
        TiktokenCounter("gpt-4o", folders=[bare, folder_of("o200k")]).count("a")
    assert caught.value.hint == "lira models pull o200k"
    assert list(bare.iterdir()) == [], "nothing was fetched"


def test_a_wrong_vocabulary_is_neither_used_nor_removed(bare: Path) -> None:
    file = bare / Path(CATALOG["cl100k"].sources[0].file).name
    file.write_bytes(b"aGk= 0\n")
    with pytest.raises(CorruptModel, match="is not the vocabulary cl100k"):
        TiktokenCounter("gpt-4", folders=[bare]).count("a")
    assert file.read_bytes() == b"aGk= 0\n"
    assert TiktokenCounter("gpt-4").count("hello world") == 2, "a good one elsewhere is found"


@pytest.mark.models
def test_the_vocabulary_is_pulled_once_and_found(bare: Path) -> None:
    pulled = pull("cl100k")  # from the installed llama-index-core if it is of that version
    assert vocabulary_folder("cl100k", [folder_of("cl100k")]) == pulled
    names = [path.name for path in sorted(pulled.iterdir())]
    assert names == ["9b5ad71b2ce5302211f9c61530b329a4922fc6a4", "manifest.json"]
    assert TiktokenCounter("gpt-4", folders=[pulled]).count("hello world") == 2
    assert os.environ["TIKTOKEN_CACHE_DIR"] == str(bare), "the environment is as it was"


def test_tiktokens_own_cache_comes_first(bare: Path) -> None:
    source = CATALOG["o200k"].sources[0]
    shutil.copy(str(metadata.distribution(source.package).locate_file(source.file)), bare)
    assert vocabulary_folder("o200k") == bare


# --- a served tokenizer


class Tokenizing(FaultServer):
    """Also serves /tokenize, where tokens are words; each message costs 5 more. A scripted step goes first."""

    def _step(self, request: Received) -> Step:
        if request.path != "/tokenize" or self._script:
            return self._script.pop(0) if self._script else super()._step(request)
        asked = request.json()
        texts = [m["content"] for m in asked["messages"]] if "messages" in asked else [asked["prompt"]]
        extra = 5 * len(texts) if "messages" in asked else 0
        count = sum(len(text.split()) for text in texts) + extra
        return Step(body=json.dumps({"count": count, "max_model_len": 4096, "tokens": [0] * count}).encode())


async def sync(function: Any, *arguments: Any) -> Any:
    return await to_thread.run_sync(function, *arguments)


async def test_the_server_counts_once_each_and_says_its_window() -> None:
    async with Tokenizing() as server:
        counter = ServedCounter(server.base_url, "m", api_key="s3cret")
        assert await counter.acount_many(["one two", "three", "one two"]) == [2, 1, 2]
        assert await sync(counter.count_many, ["one two", "four five six"]) == [2, 3]
        assert await counter.acount_messages(MESSAGES) == await sync(counter.count_messages, MESSAGES) == 5 + 10
        assert (counter.name, counter.exact, counter.reason, counter.context) == ("m", True, "", 4096)
        first = server.received[0]
        assert first.json() == {"model": "m", "prompt": "one two", "add_special_tokens": False}
        assert first.headers["authorization"] == "Bearer s3cret"
        assert [request.json().get("prompt") for request in server.received[:3]] == [
            "one two",
            "three",
            "four five six",
        ]
        assert "s3cret" not in repr(counter)


async def test_counting_works_from_a_thread_without_a_loop_and_from_many() -> None:
    async with Tokenizing() as server:
        counter = ServedCounter(server.base_url, "m")
        counts: list[int] = []

        async def one(n: int) -> None:
            counts.append(await sync(counter.count, "w " * n))

        async with anyio.create_task_group() as group:
            for n in range(1, 9):
                group.start_soon(one, n)
        assert sorted(counts) == list(range(1, 9))
        assert await counter.acount_many([f"a {n}" for n in range(40)]) == [2] * 40


LACKING = [
    Step(status=404, body=b"no"),
    Step(status=405),
    Step(status=501),
    Step(body=b"<html>"),
    Step(body=b'{"x": 1}'),
]


@pytest.mark.parametrize("step", LACKING, ids=["404", "405", "501", "html", "shape"])
async def test_a_server_without_tokenize_is_asked_once_and_the_reason_is_stated(step: Step) -> None:
    async with Tokenizing([step]) as server:
        counter = ServedCounter(server.base_url, "m")
        assert await counter.acount_many(["abc", "ไทย"]) == [CautiousCounter().count(t) for t in ("abc", "ไทย")]
        assert counter.exact is False
        assert "/tokenize" in counter.reason
        assert counter.reason.endswith("counted by bytes instead")
        assert await sync(counter.count, "more") == CautiousCounter().count("more")
        assert await counter.acount_messages(MESSAGES) == message_tokens(CautiousCounter(), MESSAGES)
        assert len(server.received) == 1


async def test_the_fallback_may_be_exact() -> None:
    async with Tokenizing([Step(status=404)]) as server:
        counter = ServedCounter(server.base_url, "gpt-4o", fallback=TiktokenCounter("gpt-4o"))
        assert await counter.acount_many(["hello world"]) == [2]
        assert counter.exact
        assert counter.reason


async def test_a_server_that_stumbles_is_asked_again() -> None:
    async with Tokenizing([Step(status=503, headers={"Retry-After": "0"})]) as server:
        counter = ServedCounter(server.base_url, "m")
        assert await counter.acount_many(["one two"]) == [2]
        assert (len(server.received), counter.reason) == (2, "")


@pytest.mark.parametrize(
    ("step", "kind"),
    [(Step(hang=True), "timeout"), (Step(status=500), "status_500"), (Step(status=401), "status_401")],
)
async def test_a_server_that_is_down_raises_and_is_not_given_up(step: Step, kind: str) -> None:
    async with Tokenizing([step]) as server:
        counter = ServedCounter(server.base_url, "m", timeout=0.3)
        with pytest.raises(ChatError, match=kind):
            await counter.acount_many(["one two"])
        assert counter.reason == ""
        assert await counter.acount_many(["one two"]) == [2]


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"model": " "}, "model must name"),
        ({"timeout": 0}, "timeout must be > 0"),
        ({"max_retries": -1}, "max_retries must be >= 0"),
        ({"base_url": "localhost"}, "base_url must be"),
    ],
)
def test_wrong_settings_of_a_served_counter(arguments: dict[str, Any], rule: str) -> None:
    with pytest.raises(InvalidInput, match=rule):
        ServedCounter(**{"base_url": "http://h/v1", "model": "m", **arguments})


# --- picking one


def test_a_name_or_settings_pick_the_counter(folder: Path) -> None:
    assert isinstance(counter_for("gpt-4o"), TiktokenCounter)
    assert isinstance(counter_for("cl100k"), TiktokenCounter)
    assert isinstance(counter_for("bytes"), CautiousCounter)
    assert isinstance(counter_for(load_config(chat="none")), CautiousCounter)
    found = counter_for(str(folder))
    assert isinstance(found, TokenizerCounter)
    assert found.count("the cat") == 2
    served = load_config(chat_url="http://127.0.0.1:9/v1", chat_model="m")
    assert isinstance(counter_for(served), ServedCounter)
    assert counter_for(served) is counter_for(served), "what it learnt about the server lasts"


@pytest.mark.parametrize("name", ["", " ", None, 7])
def test_what_is_no_name_is_refused(name: Any) -> None:
    with pytest.raises(InvalidInput, match="must be settings or a model's name"):
        counter_for(name)


def test_an_unknown_model_is_not_looked_for_on_the_network() -> None:
    with pytest.raises(ModelNotFound, match="owner/no-such-model"):
        counter_for("owner/no-such-model")


def test_a_model_that_is_not_pulled_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIRA_HOME", str(tmp_path))
    choose._named.cache_clear()  # another test may have counted with this model, where it was pulled
    with pytest.raises(ModelNotFound, match="lira models pull gemma3-270m"):
        counter_for("gemma3-270m")


def test_a_chat_object_counts_for_itself_or_names_its_counter(folder: Path) -> None:
    assert isinstance(counter_of(None), CautiousCounter)
    assert isinstance(counter_of(FakeChat(["-"])), CautiousCounter)
    own = counter_of(Words())
    assert (own.name, context_of(own)) == (Words().name, 2_000)
    assert context_of(counter_of(LocalChat(folder, name="tiny"))) == 512
    named = FakeChat(["-"])
    named.token_counter = CautiousCounter(99)  # type: ignore[attr-defined]
    assert counter_of(named) is named.token_counter  # type: ignore[attr-defined]
    named.token_counter = "words"  # type: ignore[attr-defined]
    with pytest.raises(InvalidInput, match="token_counter must be a TokenCounter"):
        counter_of(named)
    with pytest.raises(InvalidInput, match="has not"):
        ChatCounter(FakeChat(["-"]))


def test_a_served_chat_is_counted_by_its_server_only_if_it_is_the_configured_one() -> None:
    config = load_config(chat_url="http://127.0.0.1:9/v1", chat_model="m")
    assert isinstance(counter_of(OpenAIChat("http://127.0.0.1:9/v1", "m"), config), ServedCounter)
    assert isinstance(counter_of(OpenAIChat("http://127.0.0.1:9/v1", "other"), config), CautiousCounter)


# --- sizes


def counters(folder: Path) -> Sequence[TokenCounter]:
    return [TokenizerCounter(folder, name="tiny"), TiktokenCounter("o200k")]


def test_sizes_in_every_unit(folder: Path) -> None:
    size = size_of("hi", ["हिन्दी में!", "the cat"], counters(folder))
    assert (size.texts, size.characters, size.words) == (2, 18, 4)
    assert size.bytes == len("हिन्दी में!".encode()) + 7
    assert size.graphemes < size.characters
    assert size.unknown["tiny"] > 0 == size.unknown["o200k"]
    english = size_of("en", ["the cat sat", "a dog"], counters(folder))
    assert size.tax(english)["o200k"] == pytest.approx(size.tokens["o200k"] / english.tokens["o200k"])
    assert json.loads(json.dumps(size.to_dict()))["tokens_per_word"]["o200k"] == size.tokens["o200k"] / 4


def test_sizes_refuse_what_cannot_be_compared(folder: Path) -> None:
    one, two = size_of("en", ["a"], counters(folder)), size_of("en", ["a", "the"], counters(folder))
    with pytest.raises(InvalidInput, match="english must have 1 texts"):
        one.tax(two)
    with pytest.raises(InvalidInput, match="same tokenizers"):
        one.tax(size_of("en", ["a"], []))
    with pytest.raises(InvalidInput, match="at least one"):
        size_of("en", [], [])
    with pytest.raises(InvalidInput, match="different names"):
        size_of("en", ["a"], [CautiousCounter(), CautiousCounter()])
    with pytest.raises(InvalidInput, match="BCP-47"):
        size_of("klingonish", ["a"], [])
