"""All forward passes share one thread: same results from anywhere, errors come through, a fork gets its own."""

import os
import threading
from pathlib import Path

import pytest
import torch

from lira_rag.encoders import lane


def test_everything_runs_in_one_thread_without_gradients() -> None:
    seen: set[tuple[str, bool]] = set()

    def note() -> None:
        seen.add((threading.current_thread().name, torch.is_inference_mode_enabled()))

    threads = [threading.Thread(target=lambda: lane.run(note, 1, None)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lane.run(note, 10_000, 2)
    assert seen == {("lira-encoder_0", True)}


@pytest.fixture
def four_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of a machine of four cores that tell how busy it is: one thread of this process runs, one sleeps."""
    for name, state in (("1", "R"), ("2", "S")):
        (tmp_path / "task" / name).mkdir(parents=True)
        (tmp_path / "task" / name / "stat").write_text(f"{name} (a (strange) name) {state} 0 1")
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(lane, "LOAD", tmp_path / "loadavg")
    monkeypatch.setattr(lane, "OWN", tmp_path / "task")
    return tmp_path


def test_a_short_input_takes_one_core_and_the_callers_setting_stays(four_cores: Path) -> None:
    before = torch.get_num_threads()
    assert lane.run(torch.get_num_threads, 1, 2) == 1
    assert lane.run(torch.get_num_threads, lane.MANY_TOKENS, 2) == 2
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("told", "threads"),
    [
        ("0.52 0.58 0.59 1/467 4711\n", 3),  # only the thread that asks
        ("0.52 0.58 0.59 3/467 4711\n", 2),
        ("0.52 0.58 0.59 4/467 4711\n", 1),
        ("0.52 0.58 0.59 40/467 4711\n", 1),
        ("0.00 0.00 0.00 0/0 0\n", 3),  # as some sandboxes say
        ("nothing of the kind", 3),
    ],
)
def test_a_long_input_takes_only_cores_that_are_free(four_cores: Path, told: str, threads: int) -> None:
    (four_cores / "loadavg").write_text(told)
    assert lane.run(torch.get_num_threads, lane.MANY_TOKENS, 3) == threads


def test_threads_of_this_process_count_as_free(four_cores: Path) -> None:
    (four_cores / "task" / "2" / "stat").write_text("2 (store) R 0 1")
    (four_cores / "task" / "3").mkdir()  # a thread that ended while it was looked at
    (four_cores / "loadavg").write_text("0.52 0.58 0.59 3/467 4711\n")
    assert lane.run(torch.get_num_threads, lane.MANY_TOKENS, 3) == 3


def test_errors_come_through() -> None:
    with pytest.raises(ZeroDivisionError):
        lane.run(lambda: 1 // 0, 1, None)


def test_a_forked_child_gets_a_lane_of_its_own() -> None:
    lane.run(lambda: 1, 1, None)
    child = os.fork()
    if child == 0:
        os._exit(0 if lane._lane.submit(lambda: 42).result(timeout=20) == 42 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
