"""Networks of the imputers, which map incomplete profiles and covariates to complete profiles."""

from omitrans.networks._covariate_embedding import CovariateEmbedding, embedding_dim
from omitrans.networks.imputers._masked_mlp import MaskedMLP

__all__ = ["CovariateEmbedding", "MaskedMLP", "embedding_dim"]
