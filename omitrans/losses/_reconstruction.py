"""Distances between generated and real profiles (equation 5 of the OmiTrans paper)."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss, mse_loss

TensorFunction = Callable[[Tensor], Tensor]


def cross_entropy_loss(logits: Tensor, Y: Tensor) -> Tensor:
    """Return the mean cross-entropy of targets in [0, 1] under sigmoid(logits).

    Parameters
    ----------
    logits : torch.Tensor of shape (n_samples, n_targets)
        Output of the generator.
    Y : torch.Tensor of shape (n_samples, n_targets)
        Real profiles, scaled to [0, 1].

    Returns
    -------
    torch.Tensor
        The loss, a scalar.

    Examples
    --------
    >>> import torch
    >>> from omitrans.losses import cross_entropy_loss
    >>> cross_entropy_loss(torch.zeros(2, 3), torch.ones(2, 3)).round(decimals=4)
    tensor(0.6931)
    """
    return binary_cross_entropy_with_logits(logits, Y)


def rmse_loss(output: Tensor, Y: Tensor) -> Tensor:
    """Return the root of the mean squared error, one root for the whole batch.

    Parameters
    ----------
    output : torch.Tensor of shape (n_samples, n_targets)
        Output of the generator.
    Y : torch.Tensor of shape (n_samples, n_targets)
        Real profiles.

    Returns
    -------
    torch.Tensor
        The loss, a scalar.

    References
    ----------
    This is the loss of TDimpute's code. Equation 1 of the paper takes a root for every profile.

    Examples
    --------
    >>> import torch
    >>> from omitrans.losses import rmse_loss
    >>> rmse_loss(torch.zeros(2, 2), torch.tensor([[2.0, 2.0], [2.0, 2.0]]))
    tensor(2.)
    """
    # the root of zero has an infinite slope: a smaller error counts as zero
    return mse_loss(output, Y).clamp_min(1e-12).sqrt()


RECONSTRUCTION_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "l1": l1_loss,
    "mse": mse_loss,
    "rmse": rmse_loss,
    "cross-entropy": cross_entropy_loss,
}

# Functions that turn a generator's output into a profile, for losses that take logits.
OUTPUT_LINKS: dict[str, TensorFunction] = {"cross-entropy": torch.sigmoid}
