"""Training the mapping of soft prompts, on a tiny language model and words as vectors."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lira_rag.arca.prompt_data import HELD_FROM, PROMPTS, Example, english_only, held_out, training_examples
from lira_rag.errors import ConfigError, InvalidInput
from lira_rag.lasr.frozen_llm import FrozenLLM
from lira_rag.modules.prompt_mapping import NAME, PromptMapping, load_mapping
from lira_rag.modules.saving import read_card, weights_hash
from lira_rag.testing import FakeEncoder
from lira_rag.training.prompt_features import cross_glosses, encode_examples
from lira_rag.training.prompt_run import train_prompt
from lira_rag.training.prompt_targets import PromptTargets
from lira_rag.training.prompt_warm import RIDGE, warm_start
from lira_rag.training.soft_prompt import PromptSettings, batch_loss
from tests.eval_data import WORDS, data_folder, foreign, sentences, write_lines
from tests.tiny_models import make_causal

SHORT = PromptSettings(translate=6, task=4, batch=4, save_every=2, most_tokens=8)


@pytest.fixture(scope="module")
def llm(tmp_path_factory: pytest.TempPathFactory) -> FrozenLLM:
    return FrozenLLM(make_causal(tmp_path_factory.mktemp("llm")), precision="float32")


def examples(count: int = 60) -> list[Example]:
    said = sentences(count, 0)
    rows = [Example(foreign(text), "ha", text, text, "english", "own") for text in said]
    return rows + [Example(foreign(text), "ha", text, text.split()[0], "article", "own") for text in said[:20]]


def encoder() -> FakeEncoder:
    return FakeEncoder(16, {f"za{word}": word for word in WORDS})


async def run(llm: FrozenLLM, out: Path, settings: PromptSettings = SHORT, seconds: float | None = None):  # type: ignore[no-untyped-def]
    return await train_prompt(examples(), encoder(), llm, out, bins=4, settings=settings, seconds=seconds)


async def test_only_the_mapping_is_trained_and_the_same_seed_gives_the_same(llm: FrozenLLM, tmp_path: Path) -> None:
    before = weights_hash(llm.network)
    for name in ("a", "b"):
        trained = await run(llm, tmp_path / name)
        assert (trained.finished, trained.steps) == (True, 10)
    assert weights_hash(llm.network) == before
    marks = {"encoder": encoder().fingerprint, "english": "", "llm": llm.fingerprint}
    (one, card), (two, _) = (load_mapping(tmp_path / name, **marks) for name in ("a", "b"))
    assert weights_hash(one) == weights_hash(two)
    assert card["languages"] == ["ha"]
    await run(llm, tmp_path / "c", replace(SHORT, seed=1))
    assert weights_hash(load_mapping(tmp_path / "c", **marks)[0]) != weights_hash(one)


async def test_stopped_again_and_again_it_ends_where_an_unbroken_run_does(llm: FrozenLLM, tmp_path: Path) -> None:
    await run(llm, tmp_path / "whole")
    calls = 0
    while not (trained := await run(llm, tmp_path / "parts", seconds=0)).finished:
        calls += 1
        assert trained.steps == calls
    assert calls == 9
    assert not (tmp_path / "parts.partial").exists()
    hashes = [read_card(tmp_path / name, NAME)["sha256"] for name in ("whole", "parts")]
    assert hashes[0] == hashes[1]


async def test_held_out_texts_are_told_better_from_their_own_rows(llm: FrozenLLM, tmp_path: Path) -> None:
    """Than from the rows of another text; a mapping that learned only how targets look would do as well with those."""
    settings = PromptSettings(warm=False, translate=80, task=0, batch=8, rate=5e-3, native_only=1.0, most_tokens=4)
    said = [Example(f"za{a} za{b}", "ha", f"{a} {b}", a, "english", "own") for a in WORDS[:6] for b in WORDS[10:30]]
    await train_prompt(said[::2], encoder(), llm, tmp_path / "m", bins=2, settings=settings)
    mapping, _ = load_mapping(tmp_path / "m", encoder=encoder().fingerprint, english="", llm=llm.fingerprint)
    held = said[1::2]
    features = await encode_examples(held, [""] * len(held), encoder(), encoder(), 2)
    targets, rows = PromptTargets(held, llm, 4), list(range(len(held)))
    other = features.take([(row + 17) % len(held) for row in rows])
    with torch.no_grad():
        own, exchanged = (
            float(batch_loss(rows, targets, one, mapping, llm, native_only=True)) for one in (features, other)
        )
    assert own < 0.97 * exchanged


async def test_the_loss_is_the_models_own_likelihood_of_the_target(llm: FrozenLLM) -> None:
    """Against transformers' loss of one example, over the tokens that occur."""
    rows = examples(3)[:3]
    torch.manual_seed(0)
    mapping = PromptMapping(16, 32, bins=4)
    features = await encode_examples(rows, ["", rows[1].english, ""], encoder(), encoder(), 4)
    targets = PromptTargets(rows, llm, 8)
    found = float(batch_loss([0, 1, 2], targets, features, mapping, llm).detach())
    expected = []
    for n, row in enumerate(rows):
        batch = features.take([n])
        soft, kept = mapping(batch.native, batch.native_counts, batch.english, batch.english_counts)
        said = llm.tokens(" " + row.target + "\n")[:8]
        ids = llm.tokens(PROMPTS["english"]) + said
        inputs = torch.cat([llm.embed(llm.start), soft[0][kept[0]], llm.embed(ids)])[None]
        with torch.no_grad():
            logits = llm.network(inputs_embeds=inputs).logits[0]
        known = sorted({token for one in rows for token in llm.tokens(" " + one.target + "\n")[:8]})
        behind = logits[-len(said) - 1 : -1, known].log_softmax(-1)
        chances = [float(behind[place, known.index(token)]) for place, token in enumerate(said)]
        expected.append(-sum(chances) / len(chances))
    assert found == pytest.approx(sum(expected) / 3, abs=1e-4)


def test_no_gloss_comes_from_a_lexicon_that_saw_the_text() -> None:
    """A word that occurs once cannot be translated by the other half; one that is in every text can."""
    rows = [
        Example(f"zafoo zax{n} zay{n}", "ha", f"foo x{n} y{n}", f"foo x{n} y{n}", "english", "own") for n in range(80)
    ]
    glosses = cross_glosses([*rows, *english_only(rows)])
    assert all("foo" in gloss for gloss in glosses[:80])
    assert not any(f"x{n} y{n}" in gloss for n, gloss in enumerate(glosses[:80]))
    assert glosses[80:] == [row.english for row in rows]


def test_held_out_lines_splits_and_languages_are_never_trained_on(tmp_path: Path) -> None:
    data = data_folder(tmp_path)
    lines = sentences(HELD_FROM + 30, 5)
    (data / "ntrex" / "eng.txt").write_text("\n".join(lines), encoding="utf-8")
    for code in ("hau", "swa"):
        (data / "ntrex" / f"{code}.txt").write_text("\n".join(map(foreign, lines)), encoding="utf-8")
    gold = [{"question_lang": foreign(q), "title": f"About {q}"} for q in sentences(20, 2)]
    write_lines(data / "afriqa" / "gold_passages.hau.dev.jsonl", list(gold))
    trained = {row.english for row in training_examples(data, without=["sw"])}
    assert {row.language for row in training_examples(data, without=["sw"])} == {"ha"}
    tested = held_out(data, "english")
    assert set(tested) == {"ha", "sw"}
    assert [row.english for row in tested["ha"]] == [row.english for row in tested["sw"]] == lines[HELD_FROM:]
    assert not trained & {row.english for row in tested["ha"]}
    articles = held_out(data, "article", limit=5)
    assert list(articles) == ["ha"]
    assert [row.target[:5] for row in articles["ha"]] == ["About"] * 5
    assert not trained & {row.english for row in articles["ha"]}
    with pytest.raises(InvalidInput, match="holds neither"):
        training_examples(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("change", "message"),
    [({"batch": 0}, "batch must be > 0"), ({"task": -1}, "task must be >= 0"), ({"native_only": 2}, "native_only")],
)
def test_settings_are_refused_by_name(change: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PromptSettings(**change)  # type: ignore[arg-type]


async def test_a_mapping_of_another_width_is_refused(llm: FrozenLLM, tmp_path: Path) -> None:
    class Vectors:
        dimension, fingerprint = 4, "v"
        encode: Callable[..., object] = None  # type: ignore[assignment]

        def count_tokens(self, text: str) -> int:
            return 0

    with pytest.raises(ConfigError, match="Vectors has no encode_tokens"):
        await train_prompt(examples(), Vectors(), llm, tmp_path / "m")  # type: ignore[arg-type]


async def test_the_warm_start_is_the_best_linear_map_to_the_binned_embeddings(llm: FrozenLLM) -> None:
    """Against numpy's least squares with the ridge as extra rows, and bins counted by hand."""
    rows = examples()[:60]
    features = await encode_examples(rows, [row.english for row in rows], encoder(), encoder(), 3)
    torch.manual_seed(1)
    mapping = PromptMapping(16, 32, bins=3)
    share = warm_start(rows, features, mapping, llm)
    table = llm.table().numpy()
    aims = []
    for row in rows:
        ids = np.array(llm.tokens(" " + row.english))
        places = ((np.arange(len(ids)) + 0.5) / len(ids) * 3).astype(int)
        aims.append(np.stack([table[ids[places == n]].mean(axis=0) for n in range(3)]))
    flat = features.native.float().numpy().reshape(-1, 16)
    wanted = np.stack(aims).reshape(-1, 32)
    inputs = (flat - flat.mean(0)) / flat.std(0, ddof=1)
    padded = np.concatenate([inputs, RIDGE**0.5 * np.eye(16)])
    centred = np.concatenate([wanted - wanted.mean(0), np.zeros((16, 32))])
    expected = inputs @ np.linalg.lstsq(padded, centred, rcond=None)[0] + wanted.mean(0)
    with torch.no_grad():
        found = mapping.map_rows(features.native.float()).numpy().reshape(-1, 32)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    left = ((expected - wanted) ** 2).sum() / ((wanted - wanted.mean(0)) ** 2).sum()
    assert share == pytest.approx(1 - left, abs=1e-3)
    assert 0.02 < share < 1
