"""Any sequence of writes, deletes, searches and reopenings, against a dict and exact search."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lira_rag.errors import IndexLocked
from lira_rag.stores import IndexedDocument, PassageIndex
from lira_rag.stores.verify import verify
from tests.stores_data import DIMENSION, document, new_index, unit_rows

IDS = ["a", "b", "c#0", "it's", "' OR 1=1 --", "हिन्दी", "🐘", "d"]
QUERIES = unit_rows(4, 99)
SHARED = unit_rows(1, 5)[0]


@st.composite
def documents(draw: st.DrawFn) -> IndexedDocument:
    """Up to 4 passages; one in four documents has the same vector throughout, so that there are ties."""
    passages = draw(st.integers(0, 4))
    tied = draw(st.integers(0, 3)) == 0
    return document(
        draw(st.sampled_from(IDS)),
        passages=passages,
        version=draw(st.integers(0, 5)),
        language=draw(st.sampled_from(["en", "sw"])),
        metadata=draw(st.sampled_from([{}, {"n": 1}, {"n": 2.0}, {"n": "1"}, {"n": True}])),
        vectors=np.tile(SHARED, (passages, 1)).reshape(passages, DIMENSION) if tied else None,
    )


class IndexMachine(RuleBasedStateMachine):
    """`model` is what the index should hold."""

    store = "memory"

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.model: dict[str, IndexedDocument] = {}
        self.index = new_index(self.folder / "i", self.store)

    @rule(items=st.lists(documents(), min_size=1, max_size=3))
    def write(self, items: list[IndexedDocument]) -> None:
        self.index.write(items)
        self.model |= {item.document_id: item for item in items}

    @rule(ids=st.lists(st.sampled_from(IDS), max_size=3, unique=True))
    def delete(self, ids: list[str]) -> None:
        assert self.index.delete(ids) == len(self.model.keys() & set(ids))
        for id_ in ids:
            self.model.pop(id_, None)

    @rule(read_only=st.booleans())
    def reopen(self, read_only: bool) -> None:
        self.index.close()
        if read_only:
            with PassageIndex.open(self.folder / "i", read_only=True) as reader:
                self.compare(reader, QUERIES[0], 50, None)
        self.index = PassageIndex.open(self.folder / "i", fingerprint="f")

    @rule()
    def open_twice(self) -> None:
        with pytest.raises(IndexLocked):
            PassageIndex.open(self.folder / "i")

    @rule(query=st.sampled_from([*QUERIES, SHARED]), k=st.integers(1, 40))
    def search(self, query: np.ndarray, k: int) -> None:
        self.compare(self.index, query, k, None)

    @rule(
        query=st.sampled_from([*QUERIES, SHARED]),
        k=st.integers(1, 40),
        key_values=st.sampled_from(
            [("language", ["sw"]), ("n", [1]), ("n", [1.0, "1"]), ("n", [True]), ("document_id", ["a", "c#0"])]
        ),
    )
    def filtered(self, query: np.ndarray, k: int, key_values: tuple[str, list[object]]) -> None:
        if key_values[0] in self.index.metadata_keys():
            self.compare(self.index, query, k, key_values)

    @rule(version=st.integers(0, 5))
    def words(self, version: int) -> None:
        expected = {p.id for d in self.model.values() if d.digest == f"v{version}" for p in d.passages}
        assert {id_ for id_, _ in self.index.lexical([f"version{version}"], 100)} == expected

    def compare(
        self, index: PassageIndex, query: np.ndarray, k: int, key_values: tuple[str, list[object]] | None
    ) -> None:
        """Same passages, same order, same scores as exact search over the model."""
        scored = []
        for item in self.model.values():
            for passage, vector in zip(item.passages, item.vectors, strict=True):
                if key_values is None or self.passes(passage, *key_values):
                    scored.append((float(vector.astype(np.float64) @ query.astype(np.float64)), passage.id))
        expected = sorted(scored, key=lambda pair: (-round(pair[0], 6), pair[1]))[:k]
        where = None if key_values is None else {key_values[0]: key_values[1]}
        found = index.nearest(query, k, where)  # type: ignore[arg-type]
        assert [id_ for id_, _ in found] == [id_ for _, id_ in expected]
        np.testing.assert_allclose([s for _, s in found], [s for s, _ in expected], atol=1e-5)

    @staticmethod
    def passes(passage: object, key: str, values: list[object]) -> bool:
        facts = {**passage.metadata, "language": passage.language, "document_id": passage.document_id}  # type: ignore[attr-defined]
        if key not in facts:
            return False
        mine = facts[key]
        return any(mine == v and isinstance(mine, bool) == isinstance(v, bool) for v in values)

    @invariant()
    def holds_the_model(self) -> None:
        assert self.index.known(IDS) == {id_: item.digest for id_, item in self.model.items()}
        passages = {p.id: p for item in self.model.values() for p in item.passages}
        assert self.index.passages([*passages, "never#0"]) == passages
        stats = self.index.stats()
        assert (stats.documents, stats.passages) == (len(self.model), len(passages))
        assert self.index._store.count() == len(passages)

    def teardown(self) -> None:
        if hasattr(self, "index"):
            self.index.close()
            if self.store == "memory":  # with Chroma it starts a process: the crash tests do that
                report = verify(self.folder / "i")
                assert report.ok
                assert report.notes == ()  # nothing of old versions stays behind
            shutil.rmtree(self.folder)


class ChromaMachine(IndexMachine):
    store = "chroma"


def test_index_in_memory_store() -> None:
    run_state_machine_as_test(
        IndexMachine,
        settings=settings(max_examples=30, stateful_step_count=20, deadline=None, derandomize=True),
    )


def test_index_in_chroma() -> None:
    run_state_machine_as_test(
        ChromaMachine,
        settings=settings(
            max_examples=8,
            stateful_step_count=15,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
