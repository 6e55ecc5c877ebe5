"""The fully connected discriminator with one block a chromosome."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from omitrans.networks._blocks import FCBlock, Linear
from omitrans.networks._chromosome_groups import GroupedBlocks
from omitrans.networks._registries import register_discriminator


@register_discriminator("chromosome-fc")
class ChromosomeFCDiscriminator(nn.Module):
    """Discriminator that reads the source chromosome by chromosome, then meets the target.

    source -> 16 a chromosome -> 64; target -> 128 -> 64; both -> 32 -> 16.

    Parameters
    ----------
    n_target, n_source : int
        Number of target and source features.
    groups : sequence of int, default=None
        How many neighbouring source features belong to each chromosome; None takes all as one
        group.
    group_width : int, default=16
        Outputs of each chromosome's block.
    n_logits : int, default=16
        Width of the discrimination vector.
    normalize_logits : bool, default=False
        Standardise the logits of each sample, as the authors' code does. They then have mean 0
        and variance 1 whatever the pair, so that this discriminator cannot be surer of one pair
        than of another: its loss stays at ln 2 or above.
    dropout : float, default=0.0
        Share of features set to zero in training.
    norm : {"sample", "none"}, default="sample"
        Standardise each sample over the features of a hidden block, or not.
    negative_slope : float, default=0.2
        Slope of LeakyReLU below zero.

    References
    ----------
    `fcd_sep` in the authors' code, the default of its command line.
    """

    needs_groups = True

    def __init__(
        self,
        n_target: int,
        n_source: int,
        *,
        groups: Sequence[int] | None = None,
        group_width: int = 16,
        n_logits: int = 16,
        normalize_logits: bool = False,
        dropout: float = 0.0,
        norm: str = "sample",
        negative_slope: float = 0.2,
    ) -> None:
        super().__init__()
        style: dict[str, Any] = {"norm": norm, "dropout": dropout, "negative_slope": negative_slope}
        self.chromosomes = GroupedBlocks(n_source, groups, group_width, **style)
        self.source = FCBlock(self.chromosomes.n_outputs, 64, **style)
        self.target = nn.Sequential(FCBlock(n_target, 128, **style), FCBlock(128, 64, **style))
        self.hidden = FCBlock(128, 32, **style)
        self.output = nn.Sequential(Linear(32, n_logits))
        if normalize_logits:
            self.output.append(nn.LayerNorm(n_logits, elementwise_affine=False))

    def forward(self, Y: Tensor, X: Tensor) -> Tensor:
        """Return the discrimination vectors (logits), of shape (n_samples, n_logits)."""
        source, target = self.source(self.chromosomes(X)), self.target(Y)
        return self.output(self.hidden(torch.cat([source, target], dim=1)))
