"""Put an encoder's parts together from a checked folder: tokenizer, network, head."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lira_rag.encoders.recipes import Recipe
from lira_rag.encoders.sentence_files import read_sentence_files
from lira_rag.encoders.tokens import TokenIds, load_tokenizer
from lira_rag.errors import CorruptModel

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Parts", "load_parts", "longest_input"]

Network = Callable[[Sequence[Sequence[int]]], "Tensor"]
"""Token ids to packed token states [T, d]."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a forward pass needs.

    Attributes:
        tokens: texts to ids.
        network: ids to packed token states.
        head: the linear layer behind the pooling, if the model has one.
        packed: the network needs no padding.
    """

    tokens: TokenIds
    network: Network
    head: Callable[[Tensor], Tensor] | None
    packed: bool


def longest_input(config: Mapping[str, Any]) -> int:
    """Most tokens the model's positions allow; 512 when its config does not say."""
    positions = int(config.get("text_config", config).get("max_position_embeddings") or 512)
    offset = int(config.get("pad_token_id") or 0) + 1 if "roberta" in str(config.get("model_type")) else 0
    return positions - offset


def load_parts(folder: Path, config: Mapping[str, Any], recipe: Recipe, precision: str) -> Parts:
    """Read tokenizer and weights.

    Raises:
        CorruptModel: a file cannot be read, or tokenizer and weights do not fit together.
        ModelNotFound: there are no safetensors.
    """
    assert recipe.max_tokens is not None  # load_encoder settles it
    tokens = TokenIds(load_tokenizer(folder), recipe.max_tokens)
    network, vocabulary, packed = _network(folder, config, precision)
    if tokens.vocabulary > vocabulary:
        raise CorruptModel(f"{folder}: the tokenizer has {tokens.vocabulary} tokens, the word table {vocabulary} rows")
    dense = read_sentence_files(folder).dense
    return Parts(tokens, network, _head(dense), packed)


def _head(dense: tuple[Path, bool] | None) -> Callable[[Tensor], Tensor] | None:
    if dense is None:
        return None
    from lira_rag.encoders.pooling import Head

    return Head(*dense)


def _network(folder: Path, config: Mapping[str, Any], precision: str) -> tuple[Network, int, bool]:
    """(network, rows of its word table, whether it works on packed tokens)."""
    from lira_rag.encoders.bert import BertNetwork, fits

    if not fits(config):
        from lira_rag.encoders.generic import GenericNetwork

        general = GenericNetwork(folder, config)
        return general, general.vocabulary, False
    from lira_rag.encoders.linear import Float32Linear, Int8Linear
    from lira_rag.encoders.weights import Weights

    own = BertNetwork(Weights(folder), config, Int8Linear if precision == "int8" else Float32Linear)
    return own, own.vocabulary, True
