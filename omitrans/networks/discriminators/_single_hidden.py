"""A discriminator with one hidden layer."""

from torch import Tensor, nn

from omitrans.networks._blocks import Linear, PairLinear, activation_block
from omitrans.networks._registries import register_discriminator


@register_discriminator("single-hidden")
class SingleHiddenDiscriminator(nn.Module):
    """A discriminator of (target, source) pairs with one hidden layer: concat -> 64 -> 16.

    Parameters
    ----------
    n_target, n_source : int
        Number of target and source features.
    n_hidden : int, default=64
        Width of the hidden layer.
    n_logits : int, default=16
        Number of logits that the discriminator returns for a pair.
    norm : {"none", "sample"}, default="none"
        Whether to standardise each sample over the hidden features ("sample"); the authors do not.
    negative_slope : float, default=0.2
        Slope of the LeakyReLU for negative inputs.

    References
    ----------
    This network is `fcd_single` in the authors' code.
    """

    def __init__(
        self,
        n_target: int,
        n_source: int,
        *,
        n_hidden: int = 64,
        n_logits: int = 16,
        norm: str = "none",
        negative_slope: float = 0.2,
    ) -> None:
        super().__init__()
        self.pair = PairLinear(n_target, n_source, n_hidden)
        self.activation = activation_block(
            n_hidden, norm=norm, dropout=0.0, negative_slope=negative_slope
        )
        self.output = Linear(n_hidden, n_logits)

    def forward(self, Y: Tensor, X: Tensor) -> Tensor:
        """Return the logits of the pairs, of shape (n_samples, n_logits)."""
        return self.output(self.activation(self.pair(Y, X)))
