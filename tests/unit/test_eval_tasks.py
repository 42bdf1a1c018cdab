"""The evaluation harness on made-up data: blocks, ties, methods, figures, costs, Markdown."""

import json
from pathlib import Path

import bm25s
import ir_measures
import numpy as np
import pytest
from ir_measures import nDCG
from scipy.stats import bootstrap

from lira_rag.arca.maps import AnchorMaps
from lira_rag.arca.parallel import read_folder
from lira_rag.arca.vectors import VectorCache
from lira_rag.errors import InvalidInput
from lira_rag.evaluation.baselines import baselines, select
from lira_rag.evaluation.bench import Bench
from lira_rag.evaluation.blocks import TASKS, Block, read_task
from lira_rag.evaluation.intervals import macro_interval
from lira_rag.evaluation.markdown import to_markdown
from lira_rag.evaluation.methods import own_methods
from lira_rag.evaluation.tables import measure, run_task
from lira_rag.evaluation.words import WordSearch
from lira_rag.functional.ranking import gold_ranks, ndcg_of_ranks, recall_of_ranks
from lira_rag.testing import FakeEncoder
from lira_rag.text.degrade import RUNGS, degrade
from lira_rag.text.lexical import lexical_words
from lira_rag.training.arca import train_maps
from lira_rag.training.settings import MapSettings
from tests.eval_data import WORDS, data_folder, foreign


def encoder() -> FakeEncoder:
    """Knows two fifths of the made-up language's words, as a multilingual encoder knows some."""
    return FakeEncoder(64, {foreign(word): word for word in WORDS[: 2 * len(WORDS) // 5]})


async def bench(folder: Path, **changes: object) -> Bench:
    pairs = read_folder(folder)
    settings = MapSettings(buckets=1024, rank=32, sentence_rank=32)
    trained = await train_maps(pairs, encoder(), folder / "checkpoint", settings=settings)
    return Bench(encoder(), VectorCache(), trained.maps, pairs, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(5))
def test_ranks_give_trec_evals_ndcg(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.permuted(np.arange(30.0) * np.ones((4, 1)), axis=1).astype(np.float32)
    gold = rng.integers(30, size=4)
    qrels = [ir_measures.Qrel(str(n), str(key), 1) for n, key in enumerate(gold)]
    run = [ir_measures.ScoredDoc(str(n), str(k), float(scores[n, k])) for n in range(4) for k in range(30)]
    expected = ir_measures.calc_aggregate([nDCG @ 10], qrels, run)[nDCG @ 10]
    assert float(ndcg_of_ranks(gold_ranks(scores, gold)).mean()) == pytest.approx(expected, abs=1e-6)


def test_ties_count_against_us() -> None:
    same = np.zeros((1, 50), np.float32)
    assert gold_ranks(same, np.array([0])).tolist() == [50]
    near = np.array([[0.5, 0.5 + 1e-8, 0.4]], np.float32)
    assert gold_ranks(near, np.array([1])).tolist() == [2]
    assert gold_ranks(np.array([[np.nan, 0.9]], np.float32), np.array([1])).tolist() == [2]
    assert recall_of_ranks(np.array([5, 6]), 5).tolist() == [1, 0]


def test_the_interval_over_languages_is_scipys() -> None:
    rng = np.random.default_rng(0)
    samples = [rng.normal(size=40).astype(np.float32), rng.normal(size=10).astype(np.float32)]
    low, high = macro_interval(samples)
    made = bootstrap(
        tuple(s.astype(float) for s in samples),
        lambda a, b, axis=-1: (a.mean(axis=axis) + b.mean(axis=axis)) / 2,
        n_resamples=2000,
        method="percentile",
        batch=200,
        rng=0,
    ).confidence_interval
    assert (low, high) == pytest.approx((made.low, made.high))
    assert macro_interval([np.ones(5, np.float32)]) == (1.0, 1.0)


def test_words_are_bm25s(tmp_path: Path) -> None:
    pool = ["the river bank was red", "a red house", "the dog sat by the river", ""]
    words = [lexical_words(text) for text in pool]
    reference = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    reference.index([w or ["nothing"] for w in words], show_progress=False)
    search = WordSearch(pool)
    expected = reference.get_scores(lexical_words("red river"))
    assert np.argsort(-search.scores("red river"))[0] == np.argmax(expected)
    assert search.coverage("zzz qqq").max() == 0
    assert 0 < search.coverage("red zzz").max() < search.coverage("red").max() <= 1


def test_words_have_lucenes_scores() -> None:
    pool = ["red river", "red house", "blue house by a river"]
    reference = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    reference.index([lexical_words(text) for text in pool], show_progress=False)
    np.testing.assert_allclose(
        WordSearch(pool).scores("red river"), reference.get_scores(lexical_words("red river")), rtol=1e-5
    )


def test_every_rung_is_worse_in_its_own_way() -> None:
    texts = [f"who was the king of place number {n} in the year {n}" for n in range(20)]
    made = {rung: degrade(texts, rung, 1) for rung in RUNGS}
    assert made["human"] == tuple(texts)
    assert made["none"] == ("",) * 20
    shares = [sum(len(t.split()) for t in made[rung]) / (12 * 20) for rung in ("drop15", "drop40")]
    assert 0.75 < shares[0] < 0.95
    assert 0.5 < shares[1] < 0.7
    assert all(sorted(a.split()) == sorted(b.split()) and a != b for a, b in zip(texts, made["shuffled"], strict=True))
    assert set(made["wrong-sentence"]) == set(texts)
    assert all(a != b for a, b in zip(texts, made["wrong-sentence"], strict=True))
    assert all(not any("a" <= c <= "z" for c in text) for text in made["wrong-script"])
    assert made["drop15"] == degrade(texts, "drop15", 1) != degrade(texts, "drop15", 2)
    with pytest.raises(InvalidInput, match="rung must be one of human"):
        degrade(texts, "awful")


def test_blocks_of_each_task(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "data")
    found = {task: read_task(task, folder) for task in TASKS}
    (matching,) = found["T1"]
    assert (matching.language, len(matching.queries), matching.k, matching.pool_kind) == ("ha", 30, 1, "query")
    (answering,) = found["T2"]
    assert (len(answering.queries), len(answering.pool)) == (20, 60)
    assert all(q.replace("za", "") in answering.pool[g] for q, g in zip(answering.queries, answering.gold, strict=True))
    (mixed,) = found["T3"]
    assert mixed.mixed
    assert (len(mixed.pool), mixed.pool_languages.count("ha")) == (180, 120)
    assert [block.name for block in found["T4"]] == [f"hau/{rung}" for rung in RUNGS]
    assert {block.name for block in found["T5"]} == {"eng/hau", "own/hau", "own-questions/hau"}
    assert read_task("T1", tmp_path) == []
    with pytest.raises(InvalidInput, match="task must be one of T1"):
        read_task("T9", folder)


async def test_figures_of_all_methods(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "data")
    tested = await bench(folder)
    rows = await run_task(read_task("T2", folder), [*own_methods(), *baselines()], tested)
    assert rows["oracle"]["mean"] > rows["backbone"]["mean"] + 20
    assert rows["lira-adaptor-only"]["difference"]["low"] > 0
    assert rows["translate-then-embed"] == {"not_run": "no translations were given"}
    for name, row in rows.items():
        if "not_run" in row:
            continue
        assert 0 <= row["low"] <= row["mean"] <= row["high"] <= 100, name
        assert row["n"] == 20
        assert list(row["by_language"]) == ["hau"]
        assert row["cost"]["seconds"] >= 0
        assert row["cost"]["peak_megabytes"] > 10
    assert "difference" not in rows["backbone"]
    json.dumps(rows, allow_nan=False)
    text = to_markdown({"T2": rows}, ["encoder: fake"])
    assert "| oracle |" in text
    assert "- not run: translate-then-embed: no translations were given" in text


async def test_translations_take_part_and_are_counted(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "data")
    (block,) = read_task("T2", folder)
    tested = await bench(folder, translations={q: (e, 1.0) for q, e in zip(block.queries, block.english, strict=True)})
    rows = await run_task([block], own_methods(), tested)
    assert rows["translate-then-embed"]["mean"] == pytest.approx(rows["oracle"]["mean"])
    assert rows["lira"]["mean"] >= rows["lira without translation"]["mean"]
    assert rows["translate-then-embed"]["cost"]["translated"] == 20
    assert rows["backbone"]["cost"]["translated"] == 0


async def test_a_wrong_translation_is_not_believed(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "data")
    tested = await bench(folder)
    rungs = {block.name.split("/")[1]: block for block in read_task("T4", folder)}
    rows = await run_task([rungs["wrong-sentence"]], own_methods(), tested)
    assert rows["translate-then-embed"]["mean"] < 10
    assert rows["lira without words"]["mean"] > rows["lira-adaptor-only"]["mean"] - 20
    assert rows["lira without words"]["mean"] > rows["mean of two paths"]["mean"]
    none = await run_task([rungs["none"]], own_methods(), tested)
    assert none["lira without words"]["mean"] == pytest.approx(none["lira-adaptor-only"]["mean"], abs=1e-3)


async def test_a_mixed_pool_reports_the_share_of_the_own_language(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "data")
    rows = await run_task(read_task("T3", folder), own_methods(), await bench(folder))
    assert 0 <= rows["lira"]["own_language_share_at_10"] <= 100
    assert rows["lira"]["own_language_share_at_10"] < rows["backbone"]["own_language_share_at_10"]


async def test_without_a_checkpoint_the_adaptor_is_not_run(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "data")
    tested = Bench(encoder(), VectorCache())
    rows = await run_task(read_task("T2", folder), [*own_methods(), *baselines()], tested)
    assert rows["lira-adaptor-only"] == {"not_run": "no checkpoint"}
    assert rows["SHIFT"]["mean"] == rows["backbone"]["mean"]


async def test_english_questions_are_left_as_they_are(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "data")
    english = [block for block in read_task("T5", folder) if block.language == "en"]
    rows = await run_task(english, own_methods(), await bench(folder))
    assert rows["lira-adaptor-only"]["difference"] == {"mean": 0.0, "low": 0.0, "high": 0.0}


def test_methods_are_chosen_by_name() -> None:
    chosen = [method.name for method in select([*own_methods(), *baselines()], ["lira", "LIR"])]
    assert chosen == ["backbone", "lira", "LIR"]
    with pytest.raises(InvalidInput, match="got 'magic'"):
        select(own_methods(), ["magic"])


def test_accuracy_is_ndcg_at_one() -> None:
    block = Block("T1", "x", "sw", ("a", "b"), ("c", "d"), np.array([0, 1]), ("en", "en"), k=1)
    found = measure(np.array([[0.9, 0.1], [0.9, 0.1]], np.float32), block)
    assert found.main.tolist() == [1.0, 0.0]
    assert found.foreign is None


def test_half_of_a_text_finds_the_whole_in_its_own_language(tmp_path: Path) -> None:
    (own,) = [block for block in read_task("T5", data_folder(tmp_path / "data")) if block.name == "own/hau"]
    words = set(own.queries[0].split())
    assert len(words) == 3
    assert words <= set(own.pool[0].split())
    assert foreign("alo") == "zaalo"


async def test_maps_are_loaded_from_the_checkpoint(tmp_path: Path) -> None:
    folder = data_folder(tmp_path / "data")
    tested = await bench(folder)
    again = AnchorMaps.load(folder / "checkpoint", encoder().fingerprint)
    assert tested.maps is not None
    assert again.maps.keys() == tested.maps.maps.keys() == {"ha"}
