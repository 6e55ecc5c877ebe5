"""A convolutional discriminator with a fully connected end."""

from torch import Tensor, nn

from omitrans.networks._blocks import Linear
from omitrans.networks._conv_pair import ConvPair, n_logits_of
from omitrans.networks._registries import register_discriminator


@register_discriminator("cnn")
class CNNDiscriminator(nn.Module):
    """As "cnn-small", with a fully connected layer to a vector of 64 logits.

    Parameters
    ----------
    n_target, n_source : int
        Number of target and source features.
    n_filters : int, default=64
        Channels of the first level.
    kernel_size : int, default=9
        Width of the convolutions, an odd number.
    n_logits : int, default=64
        Width of the discrimination vector.
    negative_slope : float, default=0.2
        Slope of LeakyReLU below zero.

    Notes
    -----
    The authors' network of this kind has about a third more weights; its layers are not
    published in text.

    References
    ----------
    `multi_conv_new` in the authors' code.
    """

    def __init__(
        self,
        n_target: int,
        n_source: int,
        *,
        n_filters: int = 64,
        kernel_size: int = 9,
        n_logits: int = 64,
        negative_slope: float = 0.2,
    ) -> None:
        super().__init__()
        self.convolutions = ConvPair(n_filters, kernel_size)
        self.activation = nn.LeakyReLU(negative_slope)
        self.output = Linear(n_logits_of(n_target), n_logits)

    def forward(self, Y: Tensor, X: Tensor) -> Tensor:
        """Return the discrimination vectors (logits), of shape (n_samples, n_logits)."""
        return self.output(self.activation(self.convolutions(Y, X)))
