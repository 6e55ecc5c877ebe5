"""The random bottleneck of variational encoder-decoders."""

import torch
from torch import Tensor, nn

from omitrans.networks._blocks import Linear


class GaussianBottleneck(nn.Module):
    """Mean and log-variance of a normal distribution, and a draw from it in training.

    Parameters
    ----------
    n_in : int
        Number of inputs.
    latent_dim : int
        Dimension of the distribution.
    """

    def __init__(self, n_in: int, latent_dim: int) -> None:
        super().__init__()
        self.mean = Linear(n_in, latent_dim)
        self.log_variance = Linear(n_in, latent_dim)

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return the latent vectors and their divergence from N(0, 1), a mean over all elements.

        In evaluation the latent vector is the mean, so that a prediction does not vary.
        """
        mean, log_variance = self.mean(h), self.log_variance(h)
        divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).mean()
        if not self.training:
            return mean, divergence
        return mean + torch.randn_like(mean) * (0.5 * log_variance).exp(), divergence
