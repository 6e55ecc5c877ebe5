"""Linear regression as a network."""

from omitrans.networks._blocks import Linear
from omitrans.networks._registries import register_generator


@register_generator("linear")
class LinearGenerator(Linear):
    """A linear layer from source to target: n_source -> n_target.

    Parameters
    ----------
    n_source, n_target : int
        Number of source and target features.

    References
    ----------
    This network is `linear_regression` in the code of OmiTrans.
    """

    def __init__(self, n_source: int, n_target: int) -> None:
        super().__init__(n_source, n_target)
