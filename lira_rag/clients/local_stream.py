"""A local model's reply while it is written: whole sentences, as soon as they cannot be taken back any more.

A reply that is cut at its token limit loses its unfinished last sentence, so a sentence is given once another begins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["SENTENCE_ENDS", "SentenceStreamer", "finished_sentences", "whole_sentences"]

SENTENCE_ENDS = ".!?。！？।॥؟۔።"


class SentenceStreamer:
    """What transformers calls a streamer: is given the prompt's token ids, then those written.

    Args:
        decode: token ids [L] to the text so far.
        heard: called with each new piece, in the thread that generates.
    """

    def __init__(self, decode: Callable[[list[int]], str], heard: Callable[[str], None]) -> None:
        self._decode, self._heard = decode, heard
        self._tokens: list[int] = []
        self._given = ""
        self._prompt = True

    def put(self, tokens: Any) -> None:
        """Take the next token ids, a tensor of one row at most."""
        if self._prompt:
            self._prompt = False
            return
        self._tokens += tokens.reshape(-1).tolist()
        text = finished_sentences(self._decode(self._tokens))
        if len(text) > len(self._given) and text.startswith(self._given):
            self._heard(text[len(self._given) :])
            self._given = text

    def end(self) -> None:
        """Nothing: the rest is known when the whole reply is."""


def finished_sentences(text: str) -> str:
    """`text`, without space at its start, up to its last sentence end with something behind it; "" while it thinks."""
    begun = text.lstrip()
    if "<think" in begun or not begun:
        return ""
    spaced = [at for at, char in enumerate(begun[:-1]) if char in SENTENCE_ENDS and begun[at + 1].isspace()]
    return begun[: spaced[-1] + 1] if spaced else ""


def whole_sentences(text: str) -> str:
    """`text` up to its last sentence end; all of it when there is none."""
    end = max(text.rfind(mark) for mark in SENTENCE_ENDS)
    return text[: end + 1] if end >= 0 else text
