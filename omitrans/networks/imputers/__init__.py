"""Networks of the imputers: profiles with holes and covariates in, whole profiles out."""

from omitrans.networks.imputers._covariates import CovariateEmbedding, embedding_dim
from omitrans.networks.imputers._masked_mlp import MaskedMLP

__all__ = ["CovariateEmbedding", "MaskedMLP", "embedding_dim"]
