"""Adversarial losses of a discriminator's logits (equations 1-4 of the OmiTrans paper)."""

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import softplus


def vanilla_loss(logits: Tensor, real: bool) -> Tensor:
    """Return the mean of -log D (real) or -log(1 - D) (generated), D = sigmoid(logits).

    Parameters
    ----------
    logits : torch.Tensor of shape (n_samples, n_logits)
        The discriminator's logits for pairs of profiles.
    real : bool
        Whether the discriminator should judge the pairs as real.

    Returns
    -------
    torch.Tensor
        The loss, a scalar.

    Examples
    --------
    >>> import torch
    >>> from omitrans.losses import vanilla_loss
    >>> vanilla_loss(torch.zeros(2, 16), real=True).round(decimals=4)
    tensor(0.6931)
    """
    return softplus(-logits if real else logits).mean()


def least_squares_loss(logits: Tensor, real: bool) -> Tensor:
    """Return the mean squared distance of the logits from 1 (real) or 0 (generated).

    Parameters
    ----------
    logits : torch.Tensor of shape (n_samples, n_logits)
        The discriminator's logits for pairs of profiles.
    real : bool
        Whether the discriminator should judge the pairs as real.

    Returns
    -------
    torch.Tensor
        The loss, a scalar.

    Examples
    --------
    >>> import torch
    >>> from omitrans.losses import least_squares_loss
    >>> least_squares_loss(torch.full((2, 16), 0.5), real=True)
    tensor(0.2500)
    """
    return (logits - float(real)).square().mean()


ADVERSARIAL_LOSSES: dict[str, Callable[[Tensor, bool], Tensor]] = {
    "vanilla": vanilla_loss,
    "least-squares": least_squares_loss,
}
