"""Adversarial losses of a discriminator's logits (equations 1-4 of the OmiTrans paper)."""

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import softplus


def vanilla_loss(logits: Tensor, real: bool) -> Tensor:
    """Return the mean of -log D (real) or -log(1 - D) (generated), D = sigmoid(logits)."""
    return softplus(-logits if real else logits).mean()


def least_squares_loss(logits: Tensor, real: bool) -> Tensor:
    """Return the mean squared distance of the logits from 1 (real) or 0 (generated)."""
    return (logits - float(real)).square().mean()


ADVERSARIAL_LOSSES: dict[str, Callable[[Tensor, bool], Tensor]] = {
    "vanilla": vanilla_loss,
    "least-squares": least_squares_loss,
}
