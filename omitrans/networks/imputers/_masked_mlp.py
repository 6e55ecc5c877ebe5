"""The multilayer perceptron of PMI and of both networks of GAIN-GTEx (equations 7 and 14)."""

from collections.abc import Sequence
from itertools import pairwise
from math import isqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from omitrans.networks._blocks import EvenLinear
from omitrans.networks._random import Dropout

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


NORMS = ("batch", "sample", "none")


class _Linear(EvenLinear):
    """A fully connected layer with the initial weights of Keras.

    `n_inputs` is the number of input features of all layers whose outputs are summed.
    """

    def __init__(
        self, n_in: int, n_out: int, *, bias: bool = True, n_inputs: int | None = None
    ) -> None:
        self.n_inputs = n_inputs or n_in
        super().__init__(n_in, n_out, bias=bias)

    def reset_parameters(self) -> None:
        """Draw the initial weights as Glorot does; the constructor calls this once."""
        bound = (6 / (self.n_inputs + self.out_features)) ** 0.5
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation that uses its running statistics for a batch of one sample."""

    def forward(self, values: Tensor) -> Tensor:
        """Normalise each feature of a tensor of shape (n_samples, n_features)."""
        if len(values) > 1 or not self.training:
            return super().forward(values)
        statistics = self.running_mean, self.running_var
        return batch_norm(values, *statistics, self.weight, self.bias, eps=self.eps)


class MaskedMLP(nn.Module):
    """A perceptron of covariates and several profiles, with one output per feature.

    The imputer takes the masked profile, the mask and, for GAIN, masked noise. The discriminator
    takes the completed profile and the hint. The profiles are never concatenated: the first layer
    is a sum of matrix products.

    Parameters
    ----------
    n_covariates : int
        Number of covariates. The categorical covariates come first.
    n_features : int
        Number of genes.
    n_profiles : int, default=2
        Number of profiles that the network takes.
    n_categories : sequence of int, default=()
        Number of categories of each categorical covariate.
    hidden_layer_sizes : sequence of int, default=(1024,)
        Widths of the hidden layers.
    dropout : float, default=0.0
        Share of features set to zero in training, in every hidden layer.
    norm : {"batch", "sample", "none"}, default="batch"
        Normalisation of the hidden features. "batch" takes the statistics of the batch in training
        and their running means in predictions; "sample" normalises within each sample; "none"
        does not normalise.

    References
    ----------
    R. Viñas et al., "Deep learning enables fast and accurate imputation of gene expression",
    Frontiers in Genetics 12, 2021, equations 7 and 14 and section 3.4.

    Examples
    --------
    >>> import torch
    >>> from omitrans.networks.imputers import MaskedMLP
    >>> network = MaskedMLP(3, 20, n_categories=(49, 2), hidden_layer_sizes=(8,))
    >>> covariates = torch.tensor([[5.0, 1.0, -0.3], [49.0, 2.0, 1.1]])
    >>> network(covariates, torch.zeros(2, 20), torch.ones(2, 20)).shape
    torch.Size([2, 20])
    """

    def __init__(
        self,
        n_covariates: int,
        n_features: int,
        *,
        n_profiles: int = 2,
        n_categories: Sequence[int] = (),
        hidden_layer_sizes: Sequence[int] = (1024,),
        dropout: float = 0.0,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        first = hidden_layer_sizes[0]
        self.covariates = CovariateEmbedding(n_categories, n_covariates - len(n_categories))
        n_context = self.covariates.n_out
        n_inputs = n_context + n_profiles * n_features
        self.from_profiles = nn.ModuleList(
            _Linear(n_features, first, bias=i == 0, n_inputs=n_inputs) for i in range(n_profiles)
        )
        self.from_covariates = None
        if n_context:
            self.from_covariates = _Linear(n_context, first, bias=False, n_inputs=n_inputs)
        layers = _activation(first, norm, dropout)
        for n_in, n_out in pairwise(hidden_layer_sizes):
            layers += [_Linear(n_in, n_out), *_activation(n_out, norm, dropout)]
        self.hidden = nn.Sequential(*layers)
        self.output = _Linear(hidden_layer_sizes[-1], n_features)

    def forward(self, covariates: Tensor, *profiles: Tensor) -> Tensor:
        """Compute one output per gene.

        Parameters
        ----------
        covariates : torch.Tensor of shape (n_samples, n_covariates)
            Codes of the categorical covariates, then the numeric covariates.
        *profiles : torch.Tensor of shape (n_samples, n_features)
            The profiles, `n_profiles` in number.

        Returns
        -------
        torch.Tensor of shape (n_samples, n_features)
            Imputed values of an imputer, or logits of a discriminator.
        """
        hidden = self.from_profiles[0](profiles[0])
        for layer, profile in zip(self.from_profiles[1:], profiles[1:], strict=True):
            hidden = hidden + layer(profile)
        if self.from_covariates is not None:
            hidden = hidden + self.from_covariates(self.covariates(covariates))
        return self.output(self.hidden(hidden))

    @torch.no_grad()
    def silence(self, features: Any) -> None:
        """Set some outputs to 0 for all inputs.

        Parameters
        ----------
        features : array-like of int
            Positions of the outputs.
        """
        self.output.weight[features] = 0
        self.output.bias[features] = 0


def _activation(width: int, norm: str, dropout: float) -> list[nn.Module]:
    """Return layers of normalisation, ReLU and dropout, in the published order."""
    if norm not in NORMS:
        raise ValueError(f"The norm of a network must be one of {NORMS}. Got {norm!r} instead.")
    layers: list[nn.Module] = [nn.ReLU()]
    if norm == "batch":
        layers.insert(0, BatchNorm(width, eps=1e-3))  # the eps of Keras
    elif norm == "sample":
        layers.insert(0, nn.LayerNorm(width))
    if dropout > 0:
        layers.append(Dropout(dropout))
    return layers
