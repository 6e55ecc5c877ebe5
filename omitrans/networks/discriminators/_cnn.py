"""A convolutional discriminator that ends with fully connected layers."""

from itertools import pairwise

from torch import Tensor, nn

from omitrans.networks._blocks import FCBlock, Linear
from omitrans.networks._conv import Conv1d, SingleConv
from omitrans.networks._conv_pair import ConvPair, length_of
from omitrans.networks._registries import register_discriminator


@register_discriminator("cnn")
class CNNDiscriminator(nn.Module):
    """The discriminator "cnn-small" with four more convolutions and two fully connected layers.

    Source and target must be in genomic order
    (:class:`~omitrans.preprocessing.LocationAligner`).

    Parameters
    ----------
    n_target, n_source : int
        Number of target and source features.
    n_filters : int, default=64
        Number of channels of the first level.
    kernel_size : int, default=9
        Width of the convolutions, an odd number.
    n_logits : int, default=64
        Number of logits that the discriminator returns for a pair, and width of the hidden layer
        before them.
    dropout : float, default=0.0
        Share of values set to zero in training, after every pooling and in the hidden layer.
    crop_source : bool, default=False
        Whether to cut off the end of the stretched source, as the authors' code does; see
        "cnn-small".

    References
    ----------
    This network is `multi_conv_new` in the authors' code.
    """

    def __init__(
        self,
        n_target: int,
        n_source: int,
        *,
        n_filters: int = 64,
        kernel_size: int = 9,
        n_logits: int = 64,
        dropout: float = 0.0,
        crop_source: bool = False,
    ) -> None:
        super().__init__()
        self.pair = ConvPair(
            n_target,
            n_source,
            n_filters=n_filters,
            kernel_size=kernel_size,
            dropout=dropout,
            crop_source=crop_source,
        )
        widths = [n_filters * factor for factor in (16, 8, 4, 2, 1)]
        self.narrowing = nn.Sequential(
            *(SingleConv(a, b, kernel_size) for a, b in pairwise(widths)), Conv1d(n_filters, 1, 1)
        )
        self.output = nn.Sequential(
            FCBlock(length_of(n_target), n_logits, dropout=dropout), Linear(n_logits, n_logits)
        )

    def forward(self, Y: Tensor, X: Tensor) -> Tensor:
        """Return the logits of the pairs, of shape (n_samples, n_logits)."""
        return self.output(self.narrowing(self.pair(Y, X)).squeeze(1))
