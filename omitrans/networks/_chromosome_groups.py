"""One block per group of neighbouring columns, such as the probes of a chromosome."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from omitrans.networks._blocks import FCBlock


class GroupedBlocks(nn.Module):
    """One fully connected block per group of columns, with their outputs side by side.

    Parameters
    ----------
    n_columns : int
        Number of columns.
    groups : sequence of int or None
        Number of neighbouring columns in each group; None takes all columns as one group.
    width : int
        Number of output features of each block.
    norm, dropout, negative_slope
        Parameters of :class:`~omitrans.networks._blocks.FCBlock`.

    Attributes
    ----------
    n_outputs : int
        Number of output features of all blocks together.
    """

    def __init__(
        self,
        n_columns: int,
        groups: Sequence[int] | None,
        width: int,
        *,
        norm: str,
        dropout: float,
        negative_slope: float,
    ) -> None:
        super().__init__()
        self.widths = [n_columns] if groups is None else [int(width) for width in groups]
        if sum(self.widths) != n_columns or min(self.widths, default=0) < 1:
            raise ValueError(
                f"groups must be widths of at least 1 that add up to the {n_columns} source "
                f"features; they add up to {sum(self.widths)}."
            )
        self.blocks = nn.ModuleList(
            FCBlock(n, width, norm=norm, dropout=dropout, negative_slope=negative_slope)
            for n in self.widths
        )
        self.n_outputs = width * len(self.widths)

    def forward(self, X: Tensor) -> Tensor:
        """Return the outputs of all blocks, of shape (n_samples, n_outputs)."""
        parts = X.split(self.widths, dim=1)  # views: nothing is copied
        return torch.cat([block(part) for block, part in zip(self.blocks, parts, strict=True)], 1)
