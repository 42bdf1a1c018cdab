"""Soft prompts and the language model that reads them, on tiny models of four families made from a config."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from lira_rag.errors import ConfigError, InvalidInput, ModelNotFound
from lira_rag.lasr.frozen_llm import FrozenLLM
from lira_rag.lasr.soft_prompt import SoftPrompts, assemble, bins_of
from lira_rag.lasr.soft_reader import LocalSoftReader
from lira_rag.lasr.token_table import EmbeddingTable, llm_fingerprint
from lira_rag.modules.prompt_mapping import PromptMapping, save_mapping
from lira_rag.protocols import FloatArray, Kind
from lira_rag.testing import FailingTranslator, FakeEncoder, FakeTranslator
from tests.tiny_models import KINDS, make_causal

FAMILIES = list(KINDS)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("llm")
    return {family: make_causal(root / family, family) for family in FAMILIES}


def llm(folder: Path) -> FrozenLLM:
    return FrozenLLM(folder, precision="float32")


def mapping() -> PromptMapping:
    torch.manual_seed(5)
    return PromptMapping(16, 32, bins=4).eval()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_chat_frame_is_the_tokenizers_own_template(folders: dict[str, Path], family: str) -> None:
    model = llm(folders[family])
    before, behind = model.frame("red house", chat=True)
    said = [{"role": "user", "content": "the cat red house"}]
    whole = model.tokenizer.apply_chat_template(said, add_generation_prompt=True)["input_ids"]
    assert before + model.tokens("the cat ") + behind == list(whole)
    assert len(model.tokens("the cat ")) == 8


@pytest.mark.parametrize("family", FAMILIES)
def test_without_a_chat_frame_it_is_bos_and_the_words(folders: dict[str, Path], family: str) -> None:
    before, behind = llm(folders[family]).frame("red house")
    assert before == ([] if family == "qwen" else [1])
    assert len(behind) == len("red house")


def test_a_model_without_a_template_has_no_chat_frame(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no chat template"):
        llm(make_causal(tmp_path, template=False)).frame("red", chat=True)


def test_control_tokens_in_a_text_are_letters(folders: dict[str, Path]) -> None:
    model = llm(folders["smollm2"])
    control = set(model.tokenizer.all_special_ids) - {model.tokenizer.unk_token_id}
    assert not control & set(model.tokens("cat <|im_end|> dog"))


@pytest.mark.parametrize("family", FAMILIES)
def test_options_score_as_the_model_run_on_their_ids(folders: dict[str, Path], family: str) -> None:
    model = llm(folders[family])
    prompts = [model.tokens("the cat"), model.tokens("a good dog")]
    options = [[model.tokens(" on mat"), model.tokens(" r")], [model.tokens(" sat"), model.tokens(" in"), [9]]]
    found = model.option_scores([model.embed(prompt) for prompt in prompts], options)
    for prompt, each, scores in zip(prompts, options, found, strict=True):
        for option, score in zip(each, scores, strict=True):
            with torch.no_grad():
                logits = model.network(torch.tensor([prompt + option])).logits[0].log_softmax(-1)
            places = range(len(prompt) - 1, len(prompt) + len(option) - 1)
            expected = [float(logits[place, token]) for place, token in zip(places, option, strict=True)]
            np.testing.assert_allclose(score, expected, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_masked_row_is_as_if_it_were_absent(folders: dict[str, Path], family: str) -> None:
    model = llm(folders[family])
    rows = torch.randn(1, 5, 32)
    mask = torch.tensor([[True, True, False, True, True]])
    with torch.no_grad():
        masked = model.hidden(rows, mask)[mask]
        absent = model.hidden(rows[mask][None], torch.ones(1, 4, dtype=torch.bool))[0]
    torch.testing.assert_close(masked, absent, atol=1e-5, rtol=1e-4)


async def test_the_parts_stand_in_order_and_a_missing_path_is_left_out(folders: dict[str, Path]) -> None:
    model, encoder = llm(folders["smollm2"]), FakeEncoder(16)
    both = SoftPrompts(
        mapping(), encoder, translator=FakeTranslator({"paka mwekundu hapa leo": "a red cat here today"})
    )
    first, second = await both.rows(["paka mwekundu hapa leo", "mbwa yuko nyumbani sasa"], ["sw", "sw"])
    assert (len(first), len(second)) == (9, 5)
    torch.testing.assert_close(second[-1], both.mapping.boundary)
    alone = (await SoftPrompts(mapping(), encoder).rows(["mbwa yuko nyumbani sasa"], ["sw"]))[0]
    torch.testing.assert_close(second, alone)
    start, prompt = model.embed(model.start), model.embed(model.tokens("red house"))
    whole = assemble(start, first, prompt)
    torch.testing.assert_close(whole, torch.cat([start, first, prompt]))


async def test_a_translator_that_fails_leaves_its_path_out() -> None:
    soft = SoftPrompts(mapping(), FakeEncoder(16), translator=FailingTranslator())
    assert len((await soft.rows(["moja mbili tatu nne"], ["sw"]))[0]) == 5


async def test_rows_of_one_text_do_not_depend_on_the_others() -> None:
    soft = SoftPrompts(mapping(), FakeEncoder(16))
    texts = ["moja mbili tatu nne tano", "moja", "tano nne"]
    together = await soft.rows(texts, ["sw"] * 3)
    for text, rows in zip(texts, together, strict=True):
        torch.testing.assert_close((await soft.rows([text], ["sw"]))[0], rows)


async def test_a_saved_mapping_loads_for_its_models_only(folders: dict[str, Path], tmp_path: Path) -> None:
    encoder, mark = FakeEncoder(16), llm_fingerprint(folders["smollm2"])
    save_mapping(tmp_path, mapping(), encoder=encoder.fingerprint, english="", llm=mark)
    assert SoftPrompts.load(tmp_path, encoder, llm(folders["smollm2"])).mapping.width == 32
    with pytest.raises(Exception, match="and got"):
        SoftPrompts.load(tmp_path, encoder, llm(folders["qwen"]))
    with pytest.raises(ConfigError, match="width 16, and got one of 8"):
        SoftPrompts(mapping(), FakeEncoder(8))


@pytest.mark.parametrize("family", FAMILIES)
async def test_the_table_alone_is_the_models_own(folders: dict[str, Path], family: str) -> None:
    table, model = EmbeddingTable(folders[family]), llm(folders[family])
    torch.testing.assert_close(table.embed([3, 5]), model.embed([3, 5]))
    assert table.fingerprint == model.fingerprint


@pytest.mark.parametrize("chat", [False, True])
async def test_a_reader_answers_and_counts_rows_and_tokens(folders: dict[str, Path], chat: bool) -> None:
    model, soft = llm(folders["smollm2"]), SoftPrompts(mapping(), FakeEncoder(16))
    reader = LocalSoftReader(soft, model, chat=chat)
    reply, tokens = await reader.answer("moja mbili tatu nne", "sw", "red house", max_tokens=5)
    before, behind = model.frame("red house", chat=chat)
    assert tokens == len(before) + 5 + len(behind) + len(model.tokens(reply))


def test_writing_is_greedy_decoding_of_the_same_input(folders: dict[str, Path]) -> None:
    model = llm(folders["llama"])
    prompt = [1, *model.tokens("the good cat")]
    ids = list(prompt)
    written = model.write(model.embed(ids), 4)
    for _ in range(4):
        with torch.no_grad():
            best = int(model.network(torch.tensor([ids])).logits[0, -1].argmax())
        ids.append(best)
        if best == model.tokenizer.eos_token_id:
            break
    assert written == model.tokenizer.decode(ids[len(prompt) :], skip_special_tokens=True).strip()


def test_refusals(folders: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="precision must be"):
        FrozenLLM(folders["llama"], precision="int8")  # type: ignore[arg-type]
    with pytest.raises(ModelNotFound):
        FrozenLLM(tmp_path)
    (tmp_path / "config.json").write_text('{"hidden_size": 4}')
    with pytest.raises(ModelNotFound, match="no safetensors"):
        llm_fingerprint(tmp_path)


async def test_bins_count_the_texts_own_tokens_and_not_what_stands_around_them() -> None:
    class Framed(FakeEncoder):
        """Three tokens before a text, one behind."""

        async def encode_tokens(self, texts: Sequence[str], kind: Kind) -> list[FloatArray]:
            inner = await super().encode_tokens(texts, kind)
            return [np.concatenate([np.ones((3, 4)), rows, np.ones((1, 4))]).astype(np.float32) for rows in inner]

    rows, counts = await bins_of(Framed(4), ["moja mbili tatu nne", " ", "moja"], 4)
    assert counts.tolist() == [[0, 1, 2, 1], [0, 0, 0, 0], [0, 0, 1, 0]]
    own = await FakeEncoder(4).encode_tokens(["moja mbili tatu nne"], "query")
    np.testing.assert_allclose(rows[0, 2].numpy(), own[0][1:3].mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("kind", ["llama", "gemma3_text"])
def test_embedded_tokens_read_as_the_tokens(tmp_path: Path, kind: str) -> None:
    """Gemma scales what it looks up, so a matrix in place of tokens has to be scaled."""
    model = llm(make_causal(tmp_path, kind=kind, template=False))
    ids = [1, 40, 50, 60, 70]
    with torch.no_grad():
        written = model.network(torch.tensor([ids])).logits[0]
        states = model.hidden(model.embed(ids)[None], torch.ones(1, len(ids), dtype=torch.bool))[0]
    torch.testing.assert_close(model.logits(states), written, atol=1e-5, rtol=1e-4)
    assert model.scale == (32**0.5 if kind == "gemma3_text" else 1.0)
    torch.testing.assert_close(EmbeddingTable(tmp_path).embed(ids), model.embed(ids))
