"""Affine scaling of features, applied batch by batch so that no scaled copy of the data exists."""

import torch
from torch import Tensor, nn

from omitrans.utils._blocks import MODEL_VALUES, rows_per_block

SCALINGS = ("none", "standard", "minmax", "range")


class FeatureScaling(nn.Module):
    """Affine scaling of every feature, whose shift and scale are learned on training rows.

    Parameters
    ----------
    n_features : int
        Number of features.
    kind : {"none", "standard", "minmax", "range"} or float
        "standard" scales each feature to mean 0 and standard deviation 1. "minmax" scales each
        feature to the range 0 to 1. "range" scales the whole table to the range 0 to 1. A number
        divides all features by it. "none" leaves the features unchanged. A constant feature is
        only shifted.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, n_features: int, kind: str | float) -> None:
        super().__init__()
        self.kind = kind
        if kind != "none":
            self.register_buffer("shift", torch.zeros(n_features))
            self.register_buffer("scale", torch.ones(n_features))

    def learn(self, values: Tensor, rows: Tensor) -> None:
        """Learn shift and scale from the given rows of `values`, block by block in float64.

        "standard" ignores NaN; a feature without any value stays unchanged.
        """
        if self.kind == "none":
            return
        if not isinstance(self.kind, str):
            self.scale.fill_(self.kind)
            return
        blocks = rows.to(values.device).split(rows_per_block(values.shape[1], MODEL_VALUES))
        if self.kind in ("minmax", "range"):
            low = torch.stack([values[block].amin(0) for block in blocks]).amin(0)
            high = torch.stack([values[block].amax(0) for block in blocks]).amax(0)
            if self.kind == "range":
                low, high = low.min().expand_as(low), high.max().expand_as(high)
            spread = high - low
        else:
            low = torch.zeros(values.shape[1], dtype=torch.float64, device=values.device)
            counts, squares = torch.zeros_like(low), torch.zeros_like(low)
            for block in blocks:
                counts += len(block) - values[block].isnan().sum(0)
            counts.clamp_min_(1)
            for block in blocks:
                low += values[block].nansum(0, dtype=torch.float64) / counts
            for block in blocks:
                squares += (values[block].double() - low).square().nansum(0) / counts
            spread = squares.sqrt()
            # rounding leaves a constant feature a spread of about 1e-16 of its size
            spread[spread <= 1e-7 * low.abs()] = 0
        self.shift.copy_(low)
        self.scale.copy_(torch.where(spread > 0, spread, 1.0))

    def forward(self, values: Tensor) -> Tensor:
        """Return the scaled batch."""
        return values if self.kind == "none" else (values - self.shift) / self.scale

    def inverse(self, values: Tensor) -> Tensor:
        """Return a scaled batch in its own units again."""
        return values if self.kind == "none" else torch.addcmul(self.shift, values, self.scale)
