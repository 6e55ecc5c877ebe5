"""The common part of the convolutional discriminators: convolutions over a pair of profiles."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool1d

from omitrans.networks._conv import (
    Conv1d,
    DoubleConv,
    Stretch,
    check_kernel_size,
    fit_to,
    pad_to,
    resize,
)
from omitrans.networks._random import Dropout

POOLINGS = (4, 4, 4)
SHORTENING = 64


class ConvPair(nn.Module):
    """Convolutions of target and source, then of both together, which are shortened 64 times.

    Parameters
    ----------
    n_target, n_source : int
        Number of target and source features.
    n_filters : int
        Number of channels of the first level; the last level has 16 times as many.
    kernel_size : int
        Width of the convolutions, an odd number.
    dropout : float
        Share of values set to zero in training, after every pooling.
    crop_source : bool
        Whether to bring the stretched source to the length of the target by cutting off its end.
        With False it is brought to that length by maxima of neighbours.
    """

    def __init__(
        self,
        n_target: int,
        n_source: int,
        *,
        n_filters: int,
        kernel_size: int,
        dropout: float,
        crop_source: bool,
    ) -> None:
        super().__init__()
        check_kernel_size(kernel_size)
        self.target = nn.Sequential(
            DoubleConv(1, n_filters, kernel_size),
            Conv1d(n_filters, n_filters, kernel_size, bias=False),
        )
        factor = max(2, -(-n_target // n_source))  # published: 2
        self.source = nn.Sequential(
            DoubleConv(1, n_filters, kernel_size), Stretch(n_filters, n_filters, factor)
        )
        self.fit = fit_to if crop_source else resize
        widths = [n_filters * factor for factor in (2, 4, 8, 16)]
        self.dropout = Dropout(dropout)
        self.trunk = nn.ModuleList(DoubleConv(a, b, kernel_size) for a, b in pairwise(widths))

    def forward(self, Y: Tensor, X: Tensor) -> Tensor:
        """Return channels of shape (n_samples, 16 * n_filters, max(n_target, 128) // 64)."""
        Y = pad_to(Y.unsqueeze(1), 2 * SHORTENING)  # leaves two positions, to normalise one sample
        target = self.target(Y)
        source = self.fit(self.source(X.unsqueeze(1)), target.shape[-1])
        h = torch.cat([target, source], dim=1)
        for block, factor in zip(self.trunk, POOLINGS, strict=True):
            h = block(self.dropout(max_pool1d(h, factor)))
        return h


def length_of(n_target: int) -> int:
    """Return the number of positions at which a target of `n_target` features is judged."""
    return max(n_target, 2 * SHORTENING) // SHORTENING
