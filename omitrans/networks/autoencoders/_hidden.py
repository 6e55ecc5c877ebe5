"""Hidden layers of the autoencoders, and the layers of one omics block."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from omitrans.networks._batch_norm import BatchNorm
from omitrans.networks._blocks import Linear
from omitrans.networks._random import Dropout

NORMS = ("batch", "sample", "none")


class Style(NamedTuple):
    """What the hidden layers of a network have in common.

    Attributes
    ----------
    norm : {"batch", "sample", "none"}
        Normalisation of each feature over the batch, of each sample over its features, or none.
    dropout : float
        Share of features set to zero in training.
    negative_slope : float
        Slope of the LeakyReLU for negative inputs.
    """

    norm: str
    dropout: float
    negative_slope: float


def hidden_layer(n_in: int, n_out: int, style: Style) -> nn.Sequential:
    """Return a fully connected layer with normalisation, dropout and LeakyReLU, in this order."""
    if style.norm not in NORMS:
        raise ValueError(
            f"The norm of a network must be one of {NORMS}. Got {style.norm!r} instead."
        )
    layers: list[nn.Module] = [Linear(n_in, n_out)]
    if style.norm == "batch":
        norm = BatchNorm(n_out)
        nn.init.normal_(norm.weight, 1.0, 0.02)  # as published
        layers.append(norm)
    elif style.norm == "sample":
        layers.append(nn.LayerNorm(n_out, elementwise_affine=False))
    if style.dropout > 0:
        layers.append(Dropout(style.dropout))
    layers.append(nn.LeakyReLU(style.negative_slope))
    return nn.Sequential(*layers)


def hidden_layers(widths: Sequence[int], style: Style) -> nn.Sequential:
    """Return hidden layers with these widths; the first is the number of inputs."""
    return nn.Sequential(*(hidden_layer(n_in, n_out, style) for n_in, n_out in pairwise(widths)))


class SideBySide(nn.Module):
    """One part for each group of neighbouring features, with their outputs side by side.

    Parameters
    ----------
    parts : sequence of torch.nn.Module
        The parts, one per group.
    widths : sequence of int
        Number of input features of each part.
    """

    def __init__(self, parts: Sequence[nn.Module], widths: Sequence[int]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.widths = list(widths)

    def forward(self, X: Tensor) -> Tensor:
        """Return the outputs of all parts, of shape (n_samples, n_outputs)."""
        inputs = X.split(self.widths, dim=1)  # views: nothing is copied
        return torch.cat([part(own) for part, own in zip(self.parts, inputs, strict=True)], dim=1)


class OmicsBlock(NamedTuple):
    """Which columns of a table are one kind of omics.

    Parameters
    ----------
    columns : sequence of int
        Positions of the columns.
    groups : sequence of int or None, default=None
        Number of neighbouring `columns` on each chromosome; None takes all as one group.

    Examples
    --------
    >>> from omitrans.networks.autoencoders import OmicsBlock
    >>> OmicsBlock(columns=(4, 5, 6), groups=(1, 2)).groups
    (1, 2)
    """

    columns: Sequence[int] | np.ndarray
    groups: Sequence[int] | None = None


class BlockLayers(nn.Module):
    """The layers of one omics block: its own part of the encoder, and of the decoder.

    Parameters
    ----------
    block : OmicsBlock
        Columns of the block.
    widths : sequence of int
        Widths of the layers of the encoder, at least one; the decoder has them in reverse order.
    group_width : int
        Width of the first layer of each group, where the block has groups.
    style : Style
        Style of the hidden layers.

    Attributes
    ----------
    n_outputs : int
        Number of outputs of the encoder and of inputs of the decoder.
    """

    columns: Tensor

    def __init__(
        self, block: OmicsBlock, widths: Sequence[int], group_width: int, style: Style
    ) -> None:
        super().__init__()
        columns = np.asarray(block.columns, dtype=np.int64)
        self.start, self.n_columns = int(columns[0]), len(columns)
        self.are_neighbours = bool(np.array_equal(columns, columns[0] + np.arange(len(columns))))
        self.register_buffer("columns", torch.from_numpy(columns), persistent=False)
        groups = [len(columns)] if block.groups is None else [int(n) for n in block.groups]
        if sum(groups) != len(columns) or min(groups) < 1:
            raise ValueError(
                f"groups must be widths of at least 1 that add up to the {len(columns)} columns of "
                f"the block; they add up to {sum(groups)}."
            )
        width = widths[0] if block.groups is None else group_width
        first = width * len(groups)
        down = [first, *widths[1:]]
        self.n_outputs = down[-1]
        self.encoder = nn.Sequential(
            SideBySide([hidden_layer(n, width, style) for n in groups], groups),
            hidden_layers(down, style),
        )
        self.decoder = nn.Sequential(
            hidden_layers(down[::-1], style),
            SideBySide([Linear(width, n) for n in groups], [width] * len(groups)),
        )

    def values_of(self, X: Tensor) -> Tensor:
        """Return the columns of this block; a view where they are neighbours in the table."""
        if self.are_neighbours:
            return X.narrow(1, self.start, self.n_columns)
        return X.index_select(1, self.columns)

    def encode(self, values: Tensor) -> Tensor:
        """Return the block's part of what the encoder merges."""
        encoded: Tensor = self.encoder(values)
        return encoded

    def decode(self, part: Tensor) -> Tensor:
        """Return the values that the block's part of the decoder restores."""
        decoded: Tensor = self.decoder(part)
        return decoded
