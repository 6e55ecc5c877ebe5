"""The base of the one-dimensional U-Nets: steps down, steps up, and bridges between them."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

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


class UNet1d(nn.Module):
    """A U-Net along the genome, whose features must be in genomic order.

    Parameters
    ----------
    n_source, n_target : int
        Number of source and target features.
    channels : sequence of int
        Number of channels of each level, from the first level down.
    poolings : sequence of int
        Factor by which each step down shortens its input.
    stretches : sequence of int
        Factor by which each step up lengthens its input, without the last step.
    last_stretch : int or None
        Factor by which the last step up lengthens its input. None takes the smallest factor that
        reaches the number of target features.
    least_stretch : int
        Smallest factor that ``last_stretch=None`` may take.
    kernel_size : int
        Width of the convolutions, an odd number.
    dropouts : sequence of float
        Shares of values set to zero in training, before the convolutions of each step down and of
        each step up.
    stretch_bridges : bool
        Whether a transposed convolution lengthens the bridges. With False they are brought to
        their length by maxima of neighbours.
    """

    def __init__(
        self,
        n_source: int,
        n_target: int,
        *,
        channels: Sequence[int],
        poolings: Sequence[int],
        stretches: Sequence[int],
        last_stretch: int | None,
        least_stretch: int,
        kernel_size: int,
        dropouts: Sequence[float],
        stretch_bridges: bool,
    ) -> None:
        super().__init__()
        check_kernel_size(kernel_size)
        self.poolings = list(poolings)
        self.n_target = n_target
        shortest = 2  # positions on the last level, for batch normalisation with one sample
        for factor in poolings:
            shortest *= factor
        self.n_source = max(n_source, shortest)
        lengths = list(accumulate(poolings, lambda n, f: n // f, initial=self.n_source))
        before_last = lengths[-1]
        for factor in stretches:
            before_last *= factor
        needed = -(-n_target // before_last)
        if last_stretch is None:
            last_stretch = max(least_stretch, needed)
        if last_stretch < needed:
            raise ValueError(
                f"The U-Net makes {before_last * last_stretch} of {n_source} source features, "
                f"fewer than the {n_target} targets. Use last_stretch={needed}, or None."
            )
        factors = [*stretches, last_stretch]
        self.first = DoubleConv(1, channels[0], kernel_size)
        self.down = nn.ModuleList(DoubleConv(a, b, kernel_size) for a, b in pairwise(channels))
        back = list(pairwise(reversed(channels)))
        self.stretch = nn.ModuleList(
            Stretch(a, b, factor) for (a, b), factor in zip(back, factors, strict=True)
        )
        self.up = nn.ModuleList(DoubleConv(2 * b, b, kernel_size) for _, b in back)
        long = list(accumulate(factors, lambda n, f: n * f, initial=lengths[-1]))[1:]
        self.bridges = nn.ModuleList(
            Stretch(b, b, max(1, round(to / length))) if stretch_bridges else nn.Identity()
            for (_, b), to, length in zip(back, long, reversed(lengths[:-1]), strict=True)
        )
        self.dropouts = nn.ModuleList(Dropout(rate) for rate in dropouts)
        self.fit = fit_to if stretch_bridges else resize
        self.output = Conv1d(channels[0], 1, 1)

    def forward(self, X: Tensor) -> Tensor:
        """Return the predicted target profiles, of shape (n_samples, n_target)."""
        h = self.first(pad_to(X.unsqueeze(1), self.n_source))
        levels = []
        for factor, dropout, block in zip(self.poolings, self.dropouts, self.down, strict=True):
            levels.append(h)
            h = block(dropout(max_pool1d(h, factor)))
        ways_up = zip(self.stretch, self.bridges, self.dropouts, self.up, strict=True)
        for stretch, bridge, dropout, block in ways_up:
            h = stretch(h)
            across = self.fit(bridge(levels.pop()), h.shape[-1])
            h = block(dropout(torch.cat([across, h], dim=1)))
        return self.output(h).squeeze(1)[:, : self.n_target]
