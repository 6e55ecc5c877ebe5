"""The convolutional discriminator of the OmiTrans paper (Figure 5)."""

from omitrans.networks._conv_pair import ConvPair
from omitrans.networks._registries import register_discriminator


@register_discriminator("cnn-small")
class CNNSmallDiscriminator(ConvPair):
    """Convolutional discriminator with one logit for 64 target features (945 at the paper's size).

    Source and target must be in genomic order
    (:class:`~omitrans.preprocessing.LocationAligner`).

    Parameters
    ----------
    n_target, n_source : int
        Number of target and source features.
    n_filters : int, default=64
        Channels of the first level.
    kernel_size : int, default=9
        Width of the convolutions, an odd number.

    Notes
    -----
    The paper draws this network without giving its layers in the text. This one has the published
    input, output, filters and kernel, and 0.3 % fewer weights than the authors'.

    References
    ----------
    Zhang and Guo, OmiTrans, Figure 5; `multi_conv_new_s` in the authors' code.
    """

    def __init__(
        self, n_target: int, n_source: int, *, n_filters: int = 64, kernel_size: int = 9
    ) -> None:
        super().__init__(n_filters, kernel_size)
