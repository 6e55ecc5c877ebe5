"""A shallow U-Net for sources several times as wide as the target."""

from omitrans.networks._registries import register_generator
from omitrans.networks._unet import UNet1d


@register_generator("unet-small")
class UNetSmallGenerator(UNet1d):
    """A U-Net with two levels of factor 16, for sources much wider than the target.

    Its convolutions read neighbours along the genome. Sort source and target features with
    :class:`~omitrans.preprocessing.LocationAligner`.

    Maxima of neighbours bring the bridges to the length of the steps up, as in "unet-de".

    Parameters
    ----------
    n_source, n_target : int
        Number of source and target features.
    n_filters : int, default=64
        Number of channels of the first level.
    kernel_size : int, default=9
        Width of the convolutions, an odd number.
    dropout : float, default=0.0
        Share of values set to zero in training, before the convolutions of every step down and up.
    last_stretch : int, default=None
        Factor by which the last step up lengthens its input. The published factor is 10, which
        suits all probes of a 450K array and 60,483 genes. None takes the smallest factor that
        reaches the number of target features.

    Raises
    ------
    ValueError
        If `last_stretch` is too small for the number of target features.

    References
    ----------
    This network is `unet_s_de` in the authors' code.
    """

    def __init__(
        self,
        n_source: int,
        n_target: int,
        *,
        n_filters: int = 64,
        kernel_size: int = 9,
        dropout: float = 0.0,
        last_stretch: int | None = None,
    ) -> None:
        super().__init__(
            n_source,
            n_target,
            channels=[n_filters * factor for factor in (1, 4, 16)],
            poolings=(16, 16),
            stretches=(4,),
            last_stretch=last_stretch,
            least_stretch=1,
            kernel_size=kernel_size,
            dropouts=(dropout, dropout),
            stretch_bridges=False,
        )
