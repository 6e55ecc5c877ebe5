"""Losses over some of the entries of a table (equations 4, 12 and 13 of the PMI paper)."""

from torch import Tensor
from torch.nn.functional import softplus


def masked_mse_loss(output: Tensor, Y: Tensor, scored: Tensor) -> Tensor:
    """Return the mean over samples of each sample's mean squared error over its scored entries.

    Parameters
    ----------
    output, Y : torch.Tensor of shape (n_samples, n_features)
        Imputed and real profiles. What is not scored may have any finite value.
    scored : torch.Tensor of bool, of the same shape
        Which entries count. A sample without any counts as met.

    Returns
    -------
    torch.Tensor
        A scalar.

    References
    ----------
    R. Viñas et al., "Deep learning enables fast and accurate imputation of gene expression",
    equation 4, and the second term of equation 13.

    Examples
    --------
    >>> import torch
    >>> from omitrans.losses import masked_mse_loss
    >>> scored = torch.tensor([[True, False], [True, True]])
    >>> masked_mse_loss(torch.zeros(2, 2), torch.tensor([[2.0, 9.0], [0.0, 2.0]]), scored)
    tensor(3.)
    """
    errors = ((output - Y) * scored).square().sum(1)
    return (errors / scored.sum(1).clamp_min(1)).mean()


def masked_adversarial_loss(
    logits: Tensor, observed: Tensor, scored: Tensor, counted: Tensor | None = None
) -> Tensor:
    """Return the cross-entropy of "observed" against "imputed" over the scored entries.

    Parameters
    ----------
    logits : torch.Tensor of shape (n_samples, n_features)
        What the discriminator says of each entry; large means observed.
    observed : torch.Tensor of bool, of the same shape
        What it should say.
    scored : torch.Tensor of bool, of the same shape
        Which entries enter the sum.
    counted : torch.Tensor of bool, of the same shape, default=None
        Entries by whose number, plus one, the sum is divided. None takes those scored.

    Returns
    -------
    torch.Tensor
        A scalar, the mean over samples.

    References
    ----------
    R. Viñas et al., "Deep learning enables fast and accurate imputation of gene expression",
    equation 12 (where 1 - log ŷ is printed for log(1 - ŷ)), and the first term of equation 13,
    which divides by more entries than it sums.

    Examples
    --------
    >>> import torch
    >>> from omitrans.losses import masked_adversarial_loss
    >>> every = torch.ones(1, 3, dtype=torch.bool)
    >>> masked_adversarial_loss(torch.zeros(1, 3), every, every).round(decimals=4)
    tensor(0.5199)
    """
    signs = 1 - 2 * observed.to(logits.dtype)
    entropies = (softplus(signs * logits) * scored).sum(1)
    return (entropies / ((scored if counted is None else counted).sum(1) + 1)).mean()
