"""Soft prompts whose rows lie where words lie: what is chosen, what is learned, and what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from lira_rag.arca.prompt_data import Example, context_sentences
from lira_rag.errors import ConfigError, FingerprintMismatch
from lira_rag.lasr.mappings import card_of, read_mapping
from lira_rag.lasr.soft_prompt import SoftPrompts
from lira_rag.lasr.token_table import TokenTable
from lira_rag.modules.tied_mapping import TiedMapping
from lira_rag.testing import FakeEncoder, FakeTranslator
from lira_rag.training.tied_prompt import TiedSettings, choosable
from lira_rag.training.tied_run import train_tied
from tests.eval_data import WORDS, data_folder, foreign, sentences

SEEN = WORDS[:40]
SETTINGS = TiedSettings(epochs=60, batch=32, rate=1e-2, rows=3, common=0.5)


class WordTable:
    """A language model's vocabulary: each word of `WORDS` with a space before it, and pieces without one."""

    width, fingerprint, scale = 24, "words", 1.0

    def __init__(self) -> None:
        self._written = ["<s>", "lo", "Ġ12", *(f"Ġ{word}" for word in WORDS)]
        self._ids = {text.removeprefix("Ġ"): n for n, text in enumerate(self._written)}
        self.tokenizer = self

    def __len__(self) -> int:
        return len(self._written)

    def convert_ids_to_tokens(self, ids: Sequence[int]) -> list[str]:
        return [self._written[n] for n in ids]

    def tokens(self, text: str) -> list[int]:
        return [self._ids[word] for word in text.split() if word in self._ids]

    def table(self) -> Tensor:
        return torch.randn(len(self), self.width, generator=torch.Generator().manual_seed(3))


def words() -> TokenTable:
    return cast(TokenTable, WordTable())


def encoder() -> FakeEncoder:
    return FakeEncoder(64, {f"za{word}": word for word in WORDS})


def examples(count: int = 200) -> list[Example]:
    said = [text for text in (_known(text) for text in sentences(count, 0)) if len(text.split()) > 2]
    return [Example(foreign(text), "ha", text, text, "english", "own") for text in said]


def _known(text: str) -> str:
    return " ".join(word for word in text.split() if word in SEEN)


def nearest(rows: Tensor) -> list[str]:
    """The word whose embedding each row is nearest to."""
    table = WordTable()
    return [table.convert_ids_to_tokens([int(n)])[0] for n in torch.cdist(rows, table.table()).argmin(dim=1)]


async def trained(folder: Path, settings: TiedSettings = SETTINGS) -> TiedMapping:
    await train_tied(examples(), encoder(), words(), folder, settings=settings)
    found = read_mapping(folder, encoder=encoder().fingerprint, english="", llm=words())
    assert isinstance(found, TiedMapping)
    return found


async def test_a_foreign_text_becomes_its_english_words_whatever_its_language(tmp_path: Path) -> None:
    soft = SoftPrompts(await trained(tmp_path), encoder())
    for asked in (SEEN[3:6], SEEN[30:33]):
        for text in (" ".join(asked), foreign(" ".join(asked))):
            rows = (await soft.rows([text], ["und"]))[0]
            assert set(nearest(rows)) == {f"Ġ{word}" for word in asked}


async def test_what_is_saved_is_for_its_models_and_the_same_seed_gives_the_same(tmp_path: Path) -> None:
    first, second = await trained(tmp_path / "a"), await trained(tmp_path / "b")
    assert card_of(tmp_path / "a")["sha256"] == card_of(tmp_path / "b")["sha256"]
    assert card_of(tmp_path / "a")["languages"] == ["ha"]
    torch.testing.assert_close(first.turn.weight, second.turn.weight, rtol=0, atol=0)
    with pytest.raises(FingerprintMismatch, match="and got"):
        read_mapping(tmp_path / "a", encoder="other", english="", llm=words())


async def test_paths_are_averaged_and_a_missing_one_does_not_count(tmp_path: Path) -> None:
    mapping = await trained(tmp_path)
    one, two = foreign(" ".join(SEEN[:3])), " ".join(SEEN[10:13])
    alone = await SoftPrompts(mapping, encoder()).rows([one], ["ha"])
    silent = await SoftPrompts(mapping, encoder(), translator=FakeTranslator({})).rows([one], ["ha"])
    torch.testing.assert_close(alone[0], silent[0])
    both = await SoftPrompts(mapping, encoder(), translator=FakeTranslator({one: [two]})).rows([one], ["ha"])
    chosen = {word.removeprefix("Ġ") for word in nearest(both[0])}
    assert chosen & set(SEEN[:3]) and chosen & set(SEEN[10:13])
    assert [len(rows) for rows in await SoftPrompts(mapping, encoder()).rows(["", one], ["ha", "ha"])] == [0, 3]


def test_the_surest_word_is_next_to_the_prompt_and_no_word_comes_twice() -> None:
    mapping = TiedMapping(4, 24, words=5, rows=3, temperature=0.01)
    mapping.take_words(torch.arange(5), torch.randn(5, 4, generator=torch.Generator().manual_seed(0)))
    mapping.bind(words().table())
    with torch.no_grad():
        mapping.scale.zero_()
        mapping.often.copy_(torch.tensor([0.0, 3.0, 1.0, 2.0, -1.0]))
    rows, kept = mapping(torch.zeros(1, 2, 4), torch.ones(1, 2))
    torch.testing.assert_close(rows[0], words().table()[[2, 3, 1]])
    assert kept.all()


def test_common_words_numbers_and_pieces_are_no_choice() -> None:
    rows = [Example("x", "ha", f"balo {word}", "", "english", "own") for word in WORDS[1:]]
    written = words().tokenizer.convert_ids_to_tokens(choosable(rows, words(), TiedSettings()))
    assert set(written) == {f"Ġ{word}" for word in WORDS} - {"Ġbalo"}


def test_contexts_of_the_train_split_only(tmp_path: Path) -> None:
    found = context_sentences(data_folder(tmp_path), range(3, 30))
    assert len(found) == 40
    assert all(row.language == "en" and row.text == row.english for row in found)


@pytest.mark.parametrize("wrong", [{"words": 0}, {"rows": 9}, {"temperature": 0.0}])
def test_sizes_are_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        TiedMapping(**{"dim": 4, "width": 8, "words": 8, **wrong})
