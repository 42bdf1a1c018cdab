"""Counting with a tokenizer on disk."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from lira_rag.encoders.tokens import load_tokenizer
from lira_rag.errors import ModelNotFound
from lira_rag.folders import read_json
from lira_rag.protocols import Message
from lira_rag.tokens.counter import CachedCounter, folder_context

__all__ = ["TokenizerCounter"]

UNKNOWN_TOKENS = ("<unk>", "[UNK]")
_FILES = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model")


class TokenizerCounter(CachedCounter):
    """The tokenizer of a model folder; read on first use.

    Args:
        folder: what `lira_rag.models.locate` gave; tokenizer.json, or files transformers makes a fast tokenizer of.
        name: shown to users; None takes the folder's name.

    Raises:
        ModelNotFound: the folder has no tokenizer.
    """

    def __init__(self, folder: Path | str, *, name: str | None = None) -> None:
        super().__init__()
        self._folder = Path(folder)
        if not any((self._folder / file).is_file() for file in _FILES):
            raise ModelNotFound(f"{self._folder} has no tokenizer", hint="give a folder with a tokenizer.json")
        self._name = name or self._folder.name
        self._lock = threading.Lock()  # a fast tokenizer must not be used by two threads at once
        self.context = folder_context(self._folder)

    def __repr__(self) -> str:
        return f"TokenizerCounter({self._name!r})"

    @property
    def name(self) -> str:
        """As given."""
        return self._name

    @property
    def exact(self) -> bool:
        """Always True."""
        return True

    @property
    def frame(self) -> int:
        """Special tokens the tokenizer puts around a single text (2 for XLM-R: ``<s>`` and ``</s>``)."""
        with self._lock:
            return int(self._tokenizer.num_special_tokens_to_add(False))

    def count_messages(self, messages: Sequence[Message]) -> int:
        """Tokens of a prompt as the model's chat template writes it; with an allowance where there is no template."""
        if not self._has_template:
            return super().count_messages(messages)
        with self._lock:
            written = self._chat_tokenizer.apply_chat_template(
                list(messages), add_generation_prompt=True, tokenize=True, return_dict=True
            )
        return len(written["input_ids"])

    def unknown(self, texts: Sequence[str]) -> int:
        """Tokens of all `texts` together that stand for something the vocabulary does not have: text that is lost."""
        marks = {self._tokenizer.token_to_id(mark) for mark in UNKNOWN_TOKENS} - {None}
        with self._lock:
            encoded = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return sum(one in marks for row in encoded for one in row.ids) if marks else 0

    @cached_property
    def _tokenizer(self) -> Any:
        tokenizer: Any = load_tokenizer(self._folder)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = True  # "</s>" in a text is four letters or so, not the end of it
        return tokenizer

    @cached_property
    def _has_template(self) -> bool:
        if (self._folder / "chat_template.jinja").is_file():
            return True
        config = self._folder / "tokenizer_config.json"
        return config.is_file() and "chat_template" in read_json(config)

    @cached_property
    def _chat_tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(self._folder, local_files_only=True)

    def _count_new(self, texts: Sequence[str]) -> list[int]:
        with self._lock:
            encoded = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(one.ids) for one in encoded]
