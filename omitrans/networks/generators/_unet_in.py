"""The U-Net of the OmiTrans paper (Figure 4), for targets up to about twice the source."""

from omitrans.networks._registries import register_generator
from omitrans.networks._unet import UNet1d


@register_generator("unet-in")
class UNetInGenerator(UNet1d):
    """U-Net with four levels of factor 2 whose way up doubles the source's width.

    Its convolutions read neighbours along the genome: sort source and target features with
    :class:`~omitrans.preprocessing.LocationAligner`.

    Parameters
    ----------
    n_source, n_target : int
        Number of source and target features.
    n_filters : int, default=64
        Channels of the first level.
    kernel_size : int, default=9
        Width of the convolutions, an odd number.
    dropout : float, default=0.0
        Share of values set to zero in training, before the convolutions of every second step
        down and up.
    last_stretch : int, default=None
        By how much the last step up lengthens; published: 2. None takes 2, or as
        much more as the target needs.

    Raises
    ------
    ValueError
        If `last_stretch` is too small for the target's width.

    Notes
    -----
    As published, the way up makes at least twice `n_source` features, and what is too long is cut
    off. Source features far behind ``n_target / 2`` therefore reach no output: at the paper's size,
    39,464 to 60,483, the last 8,927. "unet-de" lengthens no more than needed.

    References
    ----------
    Zhang and Guo, OmiTrans, Figure 4; `unet_in` in the authors' code.
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
