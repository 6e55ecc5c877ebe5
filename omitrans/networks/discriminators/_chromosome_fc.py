"""The fully connected discriminator with one block per chromosome."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from omitrans.networks._blocks import FCBlock, Linear
from omitrans.networks._chromosome_groups import GroupedBlocks
from omitrans.networks._registries import register_discriminator


@register_discriminator("chromosome-fc")
class ChromosomeFCDiscriminator(nn.Module):
    """A fully connected discriminator that reads the source chromosome by chromosome.

    Widths of its layers: source -> 16 per chromosome -> 64; target -> 128 -> 64; both -> 32 -> 16.

    Parameters
    ----------
    n_target, n_source : int
        Number of target and source features.
    groups : sequence of int, default=None
        Number of neighbouring source features on each chromosome; None takes all as one group.
    group_width : int, default=16
        Number of output features of each chromosome's block.
    n_logits : int, default=16
        Number of logits that the discriminator returns for a pair.
    normalize_logits : bool, default=False
        Whether to standardise the logits of each pair, as the authors' code does. Then all pairs
        have logits of mean 0 and variance 1, so the discriminator cannot be surer of one pair than
        of another, and its loss never falls below ln 2.
    dropout : float, default=0.0
        Share of features set to zero in training.
    norm : {"sample", "none"}, default="sample"
        Whether to standardise each sample over the features of every hidden block ("sample").
    negative_slope : float, default=0.2
        Slope of the LeakyReLU for negative inputs.

    References
    ----------
    This network is `fcd_sep` in the authors' code, the default of its command line.
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
        """Return the logits of the pairs, of shape (n_samples, n_logits)."""
        source, target = self.source(self.chromosomes(X)), self.target(Y)
        return self.output(self.hidden(torch.cat([source, target], dim=1)))
