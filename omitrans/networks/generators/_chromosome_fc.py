"""The fully connected encoder-decoder with one block per chromosome."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from omitrans.networks._blocks import FCBlock, Linear
from omitrans.networks._chromosome_groups import GroupedBlocks
from omitrans.networks._registries import register_generator


@register_generator("chromosome-fc")
class ChromosomeFCGenerator(nn.Module):
    """The encoder-decoder "fc" whose encoder begins with one block per chromosome.

    Parameters
    ----------
    n_source, n_target : int
        Number of source and target features.
    groups : sequence of int, default=None
        Number of neighbouring source features on each chromosome; None takes all as one group.
        Every chromosome has a block, also Y, which the authors' code leaves out.
    group_width : int, default=256
        Number of output features of each chromosome's block.
    hidden_layer_sizes : sequence of int, default=(1024, 512)
        Widths of the encoder's layers after the blocks; the decoder has them in reverse order.
    latent_dim : int, default=256
        Width of the bottleneck.
    decoder_width : int, default=2048
        Width of the decoder's last hidden layer.
    dropout : float, default=0.2
        Share of features set to zero in training, in every hidden block. The authors' code also
        drops values of the output, which this network does not.
    norm : {"sample", "none"}, default="sample"
        Whether to standardise each sample over the features of every hidden block ("sample").
    negative_slope : float, default=0.2
        Slope of the LeakyReLU for negative inputs.

    References
    ----------
    This network is `fcg_sep` in the authors' code, the default of its command line.
    """

    needs_groups = True

    def __init__(
        self,
        n_source: int,
        n_target: int,
        *,
        groups: Sequence[int] | None = None,
        group_width: int = 256,
        hidden_layer_sizes: Sequence[int] = (1024, 512),
        latent_dim: int = 256,
        decoder_width: int = 2048,
        dropout: float = 0.2,
        norm: str = "sample",
        negative_slope: float = 0.2,
    ) -> None:
        super().__init__()
        style: dict[str, Any] = {"norm": norm, "dropout": dropout, "negative_slope": negative_slope}
        self.chromosomes = GroupedBlocks(n_source, groups, group_width, **style)
        back = reversed(hidden_layer_sizes)
        widths = [
            self.chromosomes.n_outputs,
            *hidden_layer_sizes,
            latent_dim,
            *back,
            decoder_width,
        ]
        self.hidden = nn.Sequential(*(FCBlock(a, b, **style) for a, b in pairwise(widths)))
        self.output = Linear(decoder_width, n_target)

    def forward(self, X: Tensor) -> Tensor:
        """Return the predicted target profiles, of shape (n_samples, n_target)."""
        return self.output(self.hidden(self.chromosomes(X)))
