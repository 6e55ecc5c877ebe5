"""The methods that the engine expects of a network; a network needs no base class."""

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class GeneratorNet(Protocol):
    """A network that predicts target profiles from source profiles.

    Its class is called as ``cls(n_source, n_target, **params)``. A class with the attribute
    ``needs_groups = True`` also takes ``groups``: the numbers of neighbouring source features in
    each group, which add up to `n_source`, or None.
    """

    def __call__(self, X: Tensor) -> Tensor:
        """Map X of shape (n_samples, n_source) to shape (n_samples, n_target)."""
        ...


@runtime_checkable
class PenalizedGeneratorNet(Protocol):
    """A generator that adds a term of its own to the loss in training, such as a divergence."""

    def forward_with_penalty(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Return the predicted profiles, and a term that is added to the generator's loss.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_source)
            Source profiles.

        Returns
        -------
        output : torch.Tensor of shape (n_samples, n_target)
            Predicted target profiles.
        penalty : torch.Tensor
            A scalar that is added to the loss.
        """
        ...


@runtime_checkable
class DiscriminatorNet(Protocol):
    """A network that tells a real pair of profiles from a generated one.

    Its class is called as ``cls(n_target, n_source, **params)``.
    """

    def __call__(self, Y: Tensor, X: Tensor) -> Tensor:
        """Map Y (n_samples, n_target) and X (n_samples, n_source) to (n_samples, n_logits)."""
        ...
