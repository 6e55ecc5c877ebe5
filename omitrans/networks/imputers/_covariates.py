"""Covariates as a network sees them: learned embeddings of categories beside numbers."""

from collections.abc import Sequence
from math import isqrt

import torch
from torch import Tensor, nn

UNKNOWN = 0  # code of a category that training has not met


def embedding_dim(n_categories: int) -> int:
    """Return the published width of an embedding, the root of the number of categories plus one.

    Parameters
    ----------
    n_categories : int
        Size v of the vocabulary, without the unknown category.

    Returns
    -------
    int
        ⌊√v⌋ + 1.

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
    """Learned vectors of categories, which begin as in Keras."""

    def reset_parameters(self) -> None:
        """Draw the vectors; called once, by the constructor."""
        nn.init.uniform_(self.weight, -0.05, 0.05)


class CovariateEmbedding(nn.Module):
    """Embeddings of categorical covariates (equations 5 and 6), followed by the numeric ones.

    Parameters
    ----------
    n_categories : sequence of int
        Number of categories of each categorical covariate.
    n_numeric : int
        Number of numeric covariates.

    Attributes
    ----------
    n_out : int
        Width of what comes out.

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
        # one row more: code 0 is the unknown category
        self.embeddings = nn.ModuleList(_Embedding(v + 1, embedding_dim(v)) for v in n_categories)
        self.n_out = n_numeric + sum(embedding_dim(v) for v in n_categories)

    def forward(self, covariates: Tensor) -> Tensor:
        """Look the categories up.

        Parameters
        ----------
        covariates : torch.Tensor of shape (n_samples, n_categorical + n_numeric)
            Codes, then numbers.

        Returns
        -------
        torch.Tensor of shape (n_samples, n_out)
            Embeddings, then the same numbers.
        """
        n = len(self.embeddings)
        codes = covariates[:, :n].long()
        vectors = [embedding(codes[:, j]) for j, embedding in enumerate(self.embeddings)]
        return torch.cat([*vectors, covariates[:, n:]], dim=1)

    @torch.no_grad()
    def settle_unknown(self, never_met: Sequence[bool]) -> None:
        """Put the unknown category amid the known ones, for covariates where training had none.

        Parameters
        ----------
        never_met : sequence of bool
            For each categorical covariate, whether no training sample was unknown.
        """
        for embedding, alone in zip(self.embeddings, never_met, strict=True):
            if alone:
                weight = embedding.get_parameter("weight")
                weight[UNKNOWN] = weight[UNKNOWN + 1 :].mean(0)
