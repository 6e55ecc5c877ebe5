"""The U-Net of the OmiTrans paper (Figure 4), for targets up to about twice the source."""

from omitrans.networks._registries import register_generator
from omitrans.networks._unet import UNet1d


@register_generator("unet-in")
class UNetInGenerator(UNet1d):
    """A U-Net with four levels of factor 2, whose steps up double the width of the source.

    Its convolutions read neighbours along the genome. Sort source and target features with
    :class:`~omitrans.preprocessing.LocationAligner`.

    Parameters
    ----------
    n_source, n_target : int
        Number of source and target features.
    n_filters : int, default=64
        Number of channels of the first level.
    kernel_size : int, default=9
        Width of the convolutions, an odd number.
    dropout : float, default=0.0
        Share of values set to zero in training, before the convolutions of every second step
        down and up.
    last_stretch : int, default=None
        Factor by which the last step up lengthens its input. The published factor is 2. None takes
        2, or the smallest larger factor that reaches the number of target features.

    Raises
    ------
    ValueError
        If `last_stretch` is too small for the number of target features.

    Notes
    -----
    As published, the steps up make at least twice `n_source` features, and the features beyond
    `n_target` are cut off. Source features far behind position ``n_target / 2`` therefore have no
    influence on the output. At the size of the paper, 39,464 source and 60,483 target features,
    these are the last 8,927. "unet-de" makes no more features than needed.

    References
    ----------
    Zhang and Guo, OmiTrans, Figure 4. It is `unet_in` in the authors' code.
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
            channels=[n_filters * factor for factor in (1, 2, 4, 8, 16)],
            poolings=(2, 2, 2, 2),
            stretches=(4, 2, 2),
            last_stretch=last_stretch,
            least_stretch=2,
            kernel_size=kernel_size,
            dropouts=(0.0, dropout, 0.0, dropout),
            stretch_bridges=True,
        )
