"""Networks of the generator of expression: both players of a conditional Wasserstein GAN."""

from omitrans.networks.wasserstein._conditional_mlp import ConditionalMLP

__all__ = ["ConditionalMLP"]
