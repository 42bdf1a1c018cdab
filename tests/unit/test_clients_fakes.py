"""The shipped stand-ins keep the contracts they stand in for."""

from __future__ import annotations

import subprocess
import sys

import httpx
import numpy as np
import pytest

from lira_rag.errors import ChatError, InvalidInput
from lira_rag.protocols import ChatModel, Message, TokenEncoder, Translator
from lira_rag.testing import EchoChat, FailingChat, FakeChat, FakeEncoder, FakeTranslator, FaultServer, SlowChat

ASK: list[Message] = [{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}]


async def test_fake_encoder_gives_finite_unit_rows_in_order() -> None:
    encoder = FakeEncoder(48)
    texts = ["red shoes", "", "!!", "แมววิ่ง", "red shoes"]
    rows = await encoder.encode(texts, "passage")
    assert isinstance(encoder, TokenEncoder)
    assert rows.shape == (5, 48)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(rows[0], rows[4])
    np.testing.assert_array_equal(rows[1:2], await encoder.encode([""], "query"))
    assert (await encoder.encode([], "query")).shape == (0, 48)


async def test_fake_encoder_puts_shared_words_and_aliases_near() -> None:
    encoder = FakeEncoder(64, aliases={"mbwa": "dog"})
    dog, puppy, shoe, mbwa = await encoder.encode(["dog food", "dog toys", "red shoes", "mbwa food"], "query")
    assert dog @ puppy > dog @ shoe + 0.2
    assert dog @ mbwa == pytest.approx(1.0, abs=1e-6)
    assert encoder.fingerprint != FakeEncoder(64).fingerprint


async def test_fake_encoder_pools_its_tokens() -> None:
    encoder = FakeEncoder(16)
    (tokens,) = await encoder.encode_tokens(["one two three"], "query")
    assert tokens.shape == (encoder.count_tokens("one two three"), 16)
    mean = tokens.mean(axis=0)
    np.testing.assert_allclose(
        mean / np.linalg.norm(mean), (await encoder.encode(["one two three"], "query"))[0], atol=1e-6
    )


def test_fake_encoder_is_the_same_in_every_process() -> None:
    code = """if True:
        import asyncio
        from lira_rag.testing import FakeEncoder
        print(asyncio.run(FakeEncoder(4).encode(["dog"], "query")).tolist())
    """
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, text=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


async def test_chats() -> None:
    fake = FakeChat(["a", ChatError("b"), lambda messages: messages[0]["content"]])
    assert await fake.chat(ASK) == "a"
    with pytest.raises(ChatError, match="b"):
        await fake.chat(ASK)
    assert [await fake.chat(ASK), await fake.chat(ASK)] == ["s", "s"]
    assert len(fake.calls) == 4
    assert await EchoChat().chat(ASK) == "hi"
    assert await SlowChat(0.01, "x").chat(ASK) == "x"
    with pytest.raises(ChatError) as caught:
        await FailingChat().chat(ASK)
    assert caught.value.retryable
    assert all(isinstance(chat, ChatModel) for chat in (fake, EchoChat(), SlowChat(0), FailingChat()))
    with pytest.raises(InvalidInput, match="at least one reply"):
        FakeChat([])


async def test_translator() -> None:
    translator = FakeTranslator({"mbwa": "dog", "paka": ["cat", "feline"]})
    assert isinstance(translator, Translator)
    assert [t.text for t in await translator.translate("paka", "sw")] == ["cat", "feline"]
    assert [(t.text, t.language) for t in await translator.translate("mbwa", "sw", "de")] == [("dog", "de")]
    assert await translator.translate("simba", "sw") == []
    assert translator.calls[0] == ("paka", "sw", "en")


async def test_fault_server_lists_models_and_knows_no_other_route() -> None:
    async with FaultServer(models=["m1"]) as server, httpx.AsyncClient(trust_env=False) as client:
        listed = await client.get(server.base_url + "/models")
        assert [model["id"] for model in listed.json()["data"]] == ["m1"]
        assert (await client.get(server.base_url + "/other")).status_code == 404


def test_the_stand_ins_import_no_test_framework() -> None:
    code = "import sys, lira_rag.testing; print({'pytest', 'unittest', 'torch', 'hypothesis'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert run.stdout.strip() == "set()"
