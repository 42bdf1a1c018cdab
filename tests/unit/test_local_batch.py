"""Many conversations at once: the same replies as one by one, whatever else is in the batch."""

from pathlib import Path
from typing import Any

import pytest

from lira_rag.clients import local_batch
from lira_rag.clients.local_batch import BatchChat, _batches
from lira_rag.errors import InvalidInput, ModelNotFound
from tests.tiny_models import make_base_chat

ASKED = ["word1 word2", "word3", "word4 word5 word6 word7 word8 word9", "word10 word1"]


def conversations() -> list[Any]:
    return [[{"role": "user", "content": text}] for text in ASKED]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("base")
    make_base_chat(place, num_hidden_layers=2)
    return place


async def test_the_greedy_line_is_what_transformers_writes(folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    chat = BatchChat(folder, name="base", precision="float32")
    found = await chat.lines(conversations(), count=2, max_tokens=7)
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    for messages, lines in zip(conversations(), found, strict=True):
        prompt = chat._prompt(messages)
        with torch.inference_mode():
            whole = model.generate(**prompt, max_new_tokens=7, do_sample=False)
        written = whole[0, prompt["input_ids"].shape[1] :]
        assert lines[0] == chat._load_tokenizer().decode(written, skip_special_tokens=True).strip()


async def test_draws_depend_on_the_seed_alone(folder: Path) -> None:
    chat = BatchChat(folder, name="base", precision="float32")
    settings = {"count": 3, "max_tokens": 6, "temperature": 2.0}
    first = await chat.lines(conversations(), seed=1, **settings)
    assert [len(lines) for lines in first] == [4] * 4
    assert first == await chat.lines(conversations(), seed=1, **settings)
    assert first != await chat.lines(conversations(), seed=2, **settings)
    assert any(len(set(lines[1:])) > 1 for lines in first)


async def test_a_reply_ends_at_its_line(folder: Path) -> None:
    """The tiny model has no line break: one of the words it writes plays one."""
    chat = BatchChat(folder, name="base", precision="float32")
    drawn = {"count": 3, "max_tokens": 8, "temperature": 3.0}
    whole = [text.split() for lines in await chat.lines(conversations(), **drawn) for text in lines]
    stop = next(word for words in whole for place, word in enumerate(words) if place and word not in words[:place])
    chat._breaks = frozenset([chat._load_tokenizer().convert_tokens_to_ids(stop)])
    seen: list[tuple[int, int]] = []
    cut = await chat.lines(conversations(), **drawn, progress=lambda *done: seen.append(done))
    assert all(stop not in text.split() for lines in cut for text in lines)
    assert min(len(text.split()) for lines in cut for text in lines) < 8
    assert seen[-1] == (4, 4)


def test_batches_are_of_similar_length_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_batch, "BATCH_TOKENS", 20)
    lengths = [9, 2, 30, 3, 2, 10]
    batches = _batches(lengths)
    assert sorted(row for batch in batches for row in batch) == list(range(6))
    assert batches == [[1, 4, 3], [0, 5], [2]]


@pytest.mark.parametrize("wrong", [{"count": 0}, {"count": 1, "max_tokens": 0}, {"count": 1, "temperature": 0.0}])
async def test_bad_values_are_named(folder: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="must be > 0"):
        await BatchChat(folder, name="base").lines(conversations(), **wrong)
    with pytest.raises(ModelNotFound):
        await BatchChat(folder / "none", name="base").lines(conversations(), count=1)
