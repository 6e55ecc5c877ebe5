"""What the engine expects of a network; a class that fits needs no base class."""

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class GeneratorNet(Protocol):
    """A network that predicts target profiles from source profiles.

    Its class is called as ``cls(n_source, n_target, **params)``.
    """

    def __call__(self, X: Tensor) -> Tensor:
        """Map X of shape (n_samples, n_source) to shape (n_samples, n_target)."""
        ...


@runtime_checkable
class DiscriminatorNet(Protocol):
    """A network that tells a real pair of profiles from a generated one.

    Its class is called as ``cls(n_target, n_source, **params)``.
    """

    def __call__(self, Y: Tensor, X: Tensor) -> Tensor:
        """Map Y (n_samples, n_target) and X (n_samples, n_source) to (n_samples, n_logits)."""
        ...
