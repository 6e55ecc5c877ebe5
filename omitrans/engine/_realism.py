"""How well generated profiles stand for real ones: what early stopping of a generator watches."""

import torch
from torch import Tensor

MIN_SAMPLES = 10
MIN_GENES = 10
"""With fewer samples or genes a comparison of correlations would be mostly noise."""


def structure_distance(real: Tensor, generated: Tensor) -> float:
    """Return 1 - S_dist, where S_dist compares the correlations between genes (section 4.3.1).

    S_dist is the correlation, over all pairs of genes, between the correlation of the pair in the
    real profiles and in the generated ones. It is computed from products of samples with samples,
    so that no table of genes by genes is built.

    Parameters
    ----------
    real : torch.Tensor of shape (n_real, n_genes)
        Real profiles.
    generated : torch.Tensor of shape (n_generated, n_genes)
        Generated profiles.

    Returns
    -------
    float
        0 for the same correlations, 1 for unrelated ones, at most 2. Genes that are constant in
        one of the tables are left out; 1 if fewer than three genes or no variation is left.
    """
    X, varies_X = _unit_columns(real)
    Z, varies_Z = _unit_columns(generated)
    varies = varies_X & varies_Z
    X, Z = X * varies, Z * varies
    n_genes = int(varies.sum())
    n_pairs = n_genes * (n_genes - 1) / 2
    if n_pairs < 3:
        return 1.0

    def over_pairs(total: Tensor) -> float:
        """Return the mean over pairs, given the sum over the whole symmetric matrix."""
        return (float(total) - n_genes) / 2 / n_pairs

    mean_X, mean_Z = (over_pairs(_sum_of_squares(V.sum(1))) for V in (X, Z))
    square_X, square_Z, product = (
        over_pairs(_sum_of_squares(V @ W.T)) for V, W in ((X, X), (Z, Z), (X, Z))
    )
    variance_X, variance_Z = square_X - mean_X**2, square_Z - mean_Z**2
    if not min(variance_X, variance_Z) > 1e-12:
        return 1.0
    return 1 - (product - mean_X * mean_Z) / (variance_X * variance_Z) ** 0.5


def energy_score(real: Tensor, draws: Tensor) -> float:
    """Return the mean energy score of several draws for each real profile.

    The score of a sample is the mean distance of its draws from its real profile, minus half the
    mean distance between draws. Its mean is lowest if the draws come from the distribution of the
    real profile. Distances are divided by the root of the number of genes.

    Parameters
    ----------
    real : torch.Tensor of shape (n_samples, n_genes)
        Real profiles.
    draws : torch.Tensor of shape (n_draws, n_samples, n_genes)
        Profiles that were generated under the covariates of the same samples, at least two each.

    Returns
    -------
    float
        The score.
    """
    n_draws = len(draws)
    to_real = torch.linalg.vector_norm(draws - real, dim=2).mean()
    between = torch.zeros_like(to_real)
    for number in range(1, n_draws):
        pairs = draws[:-number] - draws[number:]
        between += torch.linalg.vector_norm(pairs, dim=2).mean(1).sum()
    spread = between / (n_draws * (n_draws - 1) / 2)
    return float(to_real - spread / 2) / real.shape[1] ** 0.5


def _unit_columns(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return centred columns of length 1, and which columns vary."""
    centred = values - values.mean(0)
    lengths = torch.linalg.vector_norm(centred, dim=0)
    size = torch.linalg.vector_norm(values, dim=0)
    varies = lengths > 1e-5 * size
    return centred / torch.where(varies, lengths, 1.0), varies


def _sum_of_squares(values: Tensor) -> Tensor:
    return values.double().square().sum()
