"""Killed at a random instant, and ended at every step: nothing acknowledged is lost, nothing is half there."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lira_rag.errors import IndexNotFound
from lira_rag.stores import PassageIndex
from lira_rag.stores.verify import verify
from tests.crash.store_writer import SCENARIO, State, after, operations, perform, scenario
from tests.stores_data import document, new_index

ROOT = Path(__file__).resolve().parents[2]
COUNT = 400


def check(index: PassageIndex, state: State) -> None:
    """The index holds exactly `state`: every document whole, found by vector and by word, and nothing twice."""
    assert index.known([*state, *(f"doc{i}" for i in range(12)), "a", "b", "c", "d"]) == {
        id_: f"v{version}" for id_, (version, _) in state.items()
    }
    expected = {f"{id_}#{10 * i}": f"{id_} v{v} p{i}" for id_, (v, n) in state.items() for i in range(n)}
    assert {id_: p.text for id_, p in index.passages([*expected, "never#0"]).items()} == expected
    assert index.stats().passages == len(expected)
    words = index.lexical(["word"], len(expected) + 50)
    assert sorted(id_ for id_, _ in words) == sorted(expected)
    for id_, (version, passages) in state.items():
        for i, vector in enumerate(document(id_, version=version, passages=passages).vectors[:3]):
            assert index.nearest(vector, 1)[0][0] == f"{id_}#{10 * i}"


def state_after(done: int, seed: int, size: int) -> State:
    state: State = {}
    for operation in operations(seed, COUNT, size)[:done]:
        state = after(state, operation)
    return state


def run_and_kill(path: Path, store: str, seed: int, size: int) -> int:
    """Start the writer, kill it at a random instant, and return how many operations it acknowledged."""
    command = [sys.executable, "-m", "tests.crash.store_writer", "run", path, store, str(seed), str(COUNT), str(size)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert child.stdout is not None
    first = child.stdout.readline()
    time.sleep(random.Random(seed).uniform(0, 0.4))
    child.kill()
    return len((first + child.communicate()[0]).split())


@pytest.mark.parametrize(
    ("store", "seed", "size"),
    [*(("memory", seed, 3) for seed in range(14)), *(("chroma", seed, 3) for seed in (100, 101)),
     *(("chroma", seed, 100) for seed in (200, 201))],
)  # fmt: skip
def test_killed_at_a_random_instant(tmp_path: Path, store: str, seed: int, size: int) -> None:
    path = tmp_path / "i"
    done = run_and_kill(path, store, seed, size)
    assert 0 < done < COUNT, "the writer was to be killed on the way"
    before, beyond = state_after(done, seed, size), state_after(done + 1, seed, size)
    with PassageIndex.open(path, fingerprint="f") as index:
        ids = [f"doc{i}" for i in range(12)]
        kept = index.known(ids) == {id_: f"v{version}" for id_, (version, _) in before.items()}
        check(index, before if kept else beyond)
        remaining = operations(seed, COUNT, size)[done : done + 3]  # again what was under way, and on
        for operation in remaining:
            perform(index, operation)
        check(index, state_after(done + 3, seed, size))
    report = verify(path)
    assert report.problems == ()
    assert report.vectors == report.passages


@pytest.mark.parametrize("store", ["memory", "chroma"])
def test_ended_after_every_step(tmp_path: Path, store: str) -> None:
    """As SQLite is tested: end at step 1, at step 2, … until the run completes."""
    command = [sys.executable, "-m", "tests.crash.store_writer", "steps", tmp_path, store]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    codes = [int(line.split()[1]) for line in done.stdout.splitlines()]
    assert codes[-1] == 0, done.stderr
    assert set(codes[:-1]) == {9}
    assert len(codes) > 15
    for last_step in range(1, len(codes) + 1):
        path = tmp_path / str(last_step)
        acknowledged = len(path.with_suffix(".acks").read_bytes())
        states: list[State] = [{}]
        for operation in SCENARIO:
            states.append(after(states[-1], operation))
        with PassageIndex.open(path) as index:
            known = index.known(["a", "b", "c", "d"])
            finished = acknowledged
            if known != {id_: f"v{version}" for id_, (version, _) in states[acknowledged].items()}:
                finished += 1
            check(index, states[finished])
            for operation in SCENARIO[acknowledged:]:
                perform(index, operation)
            check(index, states[-1])


def test_ended_before_the_first_transaction_there_is_no_index_and_it_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "i").mkdir()
    (tmp_path / "i" / "manifest.sqlite").touch()
    with pytest.raises(IndexNotFound):
        PassageIndex.open(tmp_path / "i")
    scenario(tmp_path / "i", "memory", 0)
    assert verify(tmp_path / "i").ok


def test_the_check_can_fail(tmp_path: Path) -> None:
    with new_index(None) as index:
        index.write([document("doc1", version=1, passages=2)])
        check(index, {"doc1": (1, 2)})
        for wrong in ({}, {"doc1": (2, 2)}, {"doc1": (1, 3)}, {"doc1": (1, 1)}, {"doc1": (1, 2), "doc2": (1, 1)}):
            with pytest.raises(AssertionError):
                check(index, wrong)
