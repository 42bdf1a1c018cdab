"""All forward passes share one thread: same results from anywhere, errors come through, a fork gets its own."""

import os
import threading

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


def test_a_short_input_takes_one_core_and_the_callers_setting_stays() -> None:
    before = torch.get_num_threads()
    assert lane.run(torch.get_num_threads, 1, 2) == 1
    assert lane.run(torch.get_num_threads, lane.MANY_TOKENS, 2) == 2
    assert torch.get_num_threads() == before


def test_errors_come_through() -> None:
    with pytest.raises(ZeroDivisionError):
        lane.run(lambda: 1 // 0, 1, None)


def test_a_forked_child_gets_a_lane_of_its_own() -> None:
    lane.run(lambda: 1, 1, None)
    child = os.fork()
    if child == 0:
        os._exit(0 if lane._lane.submit(lambda: 42).result(timeout=20) == 42 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
