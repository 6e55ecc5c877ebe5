"""The multilayer perceptron of both players of the WGAN-GP (section 2.2 of the paper)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from omitrans.networks._blocks import GlorotLinear
from omitrans.networks._covariate_embedding import CovariateEmbedding


class ConditionalMLP(nn.Module):
    """A perceptron of a vector and covariates, with ReLU between layers and a linear output.

    The generator maps noise to a profile; the critic maps a profile to one number. The vector is
    never concatenated with the covariates: the first layer is a sum of matrix products.

    Parameters
    ----------
    n_covariates : int
        Number of covariates. The categorical covariates come first.
    n_outputs : int
        Number of outputs: the number of genes for a generator, 1 for a critic.
    n_inputs : int, default=64
        Number of values of the vector: the size of the noise for a generator, the number of genes
        for a critic.
    n_categories : sequence of int, default=()
        Number of categories of each categorical covariate. Each covariate is embedded in
        ⌊√v⌋ + 1 numbers.
    hidden_layer_sizes : sequence of int, default=(256, 256)
        Widths of the hidden layers, at least one.

    References
    ----------
    R. Viñas, H. Andrés-Terré, P. Liò and K. Bryson, "Adversarial generation of gene expression
    data", Bioinformatics 38, 2022, section 2.2.

    Examples
    --------
    >>> import torch
    >>> from omitrans.networks.wasserstein import ConditionalMLP
    >>> generator = ConditionalMLP(2, 20, n_inputs=8, n_categories=(15,), hidden_layer_sizes=(4,))
    >>> tissue_and_age = torch.tensor([[5.0, -0.3], [15.0, 1.1]])
    >>> generator(tissue_and_age, torch.zeros(2, 8)).shape
    torch.Size([2, 20])
    """

    def __init__(
        self,
        n_covariates: int,
        n_outputs: int,
        *,
        n_inputs: int = 64,
        n_categories: Sequence[int] = (),
        hidden_layer_sizes: Sequence[int] = (256, 256),
    ) -> None:
        super().__init__()
        first = hidden_layer_sizes[0]
        self.n_inputs = n_inputs
        self.covariates = CovariateEmbedding(n_categories, n_covariates - len(n_categories))
        n_context = self.covariates.n_out
        n_all = n_inputs + n_context
        self.from_values = GlorotLinear(n_inputs, first, n_inputs=n_all)
        self.from_covariates = None
        if n_context:
            self.from_covariates = GlorotLinear(n_context, first, bias=False, n_inputs=n_all)
        self.hidden = nn.ModuleList(
            GlorotLinear(n_in, n_out) for n_in, n_out in pairwise(hidden_layer_sizes)
        )
        self.output = GlorotLinear(hidden_layer_sizes[-1], n_outputs)

    def forward(self, covariates: Tensor, values: Tensor) -> Tensor:
        """Compute the outputs.

        Parameters
        ----------
        covariates : torch.Tensor of shape (n_samples, n_covariates)
            Codes of the categorical covariates, then the numeric covariates.
        values : torch.Tensor of shape (n_samples, n_inputs)
            Noise for a generator, (scaled) profiles for a critic.

        Returns
        -------
        torch.Tensor of shape (n_samples, n_outputs)
            Profiles of a generator, scores of a critic.
        """
        return self._after_first(self._with_context(self.from_values(values), covariates))

    def compare(
        self, covariates: Tensor, real: Tensor, generated: Tensor, share: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return a critic's scores of two profiles of each sample, and its slope between them.

        The slope is the gradient of the score with respect to the profile
        ``share * real + (1 - share) * generated``. It is a product of the layers' weights with the
        units that are active there, so it needs no automatic differentiation, and can itself be
        differentiated once. The first layer is linear: its values between two profiles lie between
        those of the profiles, and cost no further product with all genes.

        Parameters
        ----------
        covariates : torch.Tensor of shape (n_samples, n_covariates)
            Covariates of both profiles of a sample.
        real, generated : torch.Tensor of shape (n_samples, n_inputs)
            The profiles.
        share : torch.Tensor of shape (n_samples, 1)
            Share of the real profile in the mixture, from 0 to 1.

        Returns
        -------
        of_real, of_generated : torch.Tensor of shape (n_samples, 1)
            The scores.
        slope : torch.Tensor of shape (n_samples, n_inputs)
            The gradient of the score with respect to the mixed profile.
        """
        n = len(real)
        first = self.from_values(torch.cat([real, generated]))
        first = self._with_context(first, torch.cat([covariates, covariates]))
        scores = self._after_first(first)
        with torch.no_grad():
            between = torch.lerp(first[n:], first[:n], share.to(first.dtype))
            active = self._active_units(between)
        slope = self.output.weight * active[-1].to(self.output.weight.dtype)
        for layer, units in zip(reversed(self.hidden), reversed(active[:-1]), strict=True):
            slope = slope @ layer.get_parameter("weight")
            slope = slope * units.to(slope.dtype)
        return scores[:n], scores[n:], slope @ self.from_values.weight

    def _with_context(self, first: Tensor, covariates: Tensor) -> Tensor:
        """Add the covariates to the values of the first hidden layer."""
        if self.from_covariates is None:
            return first
        return first + self.from_covariates(self.covariates(covariates))

    def _after_first(self, values: Tensor) -> Tensor:
        """Return the output for the values of the first hidden layer."""
        for layer in self.hidden:
            values = layer(values.relu())
        return self.output(values.relu())

    def _active_units(self, values: Tensor) -> list[Tensor]:
        """Return which units of each hidden layer are active, given the values of the first."""
        active = [values > 0]
        for layer in self.hidden:
            values = layer(values.relu())
            active.append(values > 0)
        return active
