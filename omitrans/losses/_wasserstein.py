"""Losses of a Wasserstein GAN with gradient penalty (equation 3 of the paper on expression)."""

import torch
from torch import Tensor


def wasserstein_loss(scores: Tensor, real: bool) -> Tensor:
    """Return the mean of a critic's scores, with the sign that makes it a loss.

    The critic lowers ``wasserstein_loss(of_real, True) + wasserstein_loss(of_generated, False)``,
    the generator ``wasserstein_loss(of_generated, True)``.

    Parameters
    ----------
    scores : torch.Tensor of shape (n_samples, 1)
        The critic's scores of profiles; higher scores mean more realistic profiles.
    real : bool
        Whether the profiles should be judged as real.

    Returns
    -------
    torch.Tensor
        The loss, a scalar.

    References
    ----------
    R. Viñas, H. Andrés-Terré, P. Liò and K. Bryson, "Adversarial generation of gene expression
    data", Bioinformatics 38, 2022, equation 3.

    Examples
    --------
    >>> import torch
    >>> from omitrans.losses import wasserstein_loss
    >>> wasserstein_loss(torch.tensor([[1.0], [3.0]]), real=True)
    tensor(-2.)
    """
    return -scores.mean() if real else scores.mean()


def gradient_penalty(slopes: Tensor) -> Tensor:
    """Return the mean squared distance from 1 of the length of a critic's gradients.

    Parameters
    ----------
    slopes : torch.Tensor of shape (n_samples, n_genes)
        Gradient of the critic's score with respect to the profile, at one profile per sample. A
        gradient of length 0 counts as 1 and is itself not pushed in any direction.

    Returns
    -------
    torch.Tensor
        The penalty, a scalar.

    References
    ----------
    I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin and A. Courville, "Improved training of
    Wasserstein GANs", NIPS 2017.

    Examples
    --------
    >>> import torch
    >>> from omitrans.losses import gradient_penalty
    >>> gradient_penalty(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor(8.5000)
    """
    return (torch.linalg.vector_norm(slopes, dim=1) - 1).square().mean()
