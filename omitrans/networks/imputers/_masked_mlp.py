"""The multilayer perceptron of PMI and of both networks of GAIN-GTEx (equations 7 and 14)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from omitrans.networks._batch_norm import BatchNorm
from omitrans.networks._blocks import GlorotLinear
from omitrans.networks._covariate_embedding import CovariateEmbedding
from omitrans.networks._random import Dropout

NORMS = ("batch", "sample", "none")


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
            GlorotLinear(n_features, first, bias=i == 0, n_inputs=n_inputs)
            for i in range(n_profiles)
        )
        self.from_covariates = None
        if n_context:
            self.from_covariates = GlorotLinear(n_context, first, bias=False, n_inputs=n_inputs)
        layers = _activation(first, norm, dropout)
        for n_in, n_out in pairwise(hidden_layer_sizes):
            layers += [GlorotLinear(n_in, n_out), *_activation(n_out, norm, dropout)]
        self.hidden = nn.Sequential(*layers)
        self.output = GlorotLinear(hidden_layer_sizes[-1], n_features)

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
