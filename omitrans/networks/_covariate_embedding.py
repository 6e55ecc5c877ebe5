"""Learned vectors of covariates, which networks take beside profiles."""

from collections.abc import Sequence
from math import isqrt

import torch
from torch import Tensor, nn

UNKNOWN = 0  # code of a category that was not seen in training


def embedding_dim(n_categories: int) -> int:
    """Return the published width of an embedding for a number of categories.

    Parameters
    ----------
    n_categories : int
        Number v of categories, without the unknown category.

    Returns
    -------
    int
        The width, ⌊√v⌋ + 1.

    References
    ----------
    R. Viñas et al., "Deep learning enables fast and accurate imputation of gene expression",
    section 3.4.

    Examples
    --------
    >>> from omitrans.networks.imputers import embedding_dim
    >>> embedding_dim(49)
    8
    """
    return isqrt(n_categories) + 1


class _Embedding(nn.Embedding):
    """Learned vectors of categories, with the initial values of Keras."""

    def reset_parameters(self) -> None:
        """Draw the initial vectors; the constructor calls this once."""
        nn.init.uniform_(self.weight, -0.05, 0.05)


class CovariateEmbedding(nn.Module):
    """Embeddings of categorical covariates (equations 5 and 6), followed by numeric covariates.

    Parameters
    ----------
    n_categories : sequence of int
        Number of categories of each categorical covariate.
    n_numeric : int
        Number of numeric covariates.

    Attributes
    ----------
    n_out : int
        Number of output features.

    Examples
    --------
    >>> import torch
    >>> from omitrans.networks.imputers import CovariateEmbedding
    >>> tissue_sex_age = torch.tensor([[49.0, 1.0, -0.3]])
    >>> CovariateEmbedding((49, 2), 1)(tissue_sex_age).shape
    torch.Size([1, 11])
    """

    def __init__(self, n_categories: Sequence[int], n_numeric: int) -> None:
        super().__init__()
        # one more row, because code 0 is the unknown category
        self.embeddings = nn.ModuleList(_Embedding(v + 1, embedding_dim(v)) for v in n_categories)
        self.n_out = n_numeric + sum(embedding_dim(v) for v in n_categories)

    def forward(self, covariates: Tensor) -> Tensor:
        """Replace the codes of the categories by their embeddings.

        Parameters
        ----------
        covariates : torch.Tensor of shape (n_samples, n_categorical + n_numeric)
            Codes of the categorical covariates, then the numeric covariates.

        Returns
        -------
        torch.Tensor of shape (n_samples, n_out)
            Embeddings of the categories, then the numeric covariates.
        """
        n = len(self.embeddings)
        codes = covariates[:, :n].long()
        vectors = [embedding(codes[:, j]) for j, embedding in enumerate(self.embeddings)]
        return torch.cat([*vectors, covariates[:, n:]], dim=1)

    @torch.no_grad()
    def settle_unknown(self, never_met: Sequence[bool]) -> None:
        """Set the vector of an unknown category to the mean of the known ones, if untrained.

        Parameters
        ----------
        never_met : sequence of bool
            For each categorical covariate, whether no training sample had an unknown category.
        """
        for embedding, alone in zip(self.embeddings, never_met, strict=True):
            if alone:
                weight = embedding.get_parameter("weight")
                weight[UNKNOWN] = weight[UNKNOWN + 1 :].mean(0)
