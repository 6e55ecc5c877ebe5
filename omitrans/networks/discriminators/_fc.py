"""The fully connected discriminator of the OmiTrans paper (Figure 3)."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from omitrans.networks._blocks import FCBlock, Linear, PairLinear, activation_block
from omitrans.networks._registries import register_discriminator


@register_discriminator("fc")
class FCDiscriminator(nn.Module):
    """A fully connected discriminator of (target, source) pairs: concat -> 128 -> 64 -> 32 -> 16.

    Parameters
    ----------
    n_target, n_source : int
        Number of target and source features.
    hidden_layer_sizes : sequence of int, default=(128, 64, 32)
        Widths of the hidden blocks.
    n_logits : int, default=16
        Number of logits that the discriminator returns for a pair.
    dropout : float, default=0.0
        Share of features set to zero in training; the authors' discriminator has no dropout.
    norm : {"sample", "none"}, default="sample"
        Whether to standardise each sample over the features of every hidden block ("sample"). The
        logits are never standardised: logits of fixed mean and variance could not tell real from
        generated pairs.
    negative_slope : float, default=0.2
        Slope of the LeakyReLU for negative inputs.

    References
    ----------
    Zhang and Guo, OmiTrans, Figure 3. It is `fcd` in the authors' code.
    """

    def __init__(
        self,
        n_target: int,
        n_source: int,
        *,
        hidden_layer_sizes: Sequence[int] = (128, 64, 32),
        n_logits: int = 16,
        dropout: float = 0.0,
        norm: str = "sample",
        negative_slope: float = 0.2,
    ) -> None:
        super().__init__()
        first, *_ = widths = list(hidden_layer_sizes)
        self.pair = PairLinear(n_target, n_source, first)
        self.hidden = nn.Sequential(
            activation_block(first, norm=norm, dropout=dropout, negative_slope=negative_slope),
            *(
                FCBlock(n_in, n_out, norm=norm, dropout=dropout, negative_slope=negative_slope)
                for n_in, n_out in pairwise(widths)
            ),
        )
        self.output = Linear(widths[-1], n_logits)

    def forward(self, Y: Tensor, X: Tensor) -> Tensor:
        """Return the logits of the pairs, of shape (n_samples, n_logits)."""
        return self.output(self.hidden(self.pair(Y, X)))
