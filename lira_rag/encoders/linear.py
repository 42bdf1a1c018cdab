"""Linear layers of the encoders: float32, and 8-bit weights with 8-bit activations."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Float32Linear", "Int8Linear"]


class Float32Linear:
    """x W^T + b in float32."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight, self._bias = weight, bias

    def __call__(self, x: Tensor) -> Tensor:
        from torch.nn.functional import linear

        return linear(x, self.weight, self._bias)


class Int8Linear:
    """x W^T + b with int8 weights and activations, summed in int32.

    Each weight row (output channel) and each activation row (token) has its own scale, max|row| / 127, so a token's
    result depends on no other token of the batch.

    Args:
        weight: float32 [out, in].
        bias: float32 [out].
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        import torch

        scale = weight.abs().amax(dim=1).clamp_(min=1e-12).div_(127.0)
        self._weight = weight.div(scale.unsqueeze(1)).round_().to(torch.int8).t()  # [in, out], a view
        self._scale, self._bias = scale, bias

    def __call__(self, x: Tensor) -> Tensor:
        import torch

        scale = x.abs().amax(dim=1, keepdim=True).clamp_(min=1e-12).div_(127.0)  # [T, 1]
        whole = x.div(scale).round_().to(torch.int8)
        out = torch._int_mm(whole, self._weight).float().mul_(scale)
        return torch.addcmul(self._bias, out, self._scale, out=out)
