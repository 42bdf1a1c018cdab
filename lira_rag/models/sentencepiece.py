"""XLM-R's SentencePiece model as a tokenizer.json: unigram pieces, and its own table of code points.

The table is NFKC of an older Unicode with some changes: controls vanish, spaces and joiners of many kinds become one
space, and the full-width tilde stays. Python and the tokenizers library follow newer Unicode versions, so what the
table leaves alone is named here instead of being computed: the file must come out the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lira_rag.errors import CorruptModel

__all__ = ["LEFT_ALONE", "tokenizer_json"]

_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_TILDE, _TILDE_KEPT, _UNKNOWN = "～", "\U000f0001", "\U000f0000"  # stand-ins from a private plane: never pieces

LEFT_ALONE = (
    (0x32FF, 0x32FF),
    (0xA7F2, 0xA7F4),
    (0xAB69, 0xAB69),
    (0x10781, 0x10785),
    (0x10787, 0x107B0),
    (0x107B2, 0x107BA),
    (0x1F16C, 0x1F16C),
    (0x1F23B, 0x1F23B),
    (0x1FBF0, 0x1FBF9),
)
"""Ranges that newer NFKC replaces and the table does not. None of them is a piece: all are unknown to the model."""


def tokenizer_json(pieces: Sequence[tuple[str, float]], table: Mapping[int, str]) -> dict[str, Any]:
    """The content of a tokenizer.json for the `tokenizers` library.

    Args:
        pieces: (piece, log probability) by token id.
        table: code point -> replacement.

    Raises:
        CorruptModel: the specials are not where XLM-R has them.
    """
    ids = {piece: index for index, (piece, _) in enumerate(pieces) if piece in _SPECIAL}
    if [ids.get(piece) for piece in _SPECIAL[:4]] != [0, 1, 2, 3]:
        raise CorruptModel("the pieces must begin with <s> <pad> </s> <unk>")
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added(piece, ids[piece]) for piece in _SPECIAL if piece in ids],
        "normalizer": {"type": "Sequence", "normalizers": _normalizers(table)},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        "post_processor": _template(),
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        "model": {"type": "Unigram", "unk_id": 3, "vocab": [list(pair) for pair in pieces], "byte_fallback": False},
    }


def _added(piece: str, index: int) -> dict[str, Any]:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": index, "content": piece, "special": True, **flags}


def _normalizers(table: Mapping[int, str]) -> list[dict[str, Any]]:
    """The table as steps: drop, to space, protect what stays, NFKC, restore, one space for many, none at the ends.

    NFKC also composes (e + accent -> é), as XLM-R's own normaliser does and a table of single code points cannot.
    """
    dropped = [point for point, text in table.items() if not text]
    spaces = [point for point, text in table.items() if text == " "]
    stays = [point for first, last in LEFT_ALONE for point in range(first, last + 1)]
    return [
        _replace({"Regex": _any_of(dropped)}, ""),
        _replace({"Regex": _any_of(spaces)}, " "),
        _replace({"Regex": _any_of(stays)}, _UNKNOWN),
        _replace({"String": _TILDE}, _TILDE_KEPT),
        {"type": "NFKC"},
        _replace({"String": _TILDE_KEPT}, _TILDE),
        _replace({"Regex": " {2,}"}, " "),
        {"type": "Strip", "strip_left": True, "strip_right": True},
    ]


def _any_of(points: Iterable[int]) -> str:
    """A character class."""
    return "[" + "".join(f"\\x{{{point:x}}}" for point in sorted(points)) + "]"


def _replace(pattern: Mapping[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": dict(pattern), "content": content}


def _template() -> dict[str, Any]:
    """<s> text </s>, and <s> a </s></s> b </s> for pairs."""

    def token(name: str) -> dict[str, Any]:
        return {"SpecialToken": {"id": name, "type_id": 0}}

    def text(name: str) -> dict[str, Any]:
        return {"Sequence": {"id": name, "type_id": 0}}

    start, end = token("<s>"), token("</s>")
    return {
        "type": "TemplateProcessing",
        "single": [start, text("A"), end],
        "pair": [start, text("A"), end, end, text("B"), end],
        "special_tokens": {
            "<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]},
            "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]},
        },
    }
