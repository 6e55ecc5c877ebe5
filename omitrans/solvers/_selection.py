"""p-values of the best of many correlations, corrected for its selection."""

import numpy as np
from scipy import special

from omitrans.solvers._standardize import standardize

_MAX_BLOCK = 256
_SAMPLES_PER_COLUMN = 10
_MAX_ITER = 100
_SMALLEST = 1e-300


def correlation_p(r2: np.ndarray, n_samples: int) -> np.ndarray:
    """Return two-sided p-values of squared Pearson correlations, by the t distribution.

    Parameters
    ----------
    r2 : ndarray
        Squared correlations.
    n_samples : int
        Number of samples, at least three.

    Returns
    -------
    ndarray
        p-values; NaN stays NaN.
    """
    return special.betainc((n_samples - 2) / 2, 0.5, np.clip(1 - np.asarray(r2), 0, 1))


def effective_number(X: np.ndarray) -> float:
    """Return how many independent columns give as large a best correlation as these columns.

    Galwey's number, the square of the sum of the roots of the eigenvalues of the correlation matrix
    over their sum, is computed in blocks of neighbouring columns and summed. The blocks have a
    tenth as many columns as there are samples, because the eigenvalues of a larger matrix are
    determined by the number of samples rather than by the correlations. Correlations between blocks
    are not counted, which makes the number too large rather than too small.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
        Source columns without NaN. Neighbouring columns should be those that correlate, such as
        neighbours on the genome.

    Returns
    -------
    float
        Effective number, between 1 and the number of columns that vary; 0 if none does.

    References
    ----------
    N. W. Galwey. A new measure of the effective number of tests, a practical tool for comparing
    families of non-independent significance tests. Genetic Epidemiology 33, 559-568 (2009).
    """
    step = min(max(len(X) // _SAMPLES_PER_COLUMN, 1), _MAX_BLOCK)
    total = 0.0
    for start in range(0, X.shape[1], step):
        block = X[:, start : start + step].astype(np.float64)
        values = standardize(block, centre=True, scale=True).values
        values = values[:, values.any(axis=0)]
        if values.shape[1]:
            eigenvalues = np.linalg.eigvalsh(values.T @ values / len(X)).clip(min=0)
            total += np.sqrt(eigenvalues).sum() ** 2 / eigenvalues.sum()
    return total


def best_of_independent(p: np.ndarray, n_tests: np.ndarray | float) -> np.ndarray:
    """Return the probability that the smallest of some independent p-values is at most `p`.

    Parameters
    ----------
    p : ndarray
        Smallest p-values.
    n_tests : ndarray or float
        Numbers of independent tests.

    Returns
    -------
    ndarray
        Corrected p-values (Šidák).
    """
    with np.errstate(divide="ignore"):  # p = 1
        return np.clip(-np.expm1(n_tests * np.log1p(-p)), 0, 1)


def best_of_permuted(p: np.ndarray, permuted: np.ndarray) -> np.ndarray:
    """Return the probability that the smallest p-value of permuted samples is at most `p`.

    The smallest p-values of permutations are taken to follow a beta distribution, as in FastQTL.
    This resolves probabilities that are far smaller than one over the number of permutations. The
    first shape is the median over the targets, and close to 1; the second one, which stands for the
    number of independent columns, is estimated for each target.

    Parameters
    ----------
    p : ndarray of shape (n_targets,)
        Smallest p-value of each target.
    permuted : ndarray of shape (n_permutations, n_targets)
        Smallest p-values after permutation.

    Returns
    -------
    ndarray of shape (n_targets,)
        Corrected p-values; NaN where `p` is NaN.

    References
    ----------
    H. Ongen, A. Buil, A. A. Brown, E. T. Dermitzakis and O. Delaneau. Fast and efficient QTL mapper
    for thousands of molecular phenotypes. Bioinformatics 32, 1479-1485 (2016).
    """
    clipped = np.clip(permuted, _SMALLEST, 1 - np.finfo(np.float64).eps)
    logs = np.log(clipped).mean(axis=0), np.log1p(-clipped).mean(axis=0)
    mean, variance = clipped.mean(axis=0), clipped.var(axis=0, ddof=1)
    with np.errstate(all="ignore"):  # targets without a p-value, or with one and the same
        start = mean * (mean * (1 - mean) / variance - 1)
        first, second = _beta_shapes(logs, start, start * (1 / mean - 1))
        usual = np.median(first[np.isfinite(first)]) if np.isfinite(first).any() else 1.0
        second = _second_shape(logs[1], usual, second)
        corrected = special.betainc(usual, second, p)
    return np.where(np.isfinite(corrected), corrected, _counted(permuted <= p, p))


def best_of_permuted_within(r2: np.ndarray, permuted: np.ndarray) -> np.ndarray:
    """Return the probability that samples permuted within groups reach a squared correlation.

    What differs between the groups stays when samples are permuted within them, so the largest
    correlations do not scatter around 0. Their squared Fisher transforms are taken to follow a
    Gumbel distribution, the location and scale of which are estimated for each target.

    Parameters
    ----------
    r2 : ndarray of shape (n_targets,)
        Largest squared correlation of each target.
    permuted : ndarray of shape (n_permutations, n_targets)
        Largest squared correlations after permutation.

    Returns
    -------
    ndarray of shape (n_targets,)
        Corrected p-values; NaN where `r2` is NaN.
    """
    below_1 = 1 - np.finfo(np.float64).eps
    size = np.arctanh(np.sqrt(np.minimum(r2, below_1))) ** 2
    sizes = np.arctanh(np.sqrt(np.minimum(permuted, below_1))) ** 2
    with np.errstate(all="ignore"):  # targets without a correlation, or with one and the same
        scale = sizes.std(axis=0, ddof=1) * np.sqrt(6) / np.pi
        location = sizes.mean(axis=0) - np.euler_gamma * scale
        corrected = -np.expm1(-np.exp(-(size - location) / scale))
    return np.where(np.isfinite(corrected), corrected, _counted(permuted >= r2, r2))


def _counted(reached: np.ndarray, observed: np.ndarray) -> np.ndarray:
    counted = (1 + reached.sum(axis=0)) / (len(reached) + 1)
    return np.where(np.isnan(observed), np.nan, counted)


def _beta_shapes(
    logs: tuple[np.ndarray, np.ndarray], first: np.ndarray, second: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return maximum likelihood estimates of both shapes, by Newton's method."""
    first, second = first.clip(min=1e-2), second.clip(min=1e-2)
    for _ in range(_MAX_ITER):
        both, shared = special.digamma(first + second), special.polygamma(1, first + second)
        slope_1 = logs[0] - special.digamma(first) + both
        slope_2 = logs[1] - special.digamma(second) + both
        bend_1 = shared - special.polygamma(1, first)
        bend_2 = shared - special.polygamma(1, second)
        determinant = bend_1 * bend_2 - shared**2
        step_1 = -(bend_2 * slope_1 - shared * slope_2) / determinant
        step_2 = -(bend_1 * slope_2 - shared * slope_1) / determinant
        first = np.maximum(first + step_1, first / 2)
        second = np.maximum(second + step_2, second / 2)
        if np.nanmax(np.abs(step_1) / first, initial=0) < 1e-8:
            break
    return first, second


def _second_shape(log: np.ndarray, first: float, second: np.ndarray) -> np.ndarray:
    """Return maximum likelihood estimates of the second shape for a given first one."""
    for _ in range(_MAX_ITER):
        both, shared = special.digamma(first + second), special.polygamma(1, first + second)
        slope = log - special.digamma(second) + both
        step = -slope / (shared - special.polygamma(1, second))
        second = np.maximum(second + step, second / 2)
        if np.nanmax(np.abs(step) / second, initial=0) < 1e-8:
            break
    return second
