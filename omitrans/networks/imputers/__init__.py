"""Networks of the imputers, which map incomplete profiles and covariates to complete profiles."""

from omitrans.networks.imputers._masked_mlp import CovariateEmbedding, MaskedMLP, embedding_dim

__all__ = ["CovariateEmbedding", "MaskedMLP", "embedding_dim"]
