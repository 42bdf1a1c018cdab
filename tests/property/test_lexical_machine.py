"""Any sequence of writes, deletes, searches and reopenings gives the scores of BM25 over what is there now."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lira_rag.stores import PassageIndex
from lira_rag.stores.verify import verify
from tests.stores_data import document, new_index

IDS = [f"d{n}" for n in range(8)]
WORDS = ["a", "b", "c", "rare", "हिन्दी", "~ก"]
PASSAGES = st.lists(st.lists(st.sampled_from(WORDS), max_size=6), max_size=4)


class LexicalMachine(RuleBasedStateMachine):
    """`model` maps passage ids to words; `reference` scores it by the formula, passage by passage."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.index = new_index(self.folder / "i")
        self.model: dict[str, list[str]] = {}
        self.version = 0

    @rule(documents=st.dictionaries(st.sampled_from(IDS), PASSAGES, min_size=1, max_size=4))
    def write(self, documents: dict[str, list[list[str]]]) -> None:
        self.version += 1
        items = [document(i, version=self.version, passages=len(w), words=w) for i, w in documents.items()]
        self.index.write(items)
        self.forget(documents)
        for item in items:
            self.model |= {p.id: list(w) for p, w in zip(item.passages, item.words, strict=True)}

    @rule(ids=st.sets(st.sampled_from(IDS), max_size=3))
    def delete(self, ids: set[str]) -> None:
        self.index.delete(sorted(ids))
        self.forget(ids)

    def forget(self, ids: object) -> None:
        self.model = {key: words for key, words in self.model.items() if key.split("#")[0] not in ids}  # type: ignore[operator]

    @rule(read_only=st.booleans())
    def reopen(self, read_only: bool) -> None:
        """As another process would: from what was saved, which may be old."""
        self.index.close()
        if read_only:
            with PassageIndex.open(self.folder / "i", read_only=True) as reader:
                self.compare(reader, ["a", "rare"], 50)
        self.index = PassageIndex.open(self.folder / "i")

    @rule(query=st.lists(st.sampled_from([*WORDS, "unknown"]), max_size=5), k=st.integers(1, 12))
    def search(self, query: list[str], k: int) -> None:
        self.compare(self.index, query, k)

    def compare(self, index: PassageIndex, query: list[str], k: int) -> None:
        expected = self.reference(query)
        found = index.lexical(query, k)
        assert len(found) == min(k, len(expected))
        assert [score for _, score in found] == pytest.approx(sorted(expected.values(), reverse=True)[:k], rel=1e-5)
        for id_, score in found:
            assert score == pytest.approx(expected[id_], rel=1e-5)
        assert found == sorted(found, key=lambda pair: (-pair[1], pair[0]))
        assert index.lexical_ceiling(query) >= max(expected.values(), default=0.0)

    def reference(self, query: list[str]) -> dict[str, float]:
        total = len(self.model)
        mean = sum(map(len, self.model.values())) / total if total else 0.0
        scores: dict[str, float] = {}
        for id_, words in self.model.items():
            score = 0.0
            for word in query:
                n = sum(word in other for other in self.model.values())
                tf = Counter(words)[word]
                idf = math.log(1 + (total - n + 0.5) / (n + 0.5))
                score += idf * tf / (tf + 1.5 * (0.25 + 0.75 * len(words) / mean)) if tf else 0.0
            if score:
                scores[id_] = score
        return scores

    @invariant()
    def few_files(self) -> None:
        assert len(list((self.folder / "i").glob("segment-*"))) <= 5
        assert not list((self.folder / "i").glob("*.tmp"))

    def teardown(self) -> None:
        if hasattr(self, "index"):
            self.index.close()
            assert verify(self.folder / "i").ok
            shutil.rmtree(self.folder)


def test_scores_are_those_of_what_is_there_now() -> None:
    run_state_machine_as_test(
        LexicalMachine,
        settings=settings(max_examples=40, stateful_step_count=20, deadline=None, derandomize=True),
    )
