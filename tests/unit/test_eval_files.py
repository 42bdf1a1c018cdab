"""BEIR and STS files: figures against ir-measures and scipy, and refusals."""

import json
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from ir_measures import nDCG
from scipy.stats import spearmanr

from lira_rag.arca.vectors import VectorCache
from lira_rag.errors import InvalidInput
from lira_rag.evaluation.beir import graded_ndcg, read_beir
from lira_rag.evaluation.bench import Bench
from lira_rag.evaluation.checkpoint import read_translations
from lira_rag.evaluation.graded import graded_pairs
from lira_rag.evaluation.markdown import to_markdown
from lira_rag.evaluation.methods import own_methods
from lira_rag.evaluation.retrieval import run_retrieval
from lira_rag.evaluation.similarity import run_similarity
from lira_rag.evaluation.sts import correlations, read_sts
from lira_rag.testing import FakeEncoder
from tests.eval_data import data_folder


def beir(
    folder: Path, qrels: str = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t1\nq2\td3\t1\nq2\td9\t1\n"
) -> list[Path]:
    asked = [{"_id": "q1", "text": "red kettle price"}, {"_id": "q2", "text": "bei ya birika", "language": "sw"}]
    pages = [
        {"_id": "d1", "title": "Kettle", "text": "the red kettle price is 31"},
        {"_id": "d2", "text": "kettle colours are red and blue"},
        {"_id": "d3", "text": "birika bei 31"},
        {"_id": "d4", "text": "parcels to mombasa"},
    ]
    for name, rows in (("queries", asked), ("corpus", pages)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (folder / "qrels.tsv").write_text(qrels, encoding="utf-8")
    return [folder / "queries.jsonl", folder / "corpus.jsonl", folder / "qrels.tsv"]


def test_beirs_three_files_are_read(tmp_path: Path) -> None:
    found = read_beir(*beir(tmp_path))
    assert found.qrels == {"q1": {"d1": 2, "d2": 1}, "q2": {"d3": 1}}
    assert found.corpus["d1"] == "Kettle the red kettle price is 31"
    assert found.languages["q2"] == "sw"


def test_trecs_four_columns_are_read_too(tmp_path: Path) -> None:
    assert read_beir(*beir(tmp_path, "q1\t0\td1\t1\n")).qrels == {"q1": {"d1": 1}}


@pytest.mark.parametrize(
    ("qrels", "message"),
    [
        ("q1\td1\tgood\nq2\td3\tbad\n", "must be query, document, whole grade"),
        ("q7\td1\t1\n", "judges no query"),
        ("", "judges no"),
    ],
)
def test_judgements_that_cannot_be_used_are_refused(tmp_path: Path, qrels: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_beir(*beir(tmp_path, qrels))


def test_rows_without_a_text_are_refused(tmp_path: Path) -> None:
    files = beir(tmp_path)
    files[1].write_text('{"_id": "d1"}', encoding="utf-8")
    with pytest.raises(InvalidInput, match="line 1 must have '_id' and 'text'"):
        read_beir(*files)


@pytest.mark.parametrize("seed", range(5))
def test_graded_ndcg_is_trec_evals(seed: int) -> None:
    rng = np.random.default_rng(seed)
    keys = [f"d{n}" for n in range(25)]
    scores = rng.permuted(np.arange(25.0) * np.ones((3, 1)), axis=1).astype(np.float32)
    grades = [{key: int(rng.integers(1, 4)) for key in rng.choice(keys, 6, replace=False)} for _ in range(3)]
    qrels = [ir_measures.Qrel(str(n), key, grade) for n, own in enumerate(grades) for key, grade in own.items()]
    run = [ir_measures.ScoredDoc(str(n), key, float(scores[n, k])) for n in range(3) for k, key in enumerate(keys)]
    expected = ir_measures.calc_aggregate([nDCG @ 10], qrels, run)[nDCG @ 10]
    assert float(graded_ndcg(scores, keys, grades).mean()) == pytest.approx(expected, abs=1e-6)


def test_among_equal_scores_the_relevant_come_last() -> None:
    keys = [f"d{n}" for n in range(12)]
    assert graded_ndcg(np.zeros((1, 12), np.float32), keys, [{"d0": 1}]).tolist() == [0.0]


async def test_a_set_is_measured_by_language(tmp_path: Path) -> None:
    found = read_beir(*beir(tmp_path))
    rows = await run_retrieval(found, own_methods(), Bench(FakeEncoder(dimension=128), VectorCache()))
    assert set(rows["backbone"]["by_language"]) == set(found.languages.values())
    assert rows["backbone"]["mean"] > 80
    assert rows["backbone"]["n"] == 2
    assert rows["bm25"]["difference"]["mean"] == pytest.approx(
        rows["bm25"]["mean"] - rows["backbone"]["mean"], abs=0.02
    )
    assert rows["oracle"] == {"not_run": "no human translation"}


STS = "score\tsentence1\tsentence2\n5\tred kettle\tred kettle\n3\tred kettle\tred house\n0\tblue sea\tgreen hill\n"


@pytest.mark.parametrize("kind", ["tsv", "semrel"])
def test_similarity_files_of_both_kinds(tmp_path: Path, kind: str) -> None:
    if kind == "tsv":
        (tmp_path / "s.tsv").write_text(STS, encoding="utf-8")
        found = read_sts(tmp_path / "s.tsv")
    else:
        rows = ["Score,Text", *(f'{n},"one {n}\ntwo {n}"' for n in range(3))]
        (tmp_path / "s.csv").write_text("\n".join(rows), encoding="utf-8")
        found = read_sts(tmp_path / "s.csv")
        assert found.first == ("one 0", "one 1", "one 2")
    assert len(found.scores) == len(found.first) == len(found.second) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("score\ttext1\n" + "1\ta\n" * 3, "must have a column sentence2 or text2"),
        ("a\tb\n" + "1\t2\n" * 3, "must have a column score"),
        ("score\ttext1\ttext2\n" + "x\ta\tb\n" * 3, "must be a number"),
        ("score\ttext1\ttext2\n", "at least 3 pairs, but has 0"),
    ],
)
def test_wrong_similarity_files_are_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "s.tsv").write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInput, match=message):
        read_sts(tmp_path / "s.tsv")


def test_correlations_are_numpys_and_scipys() -> None:
    rng = np.random.default_rng(0)
    a, b, scores = rng.normal(size=(9, 4)), rng.normal(size=(9, 4)), rng.normal(size=9)
    found = correlations(a, b, scores)
    cosines = (a * b).sum(axis=1)
    assert found["pearson"] == pytest.approx(100 * np.corrcoef(cosines, scores)[0, 1], abs=0.01)
    assert found["spearman"] == pytest.approx(100 * spearmanr(cosines, scores).statistic, abs=0.01)


async def test_similarity_is_measured_or_said_to_be_missing(tmp_path: Path) -> None:
    bench = Bench(FakeEncoder(), VectorCache())
    assert "no tatoeba/" in (await run_similarity(tmp_path, bench))["backbone"]["not_run"]
    (tmp_path / "sts").mkdir()
    (tmp_path / "sts" / "swa.tsv").write_text(STS, encoding="utf-8")
    rows = await run_similarity(tmp_path, bench)
    assert rows["backbone"]["mean"] > 90
    assert rows["backbone"]["by_language"].keys() == {"swa"}
    assert not rows["backbone"]["made"]


async def test_without_sts_files_a_graded_set_is_made_and_said_to_be(tmp_path: Path) -> None:
    data_folder(tmp_path / "data")
    rows = await run_similarity(tmp_path / "data", Bench(FakeEncoder(), VectorCache()))
    assert rows["backbone"]["made"] and rows["backbone"]["n"] == 30 * 5
    assert "no person scored them" in to_markdown({"T6": rows})


def test_graded_pairs_lose_words_and_nothing_else() -> None:
    english = ["one two three four five six seven eight", "too short", "a b c d"]
    found = graded_pairs(["x", "y", "z"], english)
    assert found.first == ("x",) * 5 + ("z",) * 5
    assert found.scores.tolist() == [1.0, 0.75, 0.5, 0.25, 0.0] * 2
    assert [len(text.split()) for text in found.second[:4]] == [8, 6, 4, 2]
    assert found.second[4] == "a b c d" and found.second[9] == english[0]
    words = english[0].split()
    assert all([w for w in words if w in text.split()] == text.split() for text in found.second[:4])
    assert graded_pairs(["x"], english[:1], seed=1).second != found.second[:5]


def test_translations_made_offline_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"text": "a", "english": "b"}\n{"text": "a", "english": "c"}\n', encoding="utf-8")
    assert read_translations(path) == {"a": ("b", 1.0)}
    path.write_text('{"text": "a", "english": "b", "confidence": 0.25}', encoding="utf-8")
    assert read_translations(path) == {"a": ("b", 0.25)}
    path.write_text('{"text": "a", "english": "b", "confidence": 7}', encoding="utf-8")
    with pytest.raises(InvalidInput, match="confidence must be from 0 to 1, but got 7"):
        read_translations(path)
    path.write_text('{"text": "a"}', encoding="utf-8")
    with pytest.raises(InvalidInput, match="line 1 must have 'text' and 'english'"):
        read_translations(path)
