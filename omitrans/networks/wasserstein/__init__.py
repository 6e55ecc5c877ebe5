"""Networks of the generator of expression: both players of a conditional Wasserstein GAN."""

from omitrans.networks.wasserstein._conditional_mlp import ConditionalMLP
from omitrans.networks.wasserstein._gaussian_start import GaussianStartMLP

__all__ = ["ConditionalMLP", "GaussianStartMLP"]
