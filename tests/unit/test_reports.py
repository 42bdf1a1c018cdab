"""Reports by language: figures against independent formulas, golden files on a seeded toy set, safe HTML, limits."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lira_rag import Document, Lira
from lira_rag.errors import DeadlineExceeded, InvalidInput
from lira_rag.evaluation.intervals import macro_interval
from lira_rag.functional.calibration import expected_calibration_error, reliability
from lira_rag.reports import Asked, Report, evaluate, figures, read_questions
from lira_rag.reports.gate import Limit, failures, parse_limits
from lira_rag.reports.measure import Found, Measured
from lira_rag.schema import SearchResult
from lira_rag.testing import FakeEncoder

GOLDEN = Path(__file__).parents[1] / "data" / "report"
ANIMALS = {"cat": "paka", "dog": "mbwa", "cow": "ngombe", "fish": "samaki", "bird": "ndege", "goat": "mbuzi"}


def document(number: int, animal: str, language: str) -> Document:
    word = ANIMALS[animal] if language == "sw" else animal
    return Document(f"{word} number{number} lives here", id=f"{animal}-{language}", language=language)


@cache
def toy() -> Report:
    """Six animals in English and three of them in Swahili; the encoder knows four of the six Swahili words."""
    known = {sw: en for en, sw in list(ANIMALS.items())[:4]}
    pages = [document(n, animal, "en") for n, animal in enumerate(ANIMALS)]
    pages += [document(n, animal, "sw") for n, animal in enumerate(list(ANIMALS)[3:], 10)]
    pages += [Document(f"filler{n} text{n} about nothing{n}", id=f"filler-{n}", language="en") for n in range(60)]
    questions = []
    for animal, swahili in ANIMALS.items():
        gold = {f"{animal}-en": 2, **({f"{animal}-sw": 1} if animal in list(ANIMALS)[3:] else {})}
        english = "<b>zebra</b> | where" if animal == "goat" else animal
        questions += [Asked(animal, english, "en", gold), Asked(animal, swahili, "sw", gold)]
    with Lira.create(None, encoder=FakeEncoder(aliases=known), chat="none", store="memory") as lira:
        lira.add(pages)
        return evaluate(lira, questions, k=3)


@pytest.mark.parametrize("kind", ["md", "html", "json"])
def test_the_toy_report_is_the_golden_file(kind: str) -> None:
    texts = {"md": toy().to_markdown(), "html": toy().to_html(plots=False), "json": toy().to_json()}
    assert texts[kind] == (GOLDEN / f"toy.{kind}").read_text(encoding="utf-8")


def test_json_says_the_same_as_the_report() -> None:
    found = json.loads(toy().to_json())
    assert found["languages"]["en"]["ndcg"]["mean"] == toy().languages["en"].ndcg.mean
    assert {(row["question"], row["document"]) for row in found["matrix"]} == set(toy().matrix)


def test_html_escapes_what_came_from_outside_and_asks_for_no_network() -> None:
    page = toy().to_html()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert set(re.findall(r'src="([^"]{23})', page)) == {"data:image/svg+xml;base"}
    assert not re.search(r"https?://", re.sub(r"base64,[^\"]+", "", page))
    assert 'dir="auto" lang="sw"' in page


def test_markdown_escapes_pipes_and_tags() -> None:
    line = next(line for line in toy().to_markdown().splitlines() if "&lt;b&gt;" in line)
    assert "\\| where" in line


def test_a_notebook_shows_a_fragment_with_plots() -> None:
    shown = toy()._repr_html_()
    assert "<html" not in shown
    assert shown.count("<img") == (4 if toy().calibration else 3)


def test_the_same_report_gives_the_same_bytes() -> None:
    assert toy().to_html() == toy().to_html()


def measured(language: str, key: str, ranking: list[str], relevant: dict[str, int], relevance: float = 0.5) -> Measured:
    """A ranking of documents named by language and number, such as ``en-1``."""
    found = tuple(Found(name, name[:2], relevance) for name in ranking)
    return Measured(Asked(key, "?", language, relevant), {name: name[:2] for name in relevant}, found, ())


def test_a_cell_of_the_matrix_takes_out_relevant_documents_of_other_languages() -> None:
    one = measured("sw", "a", ["en-1", "xx-7", "sw-1"], {"en-1": 1, "sw-1": 1})
    cells = figures.matrix([one], k=10)
    assert cells["sw", "en"].ndcg.mean == 100.0
    assert cells["sw", "sw"].ndcg.mean == pytest.approx(100 / np.log2(3), abs=0.05)  # second, behind the wrong one
    assert (cells["sw", "sw"].hit1.mean, cells["sw", "sw"].recall.mean) == (0.0, 100.0)
    assert one.scores(10)[0] == pytest.approx((1 + 1 / 2) / (1 + 1 / np.log2(3)))


def test_recall_is_of_the_first_k() -> None:
    one = measured("sw", "a", ["en-1", "xx-7", "en-2"], {"en-1": 1, "en-2": 1})
    assert [one.scores(k)[1] for k in (1, 2, 3)] == [0.5, 0.5, 1.0]


def test_gaps_are_to_the_best_language_and_paired_when_the_questions_are_the_same() -> None:
    good, bad = ["en-1"], ["xx-1", "en-1"]
    rows = [measured("en", str(n), good if n % 2 else bad, {"en-1": 1}) for n in range(10)]
    same = [measured("sw", str(n), bad if n % 2 else ["xx-1", "xx-2", "en-1"], {"en-1": 1}) for n in range(10)]
    other = [measured("yo", f"y{n}", bad if n % 2 else ["xx-1", "xx-2", "en-1"], {"en-1": 1}) for n in range(10)]
    gaps = figures.gaps([*rows, *same, *other], k=10)
    second, third = 1 / np.log2(3), 1 / 2
    expected = 100 * np.mean([1 - second, second - third])
    assert set(gaps) == {"sw", "yo"}
    assert gaps["sw"].mean == gaps["yo"].mean == pytest.approx(expected, abs=0.06)
    assert gaps["sw"].high - gaps["sw"].low < gaps["yo"].high - gaps["yo"].low
    assert gaps["yo"].low < expected < gaps["yo"].high


def test_exposure_discounts_by_rank() -> None:
    ranked = measured("sw", "a", ["en-1", "sw-2"], {"sw-2": 1})
    found = figures.exposure([ranked], k=10)["sw"]
    first, second = 1.0, 1 / np.log2(3)
    assert found.shown == {
        "en": pytest.approx(100 * first / (first + second), abs=0.06),
        "sw": pytest.approx(100 * second / (first + second), abs=0.06),
    }
    assert found.relevant == {"sw": 100.0}
    assert figures.exposure([ranked], k=1)["sw"].shown == {"en": 100.0}


def test_calibration_is_of_the_first_document() -> None:
    rows = [measured("sw", str(n), ["en-1"] if n < 7 else ["xx-1"], {"en-1": 1}, relevance=0.85) for n in range(10)]
    found = figures.calibration(rows)
    assert found is not None
    expected = expected_calibration_error(reliability([0.85] * 10, [1] * 7 + [0] * 3))
    assert (found.n, found.ece) == (10, pytest.approx(100 * expected, abs=0.06))
    assert found.ece == pytest.approx(15.0)


def test_a_language_with_one_question_still_counts_in_the_mean_and_its_interval() -> None:
    many, one = np.array([0.0, 1.0] * 20, dtype=np.float32), np.array([1.0], dtype=np.float32)
    low, high = macro_interval([many, one])
    assert low < 0.75 < high


def questions_file(folder: Path, *rows: object) -> Path:
    path = folder / "questions.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_a_questions_file_is_read(tmp_path: Path) -> None:
    path = questions_file(
        tmp_path,
        {"question": "How long is the warranty of a kettle?", "relevant": ["w"]},
        {"question": "warranty", "relevant": {"w": 2, "x": 1}, "language": "SWH", "id": "q"},
        {"question": "warranty", "relevant": "w", "language": "yo", "id": "q"},
    )
    first, second, third = read_questions(path)
    assert (first.id, first.language, first.relevant) == ("1", "en", {"w": 1})
    assert (second.id, second.language, second.relevant) == ("q", "sw", {"w": 2, "x": 1})
    assert third.relevant == {"w": 1}


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"relevant": ["w"]}, "line 1 must have a 'question'"),
        ({"question": " ", "relevant": ["w"]}, "line 1 must have a 'question'"),
        ({"question": "q"}, "'relevant' must list"),
        ({"question": "q", "relevant": []}, "'relevant' must list"),
        ({"question": "q", "relevant": {"w": 0}}, "'relevant' must list"),
        ({"question": "q", "relevant": {"w": True}}, "'relevant' must list"),
        ({"question": "q", "relevant": [1]}, "'relevant' must list"),
        ({"question": "q", "relevant": ["w"], "language": "klingonese"}, "BCP-47"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, row: object, rule: str) -> None:
    with pytest.raises(InvalidInput, match=rule):
        read_questions(questions_file(tmp_path, row))


def test_an_id_may_come_once_in_a_language(tmp_path: Path) -> None:
    row = {"question": "q", "relevant": ["w"], "language": "sw", "id": "a"}
    with pytest.raises(InvalidInput, match="comes twice"):
        read_questions(questions_file(tmp_path, row, row))


def test_a_relevant_document_that_is_not_there_is_refused() -> None:
    with Lira.create(None, encoder=FakeEncoder(), chat="none") as lira:
        lira.add([Document("a cat", id="cat")])
        with pytest.raises(InvalidInput, match="1 of 2 relevant documents are not in the index, the first is 'dog'"):
            evaluate(lira, [Asked("1", "cat", "en", {"cat": 1, "dog": 1})])


def test_documents_of_many_passages_do_not_hide_the_others() -> None:
    with Lira.create(None, encoder=FakeEncoder(), chat="none", chunk_tokens=9, chunk_overlap=0) as lira:
        lira.add([Document("\n\n".join(f"cat cat cat one{n} two{n} three{n}." for n in range(60)), id="long")])
        lira.add([Document("a cat and a mouse sat", id="short")])
        report = evaluate(lira, [Asked("1", "cat", "en", {"short": 1})], k=2)
    assert report.languages["en"].recall.mean == 100.0


class _Late(Lira):
    """The second search is not ready in time; the first one loads the models."""

    calls = 0

    async def asearch(self, query: str, k: int = 5, **settings: Any) -> SearchResult:
        self.calls += 1
        if self.calls == 2:
            raise DeadlineExceeded("no leg was ready after 10 s", retryable=True)
        return await super().asearch(query, k, **settings)


def test_a_search_that_is_late_has_found_nothing_and_does_not_end_the_report() -> None:
    with _Late.create(None, encoder=FakeEncoder(), chat="none") as lira:
        lira.add([Document("a cat", id="cat")])
        report = evaluate(lira, [Asked("1", "cat", "en", {"cat": 1}), Asked("2", "a cat", "en", {"cat": 1})])
    assert report.languages["en"].hit1.mean == 50.0
    assert [(missed.id, missed.first) for missed in report.missed] == [("1", "")]
    assert report.degraded == {"search: nothing was ready in time": 1}


def test_limits_are_read_and_kept() -> None:
    assert parse_limits(["40", "mean=50", "SWH=1.5"]) == [Limit("every", 40), Limit("mean", 50), Limit("sw", 1.5)]
    best, worst = max(r.ndcg.mean for r in toy().languages.values()), min(r.ndcg.mean for r in toy().languages.values())
    assert failures(toy(), parse_limits([str(worst), f"mean={worst}"])) == []
    assert len(failures(toy(), parse_limits([str(best), f"mean={best}", f"{toy().best}={best}"]))) == 2


@pytest.mark.parametrize("text", ["", "x", "101", "-1", "nan", "sw=", "klingonese=4"])
def test_a_wrong_limit_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_limits([text])


def test_a_limit_on_a_language_nobody_asked_in_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no question is in that language"):
        failures(toy(), parse_limits(["th=10"]))
