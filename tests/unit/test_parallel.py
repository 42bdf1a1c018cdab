"""Reading pairs: every way a file can be wrong has its own words."""

import json
from pathlib import Path

import numpy as np
import pytest

from lira_rag import Lira
from lira_rag.arca.parallel import Pair, read_folder, read_pairs
from lira_rag.arca.vectors import CachedEncoder, VectorCache
from lira_rag.errors import EncoderContractError, InvalidInput
from lira_rag.protocols import FloatArray
from lira_rag.testing import FakeEncoder


def write(path: Path, rows: list[object]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def pair(number: int, **changes: object) -> dict[str, object]:
    return {"text": f"swali {number}", "language": "swa", "english": f"question {number}", **changes}


def test_a_good_file_is_read_by_language(tmp_path: Path) -> None:
    rows = [pair(n) for n in range(9)] + [pair(n, language="ha", passage="p") for n in range(8)]
    found = read_pairs(write(tmp_path / "p.jsonl", rows))
    assert {tag: len(pairs) for tag, pairs in found.by_language.items()} == {"ha": 8, "sw": 9}
    assert found.by_language["ha"][0] == Pair("swali 0", "ha", "question 0", "p")
    assert found.notes == ()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"language": "sw", "english": "x"}, "line 3 must have 'text' as text"),
        (pair(1, english="  "), "line 3 must have 'english' as text"),
        (pair(1, english=7), "line 3 must have 'english' as text, but has 7"),
        (pair(1, language="Klingonish"), "line 3: language must be a BCP-47 tag"),
        (pair(1, language="und"), "line 3: language must be known"),
        (pair(1, passage=["p"]), "line 3: 'passage' must be text"),
        ([1, 2], "line 3 must be a JSON object, but is a list"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, row: object, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_pairs(write(tmp_path / "p.jsonl", [pair(1), pair(2), row]))


@pytest.mark.parametrize("content", [b"{not json", b"\xff\xfe\x00", b""])
def test_what_is_no_pairs_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p.jsonl").write_bytes(content)
    with pytest.raises(InvalidInput):
        read_pairs(tmp_path / "p.jsonl")


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_pairs(tmp_path / "none.jsonl")


def test_seven_pairs_are_too_few(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no language has 8 pairs") as caught:
        read_pairs(write(tmp_path / "p.jsonl", [pair(n) for n in range(7)]))
    assert "left out sw: 7 pairs" in caught.value.hint


def test_repeats_and_conflicts_are_left_out_and_named(tmp_path: Path) -> None:
    rows = [pair(n) for n in range(9)] + [pair(0), pair(1), pair(2, english="something else")]
    found = read_pairs(write(tmp_path / "p.jsonl", rows))
    assert len(found.by_language["sw"]) == 9
    assert "left out 2 sw: repeats" in found.notes
    assert any("left out 1 sw: conflicts" in note for note in found.notes)


@pytest.mark.parametrize("change", [{"language": "en"}, {"english": None}])
def test_pairs_of_one_language_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    rows = [{**pair(n), **change} for n in range(20)]
    for row in rows:
        row["english"] = row["english"] or row["text"]
    with pytest.raises(InvalidInput, match="pairs must be of two languages, but in 20 of 20"):
        read_pairs(write(tmp_path / "p.jsonl", rows))


def test_a_few_pairs_take_questions_and_sentences_in_turn(tmp_path: Path) -> None:
    rows = [pair(n) for n in range(20)] + [pair(n, english=f"why {n}?") for n in range(20, 30)]
    found = read_pairs(write(tmp_path / "p.jsonl", rows))
    few = found.limited(8).by_language["sw"]
    assert sum(p.is_question for p in few) == 4
    with pytest.raises(InvalidInput, match="at least 8 pairs a language, but got 3"):
        found.limited(3)
    with pytest.raises(InvalidInput, match="no language is left"):
        found.without(["sw"])


def data_folder(folder: Path) -> Path:
    (folder / "ntrex").mkdir()
    (folder / "afriqa").mkdir()
    for code in ("eng", "swa", "hau"):
        lines = "\n".join(f"{code} sentence {n}" for n in range(12))
        (folder / "ntrex" / f"{code}.txt").write_text(lines, encoding="utf-8")
    questions = [{"question": f"hau q {n}", "translated_question": f"what is {n}?"} for n in range(5)]
    write(folder / "afriqa" / "queries.hau.train.jsonl", questions)
    gold = [{"question_lang": "hau q 1", "context": "passage one"}, {"question_lang": "hau q 2", "context": None}]
    write(folder / "afriqa" / "gold_passages.hau.train.jsonl", gold)
    return folder


def test_a_data_folder_gives_sentences_and_questions(tmp_path: Path) -> None:
    found = read_folder(data_folder(tmp_path)).by_language
    assert {tag: len(pairs) for tag, pairs in found.items()} == {"ha": 17, "sw": 12}
    answered = [p for p in found["ha"] if p.passage]
    assert [p.text for p in answered] == ["hau q 1"]
    assert sum(p.is_question for p in found["ha"]) == 5


def test_files_of_different_length_are_refused(tmp_path: Path) -> None:
    data_folder(tmp_path)
    (tmp_path / "ntrex" / "swa.txt").write_text("one line", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"as many lines as eng.txt \(12\), but has 1"):
        read_folder(tmp_path)
    with pytest.raises(InvalidInput, match="holds neither"):
        read_folder(tmp_path / "ntrex")


class Counting(FakeEncoder):
    """Remembers how many texts it was given."""

    asked = 0

    async def encode(self, texts: object, kind: object) -> FloatArray:
        self.asked += len(texts)  # type: ignore[arg-type]
        return await super().encode(texts, kind)  # type: ignore[arg-type]


def saved(folder: Path) -> list[Path]:
    return list(folder.rglob("*.npy"))


async def test_no_text_is_encoded_twice(tmp_path: Path) -> None:
    encoder, texts = Counting(), [f"text {n}" for n in range(300)]
    first = await VectorCache(tmp_path).encode(encoder, [*texts, "text 0"], "query")
    assert encoder.asked == 300
    again = await VectorCache(tmp_path).encode(encoder, [*texts, "text 0"], "query")
    assert encoder.asked == 300
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, await FakeEncoder().encode([*texts, "text 0"], "query"))
    await VectorCache(tmp_path).encode(encoder, texts[:2], "passage")
    assert encoder.asked == 302


async def test_indexes_that_share_texts_and_an_encoder_encode_them_once() -> None:
    inner = Counting()
    encoder = CachedEncoder(inner)
    assert (encoder.dimension, encoder.fingerprint) == (inner.dimension, inner.fingerprint)
    assert encoder.count_tokens("one two") == inner.count_tokens("one two")
    texts = ["one", "two", "three"]
    for count, expected in ((2, 2), (3, 3), (3, 3)):
        with Lira.from_texts(texts[:count], encoder=encoder) as lira:
            assert [hit.passage.text for hit in await lira.asearch("two", 1)] == ["two"]
        assert inner.asked == expected + 1, "and the question"
    np.testing.assert_array_equal(await encoder.encode(texts, "passage"), await inner.encode(texts, "passage"))


async def test_a_cut_piece_is_made_again(tmp_path: Path) -> None:
    encoder, texts = Counting(), ["one", "two"]
    expected = await VectorCache(tmp_path).encode(encoder, texts, "query")
    for file in saved(tmp_path):
        file.write_bytes(file.read_bytes()[:-3])
    np.testing.assert_array_equal(await VectorCache(tmp_path).encode(encoder, texts, "query"), expected)
    assert encoder.asked == 4


async def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    class Broken(FakeEncoder):
        async def encode(self, texts: object, kind: object) -> FloatArray:
            return np.full((len(texts), 32), np.nan, np.float32)  # type: ignore[arg-type]

    with pytest.raises(EncoderContractError, match="not finite"):
        await VectorCache(tmp_path).encode(Broken(), ["a"], "query")
    assert not saved(tmp_path)
