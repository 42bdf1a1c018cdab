"""Processes that write to an index and are ended on the way. Used by the crash tests.

``python -m tests.crash.store_writer run PATH STORE SEED COUNT SIZE`` does operations until it is killed, and says
after each that it is done. ``... steps FOLDER STORE`` runs one scenario again and again, each time ending itself
one step later, in ``FOLDER/<N>``.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from lira_rag.stores import PassageIndex
from tests.stores_data import document, new_index

State = dict[str, tuple[int, int]]
"""What an index should hold: document id → (version, number of passages)."""

Operation = tuple[str, State]
"""("write", documents) or ("delete", documents, whose versions do not matter)."""


def operations(seed: int, count: int, size: int) -> list[Operation]:
    """Appends, overwrites and deletes of 1 to 4 documents of about `size` passages."""
    rng = random.Random(seed)
    result: list[Operation] = []
    for version in range(1, count + 1):
        ids = rng.sample([f"doc{i}" for i in range(12)], rng.randint(1, 4))
        kind = "delete" if rng.random() < 0.25 else "write"
        result.append((kind, {id_: (version, rng.randint(1, 2 * size)) for id_ in ids}))
    return result


def after(state: State, operation: Operation) -> State:
    """The state that `operation` makes of `state`."""
    kind, documents = operation
    if kind == "write":
        return state | documents
    return {id_: version for id_, version in state.items() if id_ not in documents}


def perform(index: PassageIndex, operation: Operation) -> None:
    kind, documents = operation
    if kind == "write":
        index.write([document(id_, version=v, passages=n) for id_, (v, n) in documents.items()])
    else:
        index.delete(list(documents))


SCENARIO: list[Operation] = [
    ("write", {"a": (1, 3), "b": (1, 2), "c": (1, 1)}),
    ("write", {"a": (2, 2), "d": (2, 4)}),
    ("delete", {"b": (0, 0), "never": (0, 0)}),
    ("write", {"b": (4, 1), "c": (4, 0)}),
]


def scenario(path: Path, store: str, last_step: int) -> None:
    """All of SCENARIO with a search and a reopening, ended at step `last_step`; ``PATH.acks`` counts what was done."""
    left = last_step

    def step(name: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os._exit(9)

    acks = os.open(path.with_suffix(".acks"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    index = new_index(path, store, step=step)
    for number, operation in enumerate(SCENARIO):
        perform(index, operation)
        os.write(acks, b".")
        if number == 2:
            index.lexical(["word"], 3)
            index.close()
            index = PassageIndex.open(path, step=step)
    index.close()


def steps(folder: Path, store: str) -> None:
    """Each N in a forked child: Chroma is imported once, here, and opened only in children."""
    import chromadb
    import chromadb.errors  # noqa: F401

    for last_step in range(1, 100):
        child = os.fork()
        if child == 0:
            try:
                scenario(folder / str(last_step), store, last_step)
            except BaseException as error:
                sys.stderr.write(f"{last_step}: {error!r}\n")
                os._exit(1)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{last_step} {code}\n")
        sys.stdout.flush()
        if code != 9:
            return


def run(path: Path, store: str, seed: int, count: int, size: int) -> None:
    with PassageIndex.open(path) if path.exists() else new_index(path, store) as index:
        for number, operation in enumerate(operations(seed, count, size)):
            perform(index, operation)
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1] == "steps":
        steps(Path(sys.argv[2]), sys.argv[3])
    else:
        run(Path(sys.argv[2]), sys.argv[3], *(int(a) for a in sys.argv[4:7]))
