"""What is needed of a language model to write its input as embeddings: its tokens, their table, its chat template."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lira_rag.errors import ConfigError, ModelNotFound
from lira_rag.folders import cached_sha256, check_config

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["EmbeddingTable", "TokenTable", "llm_fingerprint"]

NAMES = ("model.embed_tokens.weight", "embed_tokens.weight", "transformer.wte.weight", "wte.weight")
MARK = "lira-soft-prompt-goes-here"


def llm_fingerprint(folder: Path) -> str:
    """Hex hash of a language model's weights, config and tokenizer; loads no weights.

    Raises:
        ModelNotFound: the folder holds no safetensors.
    """
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise ModelNotFound(f"{folder} holds no safetensors", hint="lira models list, or a folder with a model")
    files = [*weights, folder / "config.json", folder / "tokenizer.json"]
    hashes = [cached_sha256(path) for path in files if path.is_file()]
    return hashlib.blake2b(json.dumps(hashes).encode(), digest_size=16).hexdigest()


class TokenTable:
    """Tokens and embeddings of a language model in a folder; a subclass says where the rows come from.

    Args:
        folder: config.json, tokenizer, safetensors; code in it is never run.

    Raises:
        ModelNotFound: there is no model in the folder.
        ModelError: config.json asks to run code.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._config = check_config(self.folder)

    @cached_property
    def fingerprint(self) -> str:
        """Hex hash of weights, config and tokenizer."""
        return llm_fingerprint(self.folder)

    @cached_property
    def width(self) -> int:
        """d_llm, the width of the token embeddings."""
        return int(self._config.get("text_config", self._config)["hidden_size"])

    @cached_property
    def tokenizer(self) -> Any:
        """The folder's tokenizer."""
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(self.folder, local_files_only=True)

    def tokens(self, text: str) -> list[int]:
        """Token ids of a text, without special tokens; control tokens written in it are read as letters."""
        return list(self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"])

    @cached_property
    def start(self) -> list[int]:
        """The BOS id, or nothing where the model has none."""
        found = self.tokenizer.bos_token_id
        return [] if found is None else [int(found)]

    def table(self) -> Tensor:
        """[vocabulary, d_llm]."""
        raise NotImplementedError

    @cached_property
    def scale(self) -> float:
        """What a model multiplies rows of its table by on their way in: Gemma by the root of its width, others by 1.

        A matrix that stands for tokens goes in behind that step, so it has to be scaled here.
        """
        kind = str(self._config.get("text_config", self._config).get("model_type", ""))
        return float(self.width**0.5) if kind.startswith("gemma") else 1.0

    def embed(self, ids: Sequence[int]) -> Tensor:
        """The model's own embeddings of token ids, as it reads them: [n, d_llm]."""
        import torch

        with torch.no_grad():
            found = torch.nn.functional.embedding(torch.tensor(list(ids), dtype=torch.long), self.table())
            # the factor in the table's own precision, as the model has it
            return found * torch.tensor(self.scale, dtype=found.dtype)

    def frame(self, suffix: str, *, chat: bool = False) -> tuple[list[int], list[int]]:
        """Token ids before and behind a soft prompt that is followed by `suffix`.

        Args:
            chat: by the model's own chat template, the soft prompt and the suffix being the user's message; without,
                [BOS] and the suffix.

        Raises:
            ConfigError: the model has no chat template, or one that drops or changes the user's message.
        """
        if not chat:
            return self.start, self.tokens(suffix)
        if self.tokenizer.chat_template is None:
            raise ConfigError(f"the model in {self.folder} has no chat template", hint="use chat=False")
        text = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": MARK}], add_generation_prompt=True, tokenize=False
        )
        before, mark, behind = text.partition(MARK)
        if not mark or MARK in behind:
            raise ConfigError(f"the chat template in {self.folder} does not show the user's message once")
        return self._template_tokens(before), self.tokens(suffix) + self._template_tokens(behind)

    def _template_tokens(self, text: str) -> list[int]:
        """Tokens of a piece of the template: its control tokens are control tokens."""
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


class EmbeddingTable(TokenTable):
    """The token embeddings of a model folder alone: what a client of a served model needs of it.

    Args:
        folder: as `TokenTable`.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._rows: Any = None

    def table(self) -> Tensor:
        """[vocabulary, d_llm]; read once.

        Raises:
            ModelNotFound: no safetensors of the folder hold a table of a known name.
        """
        if self._rows is None:
            self._rows = _read_table(self.folder)
        found: Tensor = self._rows
        return found


def _read_table(folder: Path) -> Tensor:
    from safetensors import safe_open

    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            for name in set(NAMES).intersection(file.keys()):
                table: Tensor = file.get_tensor(name)
                return table
    raise ModelNotFound(f"no safetensors in {folder} hold a token table", hint=f"looked for {', '.join(NAMES)}")
