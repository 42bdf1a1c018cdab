"""Parsing server-sent events and taking thinking out of a stream, whatever the pieces are cut into."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lira_rag.clients.sse import events
from lira_rag.clients.thinking import ShownThinking, Unthinking, without_thinking

TEXT = st.lists(st.sampled_from(["<think>", "</think>", "<th", "a", " ", "\n", "ñ", "<", "/think>"]), max_size=8)


def _cut(text: str, cuts: list[int]) -> list[str]:
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    return [text[begin:end] for begin, end in pairwise(places)] or [text]


@given(TEXT, st.lists(st.integers(0, 40), max_size=6))
@settings(max_examples=300)
def test_thinking_is_taken_out_of_pieces_as_out_of_the_whole(parts: list[str], cuts: list[int]) -> None:
    """The whole is cleaned by another, simpler function; they may differ only where the stream refuses."""
    text = "".join(parts)
    filtered, shown = Unthinking(), ""
    try:
        for piece in _cut(text, cuts):
            shown += filtered.feed(piece)
    except ShownThinking:
        assert "</think>" in text
        return
    shown += filtered.rest()
    assert shown == shown.strip()
    assert "<think>" not in shown
    if text.count("<think>") <= 1 and text.startswith("<think>") and "</think>" in text:
        assert shown == without_thinking(text)
    if "think>" not in text:
        assert shown == text.strip()


async def _chunks(data: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_events_are_the_same_however_the_bytes_are_cut(size: int, end: str) -> None:
    lines = ["data: नमस्ते", "", ": comment", "event: x", "data:one", "data: two", "", "", "data: unfinished"]
    data = end.join(lines).encode()
    assert [event async for event in events(_chunks(data, size))] == ["नमस्ते", "one\ntwo"]
