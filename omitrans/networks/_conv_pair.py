"""What the convolutional discriminators share: two profiles read along the genome, then both."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool1d

from omitrans.networks._conv import Conv1d, DoubleConv, check_kernel_size, pad_to, resize

POOLINGS = (4, 4, 4)
SHORTENING = 64


class ConvPair(nn.Module):
    """Convolutions of target and source, then of both, to one logit for 64 target features.

    Parameters
    ----------
    n_filters : int
        Channels of the first level.
    kernel_size : int
        Width of the convolutions, an odd number.
    """

    def __init__(self, n_filters: int, kernel_size: int) -> None:
        super().__init__()
        check_kernel_size(kernel_size)
        self.target = DoubleConv(1, n_filters, kernel_size)
        self.source = DoubleConv(1, n_filters, kernel_size)
        widths = [n_filters * factor for factor in (2, 4, 8, 16)]
        self.trunk = nn.ModuleList(DoubleConv(a, b, kernel_size) for a, b in pairwise(widths))
        self.output = Conv1d(widths[-1], 1, 1)

    def forward(self, Y: Tensor, X: Tensor) -> Tensor:
        """Return logits of shape (n_samples, max(n_target, 128) // 64)."""
        Y = pad_to(Y.unsqueeze(1), 2 * SHORTENING)  # two positions at the end, for one sample
        target = self.target(Y)
        # both profiles are whole genomes: places correspond when the lengths do
        source = resize(self.source(X.unsqueeze(1)), target.shape[-1])
        h = torch.cat([target, source], dim=1)
        for block, factor in zip(self.trunk, POOLINGS, strict=True):
            h = block(max_pool1d(h, factor))
        return self.output(h).squeeze(1)


def n_logits_of(n_target: int) -> int:
    """Return how many logits a target of this width gets."""
    return max(n_target, 2 * SHORTENING) // SHORTENING
