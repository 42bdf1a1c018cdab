"""Multiple choice through soft prompts: items, scores, tables, and the command on tiny models."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lira_rag.arca.prompt_data import HELD_FROM, Example
from lira_rag.cli import eval as evaluate
from lira_rag.cli import train
from lira_rag.errors import FingerprintMismatch, InvalidInput
from lira_rag.evaluation.soft_choice import ChoiceItem, Measured, Scorer, answer_items, make_items
from lira_rag.evaluation.soft_choice_run import choice_tables, run_choices
from lira_rag.lasr.frozen_llm import FrozenLLM
from lira_rag.lasr.soft_prompt import SoftPrompts
from lira_rag.modules.prompt_mapping import PromptMapping
from lira_rag.testing import FakeEncoder
from tests.eval_data import data_folder, foreign, sentences
from tests.tiny_models import make_causal, make_model, sentence_files


@pytest.fixture(scope="module")
def llm(tmp_path_factory: pytest.TempPathFactory) -> FrozenLLM:
    return FrozenLLM(make_causal(tmp_path_factory.mktemp("llm")), precision="float32")


def example(text: str, language: str = "ha") -> Example:
    return Example(foreign(text), language, text, text, "english", "own")


def test_the_same_target_has_the_same_options_in_every_language() -> None:
    said = sentences(12, 0)
    ha, sw = (make_items([example(text, tag) for text in said]) for tag in ("ha", "sw"))
    assert [item.options for item in ha] == [item.options for item in sw]
    assert all(item.options[item.gold] == item.example.target for item in ha)
    assert all(len(set(item.options)) == 4 for item in ha)
    assert {item.gold for item in ha} == {0, 1, 2, 3}
    with pytest.raises(InvalidInput, match="as many distinct targets, but got 3"):
        make_items([example(text) for text in said[:3]])


def test_a_score_is_what_the_text_adds_to_each_token(llm: FrozenLLM) -> None:
    """Against the model run on plain ids, with and without the text."""
    import torch

    item = ChoiceItem(example("red cat"), ("red", "tea", "sun on", "mat"), 2)
    scorer = Scorer(llm)

    def mean(text: str, option: str) -> float:
        ids, said = [1, *llm.tokens(f"{text}\nIn English:")], llm.tokens(f" {option}")
        with torch.no_grad():
            chances = llm.network(torch.tensor([ids + said])).logits[0].log_softmax(-1)
        return float(np.mean([float(chances[len(ids) + n - 1, token]) for n, token in enumerate(said)]))

    scores = [mean("sun", option) - mean("", option) for option in item.options]
    expected = float(all(scores[2] > score for n, score in enumerate(scores) if n != 2))
    assert scorer.right([item], [scorer.text("sun", item.example)]).tolist() == [expected]


def test_a_tie_counts_as_wrong(llm: FrozenLLM) -> None:
    item, scorer = ChoiceItem(example("red cat"), ("red", "red", "red", "red"), 1), Scorer(llm)
    assert scorer.right([item], [scorer.text("sun", item.example)]).tolist() == [0.0]


async def test_shuffled_rows_are_another_items_and_paths_are_told_apart(llm: FrozenLLM, tmp_path: Path) -> None:
    items = make_items([example(text) for text in sentences(8, 1)])
    soft = SoftPrompts(PromptMapping(16, 32, bins=3).eval(), FakeEncoder(16))
    found = await answer_items(items, Scorer(llm), soft)
    assert set(found) == {"native text", "english text", "soft", "soft, shuffled"}  # there is no translator
    assert all(len(row.right) == 8 for row in found.values())
    held = {"ha": [item.example for item in items]}
    again, whole = await run_choices(held, Scorer(llm), soft, None, state=tmp_path)
    assert whole
    kept, _ = await run_choices(held, Scorer(llm), soft, None, state=tmp_path, until=lambda: True)
    for name, row in found.items():
        np.testing.assert_array_equal(row.right, again["ha"][name].right)
        np.testing.assert_array_equal(row.right, kept["ha"][name].right)
    assert (await run_choices(held, Scorer(llm), soft, None, until=lambda: True))[1] is False


def test_tables_pair_items_and_keep_unseen_languages_apart() -> None:
    def row(*right: int) -> Measured:
        return Measured(np.array(right, dtype=np.float32), 10.0, 1.0)

    found = {
        "sw": {"native text": row(0, 0, 1, 0), "soft": row(1, 0, 1, 1)},
        "km": {"native text": row(1, 0, 0, 0), "soft": row(0, 0, 0, 0)},
    }
    lines = choice_tables("english", found, ["sw"])
    text = "\n".join(lines)
    seen, unseen = text.split("languages never trained on")
    assert "| native text | 4 | 25.0 |" in seen and "+50.0 (" in seen
    assert "| native text | 4 | 25.0 |" in unseen and "-25.0 (" in unseen
    assert "| prompt | sw | km (unseen) |" in text


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny encoder, a tiny language model, and a data folder with held-out lines."""
    folder = tmp_path_factory.mktemp("prompt")
    make_model(folder / "encoder")
    sentence_files(folder / "encoder")
    make_causal(folder / "llm")
    make_causal(folder / "other", "qwen")
    data_folder(folder / "data")
    lines = sentences(HELD_FROM + 8, 5)
    (folder / "data" / "ntrex" / "eng.txt").write_text("\n".join(lines), encoding="utf-8")
    for code in ("hau", "swa"):
        (folder / "data" / "ntrex" / f"{code}.txt").write_text("\n".join(map(foreign, lines)), encoding="utf-8")
    return folder


def test_train_and_eval_by_command(place: Path, tmp_path: Path) -> None:
    common = ["--data", place / "data", "--encoder", place / "encoder", "--llm", place / "llm", "--json"]
    arguments = ["prompt", "--out", tmp_path / "m", "--without", "sw", "--limit", 20, "--cache", tmp_path / "c"]
    arguments += ["--translate", 3, "--task", 1, "--batch", 2, *common]
    stopped = call(train.app, *arguments, "--seconds", 0)
    assert (stopped.exit_code, json.loads(stopped.stdout)["steps"]) == (1, 1)
    made = call(train.app, *arguments)
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["steps"] == 4
    asked = ["prompt", tmp_path / "m", "--tasks", "english", "--limit", 6, "--to", tmp_path / "t.md", *common]
    found = json.loads(call(evaluate.app, *asked).stdout)["english"]
    assert set(found) == {"ha", "sw"}
    assert found["ha"]["soft"]["n"] == 6
    assert "gloss text" in found["ha"] and "gloss text" not in found["sw"]
    text = (tmp_path / "t.md").read_text()
    assert "sw (unseen)" in text and "trained on ha" in text
    refused = call(evaluate.app, *[place / "other" if a == place / "llm" else a for a in asked])
    assert isinstance(refused.exception, FingerprintMismatch)


def call(app: object, *arguments: object) -> object:
    return CliRunner().invoke(app, [str(a) for a in arguments])  # type: ignore[arg-type]
