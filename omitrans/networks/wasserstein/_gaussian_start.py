"""A generator that is a Gaussian model of the profiles plus a perceptron that corrects it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from omitrans.networks.wasserstein._conditional_mlp import ConditionalMLP


class GaussianStartMLP(nn.Module):
    """A Gaussian model whose parameters are trained, plus a perceptron that begins at zero.

    A profile is a mean under the covariates, plus factors that move many genes together, plus noise
    of each gene, plus what the perceptron adds. The mean is a sum of vectors, one for each category
    and one for each combination of categories that is known, and of slopes over the numbers. A
    combination may be a class with factors and noise of its own, which are mixed with those of all.
    Before training all vectors are zero; a fitted Gaussian model is copied into them.

    Parameters
    ----------
    n_covariates : int
        Number of covariates. The categorical covariates come first.
    n_outputs : int
        Number of genes.
    noise_dim : int, default=64
        Number of random values that the perceptron takes in addition to the factors.
    n_factors : int, default=0
        Number of factors.
    n_cells : int, default=0
        Number of combinations of categories that have a vector.
    n_classes : int, default=0
        Number of combinations of categories that have a covariance of their own.
    n_class_factors : int, default=0
        Number of factors of such a combination.
    n_categories : sequence of int, default=()
        Number of categories of each categorical covariate.
    hidden_layer_sizes : sequence of int, default=(256, 256)
        Widths of the hidden layers of the perceptron, at least one.

    Attributes
    ----------
    n_inputs : int
        Number of random values that a profile takes: those of the perceptron, the factors, the
        factors of a class, and one for each gene.

    See Also
    --------
    ConditionalMLP : The published generator, without a Gaussian model.

    Examples
    --------
    >>> import torch
    >>> from omitrans.networks.wasserstein import GaussianStartMLP
    >>> generator = GaussianStartMLP(2, 20, noise_dim=8, n_factors=3, n_categories=(15,))
    >>> generator.n_inputs
    31
    >>> tissue_and_age = torch.tensor([[5.0, -0.3], [15.0, 1.1]])
    >>> generator(tissue_and_age, torch.zeros(2, 31)).shape
    torch.Size([2, 20])
    """

    cells: Tensor
    classes: Tensor
    class_shares: Tensor

    def __init__(
        self,
        n_covariates: int,
        n_outputs: int,
        *,
        noise_dim: int = 64,
        n_factors: int = 0,
        n_cells: int = 0,
        n_classes: int = 0,
        n_class_factors: int = 0,
        n_categories: Sequence[int] = (),
        hidden_layer_sizes: Sequence[int] = (256, 256),
    ) -> None:
        super().__init__()
        n_categorical = len(n_categories)
        self.n_inputs = noise_dim + n_factors + n_class_factors + n_outputs
        self.correction = ConditionalMLP(
            n_covariates,
            n_outputs,
            n_inputs=noise_dim + n_factors,
            n_categories=n_categories,
            hidden_layer_sizes=hidden_layer_sizes,
        )
        nn.init.zeros_(self.correction.output.get_parameter("weight"))
        self.offset = nn.Parameter(torch.zeros(n_outputs))
        # one more row, because code 0 is a missing category
        self.levels = nn.ParameterList(torch.zeros(v + 1, n_outputs) for v in n_categories)
        self.slopes = nn.Parameter(torch.zeros(n_covariates - n_categorical, n_outputs))
        self.cell_effects = nn.Parameter(torch.zeros(n_cells, n_outputs))
        self.register_buffer("cells", torch.full((n_cells, n_categorical), -1.0))
        self.factors = nn.Parameter(torch.zeros(n_factors, n_outputs))
        self.deviation = nn.Parameter(torch.zeros(n_outputs))
        self.class_factors = nn.Parameter(torch.zeros(n_classes, n_class_factors, n_outputs))
        self.class_deviation = nn.Parameter(torch.zeros(n_classes, n_outputs))
        self.register_buffer("classes", torch.full((n_classes, n_categorical), -1.0))
        self.register_buffer("class_shares", torch.zeros(n_classes))

    @property
    def covariates(self) -> nn.Module:
        """The embedding of the covariates, which the perceptron learns."""
        return self.correction.covariates

    def forward(self, covariates: Tensor, noise: Tensor) -> Tensor:
        """Compute the profiles.

        Parameters
        ----------
        covariates : torch.Tensor of shape (n_samples, n_covariates)
            Codes of the categorical covariates, then the numeric covariates.
        noise : torch.Tensor of shape (n_samples, n_inputs)
            Standard normal values.

        Returns
        -------
        torch.Tensor of shape (n_samples, n_outputs)
            The profiles.
        """
        n_factors, n_outputs = self.factors.shape
        n_classes, n_own, _ = self.class_factors.shape
        n_shared = self.n_inputs - n_own - n_outputs
        shared, own, single = noise.split([n_shared, n_own, n_outputs], dim=1)
        profiles = self.mean(covariates) + self.correction(covariates, shared)
        factors = shared[:, n_shared - n_factors :]
        deviation: Tensor = self.deviation
        if n_classes:
            member = self._matches(covariates, self.classes)
            share = (member @ self.class_shares)[:, None]
            factors = factors * (1 - share).sqrt()
            # one product for all rows: the own factors of a row stand in the columns of its class
            own = (member * share.sqrt())[:, :, None] * own[:, None]
            profiles = profiles + own.flatten(1) @ self.class_factors.flatten(0, 1)
            deviation = deviation + (member * share) @ self.class_deviation
        if n_factors:
            profiles = profiles + factors @ self.factors
        return torch.addcmul(profiles, deviation, single)

    def mean(self, covariates: Tensor) -> Tensor:
        """Return the mean of the Gaussian model under some covariates.

        Parameters
        ----------
        covariates : torch.Tensor of shape (n_samples, n_covariates)
            Codes of the categorical covariates, then the numeric covariates.

        Returns
        -------
        torch.Tensor of shape (n_samples, n_outputs)
            The means.
        """
        n_categorical = len(self.levels)
        mean = self.offset + covariates[:, n_categorical:] @ self.slopes
        for j, vectors in enumerate(self.levels):
            mean = mean + vectors[covariates[:, j].long()]
        if len(self.cells):
            mean = mean + self._matches(covariates, self.cells) @ self.cell_effects
        return mean

    def _matches(self, covariates: Tensor, combinations: Tensor) -> Tensor:
        """Return 1 where a row has a combination of categories, else 0."""
        codes = covariates[:, None, : len(self.levels)]
        return (codes == combinations).all(2).to(self.offset.dtype)

    @torch.no_grad()
    def copy_model(
        self,
        *,
        offset: Tensor,
        levels: Sequence[Tensor],
        slopes: Tensor,
        cells: Tensor,
        cell_effects: Tensor,
        factors: Tensor,
        deviation: Tensor,
        classes: Tensor | None = None,
        class_shares: Tensor | None = None,
        class_factors: Sequence[Tensor] = (),
        class_deviation: Tensor | None = None,
    ) -> None:
        """Copy a fitted Gaussian model into the network.

        Parameters
        ----------
        offset : torch.Tensor of shape (n_outputs,)
            Mean profile.
        levels : sequence of torch.Tensor of shape (n_categories + 1, n_outputs)
            Effects of the categories of each categorical covariate, a missing one first.
        slopes : torch.Tensor of shape (n_numeric, n_outputs)
            Effects of the numeric covariates.
        cells : torch.Tensor of shape (n_known, n_categorical)
            Codes of the combinations of categories that have effects, `n_cells` at most.
        cell_effects : torch.Tensor of shape (n_known, n_outputs)
            Their effects.
        factors : torch.Tensor of shape (n_known, n_outputs)
            Loadings of the factors, `n_factors` at most.
        deviation : torch.Tensor of shape (n_outputs,)
            Standard deviation of the noise of each gene.
        classes : torch.Tensor of shape (n_known, n_categorical), optional
            Codes of the combinations that have a covariance of their own, `n_classes` at most.
            None copies no such covariances; the parameters that follow are needed otherwise.
        class_shares : torch.Tensor of shape (n_known,), optional
            Share that the own covariance has in the covariance of each class.
        class_factors : sequence of torch.Tensor of shape (n_own, n_outputs), optional
            Factors of each class, `n_class_factors` at most.
        class_deviation : torch.Tensor of shape (n_known, n_outputs), optional
            Standard deviation of the noise of each class, already mixed with that of all.
        """
        self.offset.copy_(offset)
        for vectors, effects in zip(self.levels, levels, strict=True):
            vectors.copy_(effects)
        self.slopes.copy_(slopes)
        self.cells[: len(cells)] = cells.to(self.cells)
        self.cell_effects[: len(cells)] = cell_effects.to(self.cell_effects)
        self.factors[: len(factors)] = factors.to(self.factors)
        self.deviation.copy_(deviation)
        if classes is None or class_shares is None or class_deviation is None:
            return
        self.classes[: len(classes)] = classes.to(self.classes)
        self.class_shares[: len(classes)] = class_shares.to(self.class_shares)
        for own, known in zip(self.class_factors, class_factors, strict=False):
            own[: len(known)] = known.to(own)
        # the share stands before it in `forward`, so that a class without a share is not trained
        added = (class_deviation.to(self.deviation) - self.deviation) / class_shares[:, None]
        self.class_deviation[: len(classes)] = added.to(self.deviation)
