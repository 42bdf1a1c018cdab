"""The text border: every text passes here before a tokenizer, a prompt, a cache key or a log sees it.

`clean_query` and `clean_document` apply the same steps in the same order; each takes time proportional to the length,
and cleaning twice changes nothing more::

    cut (queries) → lone surrogates → controls, invisible and bidi characters → tag characters → marks per base ≤ 8
    → NFC → joiners and selectors where a script uses them → NFC → cut and strip (queries)

The cleaned text of a document *is* the stored text: all offsets, of passages and hits, refer to it.
Nothing is folded and no look-alike is replaced: Cyrillic is a language here. Folding for search is `lexical`'s.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from lira_rag.errors import EmptyText, InvalidInput
from lira_rag.text.breaks import graphemes, last_cluster_end
from lira_rag.text.marks import cap_marks, prune_joiners

__all__ = [
    "DOCUMENT_BYTES",
    "QUERY_CHARS",
    "Cleaned",
    "clean_document",
    "clean_query",
    "prompt_safe",
    "tokenizer_safe",
]

QUERY_CHARS = 2_000
"""A query is cut here, in characters; 2,000 characters are never more than 8 KiB of UTF-8."""
DOCUMENT_BYTES = 20 * 1024 * 1024
"""The largest document taken, in bytes of UTF-8 (20 MiB)."""
UNBROKEN_CHARS = 2_000
"""The longest run without white space a tokenizer is given."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text that passed the border.

    Attributes:
        text: the clean text, in NFC.
        flags: what was done or seen, each once: "cut", "surrogates_replaced", "controls_removed", "hidden_text" (tag
            characters, runs of variation selectors), "bidi_controls_removed", "zero_width_removed", "combining_capped",
            "mixed_script_word" (Latin and Cyrillic in one word; kept as it is).
    """

    text: str
    flags: tuple[str, ...] = ()


def clean_query(text: str) -> Cleaned:
    """Clean a query: as `clean_document`, and cut to `QUERY_CHARS`, without bidi controls, stripped.

    Raises:
        InvalidInput: not a str.
        EmptyText: nothing visible is left.
    """
    flags: dict[str, None] = {}
    kept = _cut(_require_str(text, "query"), flags)
    kept = _replace(_BIDI_OR_MARK, "", "bidi_controls_removed", kept, flags)
    kept = _cut(_scrub(kept, flags), flags).strip()  # NFC can lengthen a text: cut again
    if all(_invisible(char) for char in kept):
        raise EmptyText("the query is empty", hint="give at least one word")
    return Cleaned(kept, tuple(flags))


def clean_document(text: str) -> Cleaned:
    """Clean a document's text. Bidi controls stay: it is shown to people; see `prompt_safe`.

    Returns:
        the text to store; it may be empty.

    Raises:
        InvalidInput: not a str, or more than `DOCUMENT_BYTES` of UTF-8, before or after cleaning.
    """
    flags: dict[str, None] = {}
    raw = _require_str(text, "document text")
    _require_size(raw)
    kept = _scrub(raw, flags)
    if len(kept) > len(raw):
        _require_size(kept)
    return Cleaned(kept, tuple(flags))


def prompt_safe(text: str) -> str:
    """A clean document text without bidi embeddings, overrides and isolates, for prompts, encoders and ids."""
    return _BIDI.sub("", text)


def tokenizer_safe(text: str, longest: int = UNBROKEN_CHARS) -> str:
    """The text with a space inside every run of more than `longest` characters without white space.

    Some tokenizers take quadratic time over such runs. For a tokenizer's input only: offsets into it are not offsets
    into `text`. No space is put inside a grapheme cluster, unless the cluster alone is too long.
    """
    if len(text) <= longest:
        return text
    return _UNBROKEN.sub(lambda m: " ".join(_pieces(m[0], longest)), text)


_UNBROKEN = re.compile(r"\S++")


def _pieces(run: str, longest: int) -> list[str]:
    if len(run) <= longest:
        return [run]
    pieces, start, end = [], 0, 0
    for _, cluster_end in graphemes(run):
        if cluster_end - start > longest and end > start:
            pieces.append(run[start:end])
            start = end
        while cluster_end - start > longest:
            pieces.append(run[start : start + longest])
            start += longest
        end = cluster_end
    return [*pieces, run[start:]]


# --- steps ----------------------------------------------------------------------------------------------------


def _require_str(text: object, name: str) -> str:
    if not isinstance(text, str):
        hint = "decode it first: data.decode('utf-8')" if isinstance(text, bytes | bytearray) else ""
        raise InvalidInput(f"{name} must be a str, but got {type(text).__name__}", hint=hint)
    return text


def _require_size(text: str) -> None:
    if len(text) * 4 <= DOCUMENT_BYTES:
        return
    size = len(text) if len(text) > DOCUMENT_BYTES else len(text.encode("utf-8", "surrogatepass"))
    if size > DOCUMENT_BYTES:
        raise InvalidInput(
            f"document text must be at most {DOCUMENT_BYTES:,} bytes, but got {size:,}",
            hint="split it into several documents",
        )


def _cut(text: str, flags: dict[str, None]) -> str:
    if len(text) <= QUERY_CHARS:
        return text
    flags["cut"] = None
    return text[: last_cluster_end(text, QUERY_CHARS)].rstrip("\u200c\u200d")


def _scrub(text: str, flags: dict[str, None]) -> str:
    if _SURROGATE.search(text):
        flags["surrogates_replaced"] = None
        # pairs of surrogates become the character they stand for, lone ones U+FFFD
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    text = _LINE_END.sub("\n", text)
    text = _replace(_CONTROL, "", "controls_removed", text, flags)
    if not text.isascii():
        text = _scrub_unicode(text, flags)
    return text


def _scrub_unicode(text: str, flags: dict[str, None]) -> str:
    text = _replace(_ZERO_WIDTH, "", "zero_width_removed", text, flags)
    text = _replace(_SELECTOR_SUPPLEMENT, "", "hidden_text", text, flags)
    text = _drop_tags(text, flags)
    # capped before NFC, whose reordering of marks is quadratic, and after, because NFC can split one mark in two
    text = cap_marks(unicodedata.normalize("NFC", cap_marks(text, flags)), flags)
    text = unicodedata.normalize("NFC", prune_joiners(text, flags))
    if _MIXED_SCRIPT.search(text):
        flags["mixed_script_word"] = None
    return text


def _replace(pattern: re.Pattern[str], by: str, flag: str, text: str, flags: dict[str, None]) -> str:
    text, count = pattern.subn(by, text)
    if count:
        flags[flag] = None
    return text


_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_BIDI_OR_MARK = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ZERO_WIDTH = re.compile("[\u180e\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb]")
_SELECTOR_SUPPLEMENT = re.compile("[\U000e0100-\U000e01ef]")
_MIXED_SCRIPT = re.compile("[A-Za-z][\u0400-\u052f]|[\u0400-\u052f][A-Za-z]")


def _tagged(letters: str) -> str:
    return "".join(chr(0xE0000 + ord(letter)) for letter in letters)


_FLAGS = "|".join(_tagged(region) for region in ("gbeng", "gbsct", "gbwls"))
_TAGS = re.compile(f"(\U0001f3f4(?:{_FLAGS})\U000e007f)|[\U000e0000-\U000e007f]++")


def _drop_tags(text: str, flags: dict[str, None]) -> str:
    """Tag characters spell hidden ASCII. Only the flags of England, Scotland and Wales use them honestly."""

    def keep_flag(match: re.Match[str]) -> str:
        if match[1] is None:
            flags["hidden_text"] = None
        return match[1] or ""

    return _TAGS.sub(keep_flag, text)


def _invisible(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in ("Cf", "Cc") or "\ufe00" <= char <= "\ufe0f"
