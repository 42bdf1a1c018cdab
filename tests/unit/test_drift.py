"""The query log and what `lira drift` makes of it; the stability index against scipy and by simulation."""

from __future__ import annotations

import json
import logging
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2, entropy
from typer.testing import CliRunner

from lira_rag import Document, Lira
from lira_rag.cli.app import app
from lira_rag.errors import ConfigError, InvalidInput
from lira_rag.functional.stability import chance_stability, quantile_counts, stability_index
from lira_rag.reports.drift import Entry, drift, read_log
from lira_rag.testing import FailingTranslator, FakeEncoder, FakeTranslator

START = datetime(2026, 11, 2, tzinfo=UTC)  # a Monday


def test_the_index_is_the_sum_of_both_divergences() -> None:
    before, now = np.array([40, 30, 20, 10]), np.array([10, 25, 25, 40])
    p, q = (before + 0.5) / (before + 0.5).sum(), (now + 0.5) / (now + 0.5).sum()
    assert stability_index(before, now) == pytest.approx(entropy(p, q) + entropy(q, p))
    assert stability_index(before, before * 7) == pytest.approx(0.0, abs=1e-3)
    assert stability_index([100, 0], [50, 50]) > 0.25


@pytest.mark.parametrize(("before", "now"), [([1, 2], [1]), ([0, 0], [1, 1]), ([1, -1], [1, 1])])
def test_the_index_wants_two_histograms(before: list[int], now: list[int]) -> None:
    with pytest.raises(InvalidInput, match="two histograms"):
        stability_index(before, now)


@pytest.mark.parametrize("bins", [2, 5, 30])
def test_chance_is_the_quantile_of_chi_squared(bins: int) -> None:
    expected = chi2.ppf(0.99, bins - 1) * (1 / 200 + 1 / 50)
    assert chance_stability(bins, 200, 50) == pytest.approx(expected, rel=0.05)
    assert chance_stability(1, 200, 50) == 0.0


def test_without_a_change_the_index_seldom_passes_chance() -> None:
    generator, shares = np.random.default_rng(7), [0.5, 0.3, 0.15, 0.05]
    pairs = [(generator.multinomial(400, shares), generator.multinomial(100, shares)) for _ in range(500)]
    over = [stability_index(a, b) > chance_stability(4, 400, 100) for a, b in pairs]
    assert np.mean(over) < 0.03


def test_quantile_bins_hold_equal_shares_of_the_first_sample() -> None:
    before, now = quantile_counts(list(np.linspace(0, 1, 1000)), [0.05, 0.95, 2.0, -1.0])
    assert set(before) == {100}
    assert (now[0], now[-1]) == (2, 2)
    assert quantile_counts([1.0] * 50, [1.0] * 9 + [0.5]) == ([0, 50], [1, 9])


def entries(day: int, languages: dict[str, int], anchoring: float | None = 0.4) -> list[Entry]:
    generator = np.random.default_rng(day)
    return [
        Entry(
            START + timedelta(days=day, seconds=n),
            tag,
            0.8,
            None if anchoring is None else anchoring + 0.05 * generator.standard_normal(),
            missing=False,
        )
        for tag, count in languages.items()
        for n in range(count)
    ]


def test_a_new_language_and_worse_anchors_are_seen_on_their_day() -> None:
    usual = {"en": 60, "sw": 40}
    log = [*entries(0, usual), *entries(1, usual), *entries(2, usual), *entries(3, {**usual, "yo": 60}, 0.5)]
    found = drift(log, reference=150)
    assert [period.reference for period in found.periods] == [True, True, False, False]
    steady, changed = found.periods[2].shifts, found.periods[3].shifts
    assert [steady[name].verdict for name in ("languages", "anchoring", "relevance")] == ["steady"] * 3
    assert [changed[name].verdict for name in ("languages", "anchoring", "relevance")] == [
        "shifted",
        "shifted",
        "steady",
    ]
    assert found.periods[3].languages == {"en": 37.5, "yo": 37.5, "sw": 25.0}
    assert found.shifted[0].startswith("2026-11-05: languages (")


def test_few_questions_are_shown_and_not_judged() -> None:
    found = drift([*entries(0, {"en": 200}), *entries(1, {"yo": 20}, None)])
    assert found.periods[1].shifts["languages"].verdict == ""
    assert found.periods[1].shifts["anchoring"].index is None
    assert found.shifted == []


def test_periods_are_hours_days_or_weeks() -> None:
    log = [*entries(0, {"en": 10}), *entries(6, {"en": 10}), *entries(7, {"en": 10})]
    assert [period.start for period in drift(log, "week").periods] == ["2026-11-02", "2026-11-09"]
    assert drift(log, "hour").periods[0].start == "2026-11-02 00:00"
    assert len(drift(log, "hour").periods) == len(drift(log, "day").periods) == 3
    with pytest.raises(InvalidInput, match="every must be"):
        drift(log, "year")  # type: ignore[arg-type]


def test_searches_are_logged_without_their_text(tmp_path: Path) -> None:
    log = tmp_path / "queries.jsonl"
    with Lira.create(None, encoder=FakeEncoder(), chat="none", translator=FailingTranslator(), query_log=log) as lira:
        lira.add([Document("the canaryword kettle", id="kettle")])
        lira.search("where is the canaryword kettle please")
        lira.ask("Kifurushi cha canaryword huchukua siku ngapi kufika?")
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert [row["language"] for row in rows] == ["en", "sw"]
    assert "canaryword" not in log.read_text()
    assert rows[1]["missing"] == ["translated: failed"]
    assert rows[0]["hits"] == 1
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert len(read_log(log)[0]) == 2


def test_the_anchoring_error_is_logged_where_there_is_a_translation(tmp_path: Path) -> None:
    log, question = tmp_path / "queries.jsonl", "birika liko wapi"
    translator = FakeTranslator({question: "where is the kettle"})
    with Lira.create(None, encoder=FakeEncoder(), chat="none", translator=translator, query_log=log) as lira:
        lira.add([Document("the kettle is here", id="kettle")])
        found = lira.explain(question)
    assert found.anchoring is not None
    assert found.anchoring.error is not None
    assert read_log(log)[0][0].anchoring == pytest.approx(found.anchoring.error, abs=1e-4)


def test_no_log_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Lira.create(None, encoder=FakeEncoder(), chat="none") as lira:
        lira.add(["a kettle"])
        lira.search("kettle")
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_cannot_be_written_never_fails_a_search(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Lira.create(None, encoder=FakeEncoder(), chat="none", query_log=tmp_path) as lira:  # a folder
        lira.add(["a kettle"])
        with caplog.at_level(logging.WARNING, "lira_rag"):
            assert len(lira.search("kettle")) == len(lira.search("kettle")) == 1
    assert [record.getMessage().split(": ")[-1] for record in caplog.records] == ["IsADirectoryError"]


def test_a_log_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="query_log"):
        Lira.create(None, encoder=FakeEncoder(), chat="none", query_log=tmp_path / "no" / "log")


def written(path: Path, log: list[Entry], tail: str = "") -> Path:
    rows = [
        {"time": e.time.isoformat(), "language": e.language, "relevance": e.relevance, "anchoring": e.anchoring}
        for e in log
    ]
    path.write_text("".join(json.dumps({**row, "missing": []}) + "\n" for row in rows) + tail, encoding="utf-8")
    return path


def test_half_a_line_is_counted_and_left_out(tmp_path: Path) -> None:
    found, unread = read_log(written(tmp_path / "log", entries(0, {"en": 3}), tail='{"time": "2026-1'))
    assert (len(found), unread) == (3, 1)


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("hello\n[1]\n{}\n")
    with pytest.raises(InvalidInput, match="holds no search"):
        read_log(tmp_path / "log")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_log(tmp_path / "none")


def test_the_command_shows_periods_and_fails_on_a_shift(tmp_path: Path) -> None:
    log = written(tmp_path / "log", [*entries(0, {"en": 250}), *entries(1, {"en": 50, "yo": 50})])
    done = CliRunner().invoke(app, ["drift", str(log)], env={"COLUMNS": "100"})
    assert done.exit_code == 0, done.output
    assert "yo 50" in done.stdout
    assert "ref" in done.stdout
    failing = CliRunner().invoke(app, ["drift", str(log), "--fail-on-shift", "--json"])
    assert failing.exit_code == 3
    assert json.loads(failing.stdout)["shifted"][0].startswith("2026-11-03: languages")
