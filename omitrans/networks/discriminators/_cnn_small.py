"""The convolutional discriminator of the OmiTrans paper (Figure 5)."""

from torch import Tensor, nn

from omitrans.networks._conv import Conv1d
from omitrans.networks._conv_pair import ConvPair
from omitrans.networks._registries import register_discriminator


@register_discriminator("cnn-small")
class CNNSmallDiscriminator(nn.Module):
    """A convolutional discriminator with one logit per 64 target features.

    It returns 945 logits at the size of the paper.

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
    dropout : float, default=0.0
        Share of values set to zero in training, after every pooling.
    crop_source : bool, default=False
        Whether to cut off the end of the stretched source, as the authors' code does. The source
        is made twice as long and then brought to the length of the target. With False maxima of
        neighbours bring it to that length, so that positions in source and target correspond. With
        True, at the size of the paper, the discriminator does not see the last 23 % of the source.

    References
    ----------
    Zhang and Guo, OmiTrans, Figure 5. It is `multi_conv_new_s` in the authors' code.
    """

    def __init__(
        self,
        n_target: int,
        n_source: int,
        *,
        n_filters: int = 64,
        kernel_size: int = 9,
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
        self.output = Conv1d(16 * n_filters, 1, 3)

    def forward(self, Y: Tensor, X: Tensor) -> Tensor:
        """Return the logits of the pairs, of shape (n_samples, n_target // 64)."""
        return self.output(self.pair(Y, X)).squeeze(1)
