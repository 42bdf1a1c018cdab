"""One contract for every vector store: exact in memory, Chroma in this process, Chroma over HTTP."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from lira_rag.errors import EncoderContractError, FingerprintMismatch, IndexClosed, InvalidInput
from lira_rag.protocols import FloatArray, VectorStore
from lira_rag.stores.chroma import ChromaStore, slug
from lira_rag.stores.memory import MemoryStore
from tests.stores_data import DIMENSION, ChromaServer, unit_rows

_names = (f"contract {n}" for n in itertools.count())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    running = ChromaServer(tmp_path_factory.mktemp("server"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chroma")


@pytest.fixture(params=["memory", "chroma", "chroma-http"])
def make(request: pytest.FixtureRequest) -> Callable[..., VectorStore]:
    """Makes an empty store; a name given twice opens the same one."""
    kind = request.param

    def build(name: str | None = None, dimension: int = DIMENSION, fingerprint: str = "f") -> VectorStore:
        name = name or next(_names)
        if kind == "memory":
            return MemoryStore(dimension)
        if kind == "chroma":
            where: Path = request.getfixturevalue("folder")
            return ChromaStore(name, dimension, folder=where, fingerprint=fingerprint)
        running: ChromaServer = request.getfixturevalue("server")
        return ChromaStore(name, dimension, url=running.url, fingerprint=fingerprint)

    return build


@pytest.fixture
def store(make: Callable[..., VectorStore]) -> Iterator[VectorStore]:
    made = make()
    yield made
    made.close()


def fill(store: VectorStore, n: int, seed: int = 0) -> FloatArray:
    vectors = unit_rows(n, seed)
    metadatas = [{"parity": "even" if i % 2 == 0 else "odd", "number": i, "big": i >= n // 2} for i in range(n)]
    store.upsert([f"id{i:05d}" for i in range(n)], vectors, metadatas)
    return vectors


def test_is_a_vector_store(store: VectorStore) -> None:
    assert isinstance(store, VectorStore)


def test_an_empty_store_finds_nothing(store: VectorStore) -> None:
    assert store.count() == 0
    assert list(store.ids()) == []
    assert store.query(unit_rows(1, 0)[0], 3) == []
    assert store.query(unit_rows(1, 0)[0], 3, {"language": "en"}) == []


def test_finds_the_nearest_by_cosine(store: VectorStore) -> None:
    vectors = fill(store, 60)
    for query in unit_rows(20, 1):
        cosines = vectors.astype(np.float64) @ query.astype(np.float64)
        expected = [f"id{i:05d}" for i in np.argsort(-cosines)[:5]]
        found = store.query(query, 5)
        assert [id_ for id_, _ in found] == expected
        np.testing.assert_allclose([s for _, s in found], np.sort(cosines)[::-1][:5], atol=1e-5)


def test_the_length_of_the_query_does_not_matter(store: VectorStore) -> None:
    fill(store, 30)
    query = unit_rows(1, 4)[0]
    short, long = store.query(query, 3), store.query(query * 40, 3)
    assert [i for i, _ in short] == [i for i, _ in long]
    np.testing.assert_allclose([s for _, s in short], [s for _, s in long], atol=1e-6)


def test_more_wanted_than_there_are(store: VectorStore) -> None:
    fill(store, 4)
    assert len(store.query(unit_rows(1, 0)[0], 100)) == 4


def test_ties_are_in_the_order_of_ids(store: VectorStore) -> None:
    same = unit_rows(1, 7)[0]
    ids = [f"t{i}" for i in (7, 3, 9, 1, 5, 0, 8, 2, 6, 4)]
    store.upsert(ids, np.tile(same, (10, 1)), [{} for _ in ids])
    fill(store, 20, seed=3)
    for k in (1, 3, 10):
        assert [i for i, _ in store.query(same, k)] == sorted(ids)[:k]


def test_scores_stay_within_one(store: VectorStore) -> None:
    vectors = fill(store, 20)
    for vector in vectors:
        assert all(-1.0 <= score <= 1.0 for _, score in store.query(vector, 20))


def test_an_upsert_replaces_vector_and_metadata(store: VectorStore) -> None:
    old, new = unit_rows(2, 5)
    store.upsert(["a"], old[None], [{"colour": "red", "size": 1}])
    store.upsert(["a"], new[None], [{"colour": "blue"}])
    assert store.count() == 1
    assert store.query(new, 1)[0][1] == pytest.approx(1.0, abs=1e-5)
    assert store.query(new, 1, {"colour": "red"}) == []
    assert store.query(new, 1, {"size": 1}) == []
    assert [i for i, _ in store.query(new, 1, {"colour": "blue"})] == ["a"]


def test_delete_removes_and_ignores_what_is_unknown(store: VectorStore) -> None:
    vectors = fill(store, 10)
    store.delete(["id00003", "never", "id00007"])
    store.delete([])
    assert store.count() == 8
    assert set(store.ids()) == {f"id{i:05d}" for i in range(10)} - {"id00003", "id00007"}
    assert store.query(vectors[3], 1)[0][0] != "id00003"


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"parity": "even"}, {0, 2, 4, 6, 8}),
        ({"number": 4}, {4}),
        ({"number": 4.0}, {4}),
        ({"number": [1, 2.0, 77]}, {1, 2}),
        ({"parity": ["odd", "none"]}, {1, 3, 5, 7, 9}),
        ({"big": True}, {5, 6, 7, 8, 9}),
        ({"big": 1}, set()),
        ({"number": True}, set()),
        ({"number": "4"}, set()),
        ({"number": [4, "4", True]}, {4}),
        ({"parity": "even", "big": True}, {6, 8}),
        ({"parity": []}, set()),
        ({"nothing": "x"}, set()),
        ({}, set(range(10))),
        (None, set(range(10))),
    ],
)
def test_filters(store: VectorStore, where: dict[str, object] | None, expected: set[int]) -> None:
    fill(store, 10)
    found = store.query(unit_rows(1, 2)[0], 10, where)  # type: ignore[arg-type]
    assert {int(id_[2:]) for id_, _ in found} == expected


@pytest.mark.parametrize("where", [{"a b": 1}, {"x": None}, {"x": float("nan")}, {"$or": ["a"]}, {"x": [{}]}])
def test_illegal_filters_are_refused(store: VectorStore, where: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        store.query(unit_rows(1, 2)[0], 1, where)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "id_", ["o'brien", '"', "' OR 1=1 --", "a;DROP TABLE x", "Ünï çødé", "हिन्दी", "🐘", "a\nb", "x" * 500, "%", "a\0b"]
)
def test_any_id_is_only_an_id(store: VectorStore, id_: str) -> None:
    vectors = unit_rows(2, 9)
    store.upsert(["other", id_], vectors, [{"key": id_.replace("\0", "")}, {"key": "'; --"}])
    assert set(store.ids()) == {"other", id_}
    assert store.query(vectors[1], 1)[0][0] == id_
    assert [i for i, _ in store.query(vectors[1], 2, {"key": "'; --"})] == [id_]
    store.delete([id_])
    assert list(store.ids()) == ["other"]


@pytest.mark.parametrize(
    "query",
    [
        np.full(DIMENSION, np.nan, dtype=np.float32),
        np.full(DIMENSION, np.inf, dtype=np.float32),
        np.zeros(DIMENSION, dtype=np.float32),
        np.ones(DIMENSION + 1, dtype=np.float32),
        np.ones((1, DIMENSION), dtype=np.float32),
    ],
    ids=["nan", "inf", "zero", "wide", "two-dimensional"],
)
def test_a_query_without_direction_is_refused(store: VectorStore, query: FloatArray) -> None:
    fill(store, 3)
    with pytest.raises(InvalidInput, match="query vector"):
        store.query(query, 1)


@pytest.mark.parametrize("k", [0, -2, True, 1.5])
def test_k_must_be_positive(store: VectorStore, k: int) -> None:
    with pytest.raises(InvalidInput, match="k must be > 0, but got"):
        store.query(unit_rows(1, 0)[0], k)


@pytest.mark.parametrize("wrong", ["nan", "long", "wide", "few"])
def test_bad_rows_are_refused_whole(store: VectorStore, wrong: str) -> None:
    vectors = unit_rows(3, 0)
    if wrong == "nan":
        vectors[1, 0] = np.nan
    elif wrong == "long":
        vectors[2] *= 1.1
    elif wrong == "wide":
        vectors = unit_rows(3, 0, DIMENSION + 1)
    else:
        vectors = vectors[:2]
    with pytest.raises(EncoderContractError):
        store.upsert(["a", "b", "c"], vectors, [{}, {}, {}])
    assert store.count() == 0


@pytest.mark.parametrize(
    ("ids", "metadatas"),
    [(["a", "a"], [{}, {}]), (["a", ""], [{}, {}]), (["a", "b"], [{}]), (["a", "b"], [{}, {"x y": 1}])],
)
def test_bad_ids_and_metadata_are_refused(store: VectorStore, ids: list[str], metadatas: list[dict[str, int]]) -> None:
    with pytest.raises(InvalidInput):
        store.upsert(ids, unit_rows(2, 0), metadatas)
    assert store.count() == 0


def test_a_batch_beyond_chromas_limit(store: VectorStore) -> None:
    vectors = fill(store, 6_000)
    assert store.count() == 6_000
    assert len(set(store.ids())) == 6_000
    hits = sum(store.query(vectors[i], 1)[0][0] == f"id{i:05d}" for i in range(0, 6_000, 100))
    assert hits >= 59  # Chroma's graph is approximate
    store.delete(list(store.ids()))
    assert store.count() == 0


def test_a_closed_store_says_so(make: Callable[..., VectorStore]) -> None:
    store = make()
    store.close()
    store.close()
    if isinstance(store, ChromaStore):
        with pytest.raises(IndexClosed):
            store.count()


def test_a_store_is_found_again_by_name(make: Callable[..., VectorStore]) -> None:
    name = next(_names) + " नाम"
    first = make(name)
    if isinstance(first, MemoryStore):
        first.close()
        return  # nothing of it outlives the object
    vectors = fill(first, 5)
    first.close()
    again = make(name)
    assert again.count() == 5
    assert again.query(vectors[2], 1)[0][0] == "id00002"
    again.close()


def test_another_encoder_is_refused(make: Callable[..., VectorStore]) -> None:
    name = next(_names)
    first = make(name)
    first.close()
    if isinstance(first, MemoryStore):
        return
    with pytest.raises(FingerprintMismatch, match=r"'f'.*'g'.*--to NEW"):
        make(name, fingerprint="g")
    with pytest.raises(FingerprintMismatch, match=r"dimension 8.*dimension 9"):
        make(name, dimension=9)


def test_collection_names_are_legal_and_distinct() -> None:
    names = ["notes", "a", "हिन्दी", "हिंदी", "a b", "a-b", "-x", "x" * 600, "", "a/b", "A.b"]
    slugs = [slug(name) for name in names]
    assert len(set(slugs)) == len(names)
    assert all(3 <= len(s) <= 512 and s[0].isalnum() and s[-1].isalnum() for s in slugs)
    assert all(set(s) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") for s in slugs)
    assert slug("notes") == "notes"
