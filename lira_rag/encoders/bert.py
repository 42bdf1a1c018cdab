"""The BERT and XLM-R encoder on packed tokens: no padding, no mask.

The tokens of all texts of a batch lie one behind the other in one matrix [T, d]; everything but attention works on
rows, and attention runs once for each run of texts of equal length. So no work is done for padding, and a text's
vector does not depend on its companions. Loading this file's network needs torch alone: importing transformers' BERT
costs seconds and 150 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from lira_rag.encoders.weights import Weights, dequantise

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["BertNetwork", "Linear", "MakeLinear", "fits"]

Linear = Callable[["Tensor"], "Tensor"]
MakeLinear = Callable[["Tensor", "Tensor"], Linear]
"""Builds x [T, in] -> [T, out] from weight [out, in] and bias [out]."""

_ROBERTA = frozenset({"roberta", "xlm-roberta", "camembert"})


def fits(config: Mapping[str, Any]) -> bool:
    """True for BERT and (XLM-)RoBERTa with exact GELU and absolute positions."""
    return (
        config.get("model_type") in {"bert", *_ROBERTA}
        and config.get("hidden_act", "gelu") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder", False)
    )


class BertNetwork:
    """Token ids to token states.

    Args:
        weights: tensors under transformers' names.
        config: config.json.
        make_linear: fp32 or int8 layers.
    """

    def __init__(self, weights: Weights, config: Mapping[str, Any], make_linear: MakeLinear) -> None:
        self.dimension = int(config["hidden_size"])
        self._embeddings = _Embeddings(weights, config)
        self.vocabulary = self._embeddings.vocabulary
        self.layers = [_Layer(weights, i, config, make_linear) for i in range(config["num_hidden_layers"])]

    def __call__(self, ids: Sequence[Sequence[int]]) -> Tensor:
        """States of the texts' tokens, in order: float32 [T, d] with T = all tokens."""
        return self.up_to(ids, len(self.layers))

    def up_to(self, ids: Sequence[Sequence[int]], count: int) -> Tensor:
        """The same behind the first `count` layers."""
        lengths = [len(row) for row in ids]
        runs = [(length, len(list(same))) for length, same in groupby(lengths)]
        states = self._embeddings(ids, lengths)
        for layer in self.layers[:count]:
            states = layer(states, runs)
        return states


class _Embeddings:
    """Word + position + type 0, then LayerNorm. The word table stays as stored; only looked-up rows are expanded."""

    def __init__(self, weights: Weights, config: Mapping[str, Any]) -> None:
        self._rows, self._scales = weights.table("embeddings.word_embeddings.weight")
        places = weights.get("embeddings.position_embeddings.weight")
        self._places = places + weights.get("embeddings.token_type_embeddings.weight")[0]
        self._first = int(config["pad_token_id"]) + 1 if config["model_type"] in _ROBERTA else 0
        self._norm = _Norm(weights, "embeddings.LayerNorm", config)
        self.vocabulary = self._rows.shape[0]

    def __call__(self, ids: Sequence[Sequence[int]], lengths: Sequence[int]) -> Tensor:
        import torch

        flat = torch.tensor([token for row in ids for token in row])
        places = torch.cat([self._places[self._first : self._first + length] for length in lengths])
        rows = self._rows[flat]
        words = rows.float() if self._scales is None else dequantise(rows, self._scales[flat])
        return self._norm(places.add_(words))


class _Norm:
    """LayerNorm over the last axis."""

    def __init__(self, weights: Weights, name: str, config: Mapping[str, Any]) -> None:
        self._weight, self._bias = weights.get(f"{name}.weight"), weights.get(f"{name}.bias")
        self._eps = float(config.get("layer_norm_eps", 1e-12))

    def __call__(self, states: Tensor) -> Tensor:
        from torch.nn.functional import layer_norm

        return layer_norm(states, self._weight.shape, self._weight, self._bias, self._eps)


class _Layer:
    """One post-norm encoder layer: x = LN(x + attention(x)); x = LN(x + FFN(x))."""

    def __init__(self, weights: Weights, index: int, config: Mapping[str, Any], make_linear: MakeLinear) -> None:
        import torch

        def pair(part: str) -> tuple[Tensor, Tensor]:
            return weights.get(f"{name}.{part}.weight"), weights.get(f"{name}.{part}.bias")

        name = f"encoder.layer.{index}"
        parts = [pair(f"attention.self.{part}") for part in ("query", "key", "value")]
        self._qkv = make_linear(torch.cat([w for w, _ in parts]), torch.cat([b for _, b in parts]))
        self._out = make_linear(*pair("attention.output.dense"))
        self._up = make_linear(*pair("intermediate.dense"))
        self._down = make_linear(*pair("output.dense"))
        self._norm1 = _Norm(weights, f"{name}.attention.output.LayerNorm", config)
        self._norm2 = _Norm(weights, f"{name}.output.LayerNorm", config)
        self._heads = int(config["num_attention_heads"])

    def __call__(self, states: Tensor, runs: Sequence[tuple[int, int]]) -> Tensor:
        from torch.nn.functional import gelu

        context = _attention(self._qkv(states), self._heads, runs)
        states = self._norm1(self._out(context).add_(states))
        return self._norm2(self._down(gelu(self._up(states))).add_(states))


def _attention(qkv: Tensor, heads: int, runs: Sequence[tuple[int, int]]) -> Tensor:
    """softmax(q k^T / sqrt(d_head)) v inside each text.

    Args:
        qkv: [T, 3 d], the queries, keys and values of each token side by side.
        heads: attention heads.
        runs: (length, how many texts of that length), in the order of the rows; sums to T.

    Returns:
        [T, d].
    """
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    out = torch.empty(qkv.shape[0], qkv.shape[1] // 3)
    for rows, length in _spans(runs):
        q, k, v = qkv[rows].view(-1, length, 3, heads, out.shape[1] // heads).permute(2, 0, 3, 1, 4)  # [n, h, L, dh]
        context = scaled_dot_product_attention(q, k, v)
        out[rows] = context.transpose(1, 2).flatten(0, 1).flatten(1)
    return out


def _spans(runs: Sequence[tuple[int, int]]) -> Iterator[tuple[slice, int]]:
    """(rows of the packed matrix, length of each text) of each run."""
    start = 0
    for length, count in runs:
        yield slice(start, start + length * count), length
        start += length * count
