"""Networks of the imputers: profiles with holes and covariates in, whole profiles out."""

from omitrans.networks.imputers._masked_mlp import CovariateEmbedding, MaskedMLP, embedding_dim

__all__ = ["CovariateEmbedding", "MaskedMLP", "embedding_dim"]
