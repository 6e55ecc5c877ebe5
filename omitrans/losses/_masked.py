"""Losses over some entries of a table (equations 4, 12 and 13 of the PMI paper)."""

from torch import Tensor
from torch.nn.functional import softplus


def masked_mse_loss(output: Tensor, Y: Tensor, scored: Tensor) -> Tensor:
    """Return the mean over samples of each sample's mean squared error over its scored entries.

    Parameters
    ----------
    output, Y : torch.Tensor of shape (n_samples, n_features)
        Imputed and real profiles. Entries that are not scored may have any finite value.
    scored : torch.Tensor of bool, of the same shape
        True for the entries that count. A sample without scored entries has loss 0.

    Returns
    -------
    torch.Tensor
        The loss, a scalar.

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
        The discriminator's logit for each entry; a large logit means "observed".
    observed : torch.Tensor of bool, of the same shape
        The correct answer: True for an entry that should be judged as observed.
    scored : torch.Tensor of bool, of the same shape
        True for the entries whose cross-entropy is summed.
    counted : torch.Tensor of bool, of the same shape, default=None
        The sum is divided by the number of entries that are True here, plus one. None takes the
        scored entries.

    Returns
    -------
    torch.Tensor
        The loss, a scalar mean over samples.

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
