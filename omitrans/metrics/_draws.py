"""Scores of draws: whether they scatter as real profiles do, gene by gene and together."""

from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_scalar

from omitrans.exceptions import SampleMismatchError
from omitrans.metrics._tables import check_labels, check_tables
from omitrans.utils._blocks import row_blocks


def energy_score(y_true: Any, draws: Any) -> float:
    """Return the mean energy score of drawn profiles: how close they lie, and how honestly spread.

    The score of a sample is the mean Euclidean distance of its draws from its real profile, minus
    half the mean distance between two of its draws. Lower is better. It is a proper score: its
    mean is lowest if the draws come from the distribution of the real profile, with the right
    covariance between genes.

    Parameters
    ----------
    y_true : array-like or DataFrame of shape (n_samples, n_genes)
        Real profiles.
    draws : DataFrame or array-like, (n_draws * n_samples, n_genes) or (n_draws, n_samples, n_genes)
        At least two draws for each sample, as ``sample_y(X, n_samples=n_draws)`` returns them: all
        samples of a draw stand together, in the order of `y_true`.

    Returns
    -------
    float
        Mean over the samples, in the units of the profiles. Distances are divided by the root of
        the number of genes, so that the score of a single draw without spread would be a root mean
        squared error.

    Raises
    ------
    SampleMismatchError, FeatureMismatchError
        If draws and profiles differ in samples or genes.
    ValueError
        If there are fewer than two draws, or if a value is NaN or infinite.

    See Also
    --------
    interval_coverage : Whether intervals of draws hold as many real values as they should.

    Notes
    -----
    Distances are computed in float64 for one block of samples at a time. The distance between
    draws is the mean over pairs of different draws, so that the score does not depend on their
    number on average.

    References
    ----------
    T. Gneiting, A. E. Raftery, "Strictly proper scoring rules, prediction, and estimation", JASA
    102, 2007, section 4.2.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.metrics import energy_score
    >>> rng = np.random.default_rng(0)
    >>> Y = rng.normal(size=(100, 20))
    >>> honest, narrow = rng.normal(size=(50, 100, 20)), 0.1 * rng.normal(size=(50, 100, 20))
    >>> energy_score(Y, honest) < energy_score(Y, narrow)
    True
    """
    truth, drawn, _ = _checked(y_true, draws, at_least=2)
    n_draws, n_samples, n_genes = drawn.shape
    total = 0.0
    pairs = np.triu_indices(n_draws, 1)
    for rows in row_blocks(n_samples, n_draws * n_genes):
        errors = drawn[:, rows].astype(np.float64).transpose(1, 0, 2) - truth[rows, np.newaxis]
        products = errors @ errors.transpose(0, 2, 1)
        squares = np.einsum("ijj->ij", products)
        apart = squares[:, pairs[0]] + squares[:, pairs[1]] - 2 * products[:, *pairs]
        spread = np.sqrt(np.maximum(apart, 0)).mean(axis=1)
        total += float((np.sqrt(squares).mean(axis=1) - spread / 2).sum())
    return total / n_samples / n_genes**0.5


def interval_coverage(y_true: Any, draws: Any, level: float = 0.9) -> np.ndarray | pd.Series:
    """Return for each gene the share of samples whose real value lies in the interval of its draws.

    Parameters
    ----------
    y_true : array-like or DataFrame of shape (n_samples, n_genes)
        Real profiles.
    draws : DataFrame or array-like, (n_draws * n_samples, n_genes) or (n_draws, n_samples, n_genes)
        Draws for each sample, as :func:`energy_score` takes them.
    level : float, default=0.9
        Probability of the central interval. Draws that come from the distribution of the real
        profiles give this share on average, whatever their number is.

    Returns
    -------
    ndarray or Series of shape (n_genes,)
        Shares between 0 and 1; a Series if one of the tables has names.

    Raises
    ------
    SampleMismatchError, FeatureMismatchError
        If draws and profiles differ in samples or genes.
    ValueError
        If the level is not between 0 and 1, if there are too few draws for it, or if a value is
        NaN or infinite.

    See Also
    --------
    gene_set_coverage : The same for means of gene sets, which need the right covariance.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.metrics import interval_coverage
    >>> rng = np.random.default_rng(0)
    >>> Y, draws = rng.normal(size=(200, 5)), rng.normal(size=(99, 200, 5))
    >>> interval_coverage(Y, draws, level=0.8).mean().round(1)
    np.float64(0.8)
    """
    truth, drawn, genes = _checked(y_true, draws, at_least=_fewest_draws(level))
    shares = _inside(truth, drawn, level).mean(axis=0)
    return shares if genes is None else pd.Series(shares, genes, name="coverage")


def gene_set_coverage(
    y_true: Any,
    draws: Any,
    level: float = 0.9,
    *,
    set_size: int = 50,
    n_sets: int = 200,
    random_state: int | np.random.RandomState | None = 0,
) -> float:
    """Return the coverage of intervals for the means of random gene sets.

    The mean of many genes is known well only if their errors are independent. Draws that lack the
    covariance between genes give intervals that are too narrow here, even if those of every single
    gene are right.

    Parameters
    ----------
    y_true : array-like or DataFrame of shape (n_samples, n_genes)
        Real profiles.
    draws : DataFrame or array-like, (n_draws * n_samples, n_genes) or (n_draws, n_samples, n_genes)
        Draws for each sample, as :func:`energy_score` takes them.
    level : float, default=0.9
        Probability of the central interval.
    set_size : int, default=50
        Number of genes in a set; all genes if there are fewer.
    n_sets : int, default=200
        Number of sets.
    random_state : int, RandomState instance or None, default=0
        Seed of the sets.

    Returns
    -------
    float
        Share of the intervals, over samples and sets, that hold the real mean.

    Raises
    ------
    SampleMismatchError, FeatureMismatchError
        If draws and profiles differ in samples or genes.
    ValueError
        If a number is out of range, or if a value is NaN or infinite.

    See Also
    --------
    interval_coverage : The same for single genes.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.metrics import gene_set_coverage
    >>> rng = np.random.default_rng(0)
    >>> Y = rng.normal(size=(100, 1)) + rng.normal(size=(100, 60))
    >>> independent = 2**0.5 * rng.normal(size=(99, 100, 60))
    >>> gene_set_coverage(Y, independent) < 0.5
    True
    """
    check_scalar(set_size, "set_size", Integral, min_val=1)
    check_scalar(n_sets, "n_sets", Integral, min_val=1)
    truth, drawn, _ = _checked(y_true, draws, at_least=_fewest_draws(level))
    random, n_genes = check_random_state(random_state), truth.shape[1]
    member = np.zeros((n_genes, n_sets))
    size = min(set_size, n_genes)
    for number in range(n_sets):
        member[random.choice(n_genes, size, replace=False), number] = 1 / size
    means = np.empty((len(drawn), len(truth), n_sets))
    for draw, mean in zip(drawn, means, strict=True):
        for rows in row_blocks(*truth.shape):
            mean[rows] = draw[rows].astype(np.float64) @ member
    return float(_inside(truth.astype(np.float64) @ member, means, level).mean())


class _Checked(NamedTuple):
    truth: np.ndarray
    drawn: np.ndarray
    """Draws of shape (n_draws, n_samples, n_genes)."""
    genes: pd.Index | None


def _checked(y_true: Any, draws: Any, *, at_least: int) -> _Checked:
    """Return the tables as arrays, or raise an error if they do not belong together."""
    named = isinstance(draws, pd.DataFrame)
    if not named:
        draws = check_array(draws, allow_nd=True, ensure_all_finite=False, input_name="draws")
        draws = draws.reshape(-1, draws.shape[-1]) if draws.ndim == 3 else draws
    n_samples = len(y_true)
    n_draws, left = divmod(len(draws), n_samples)
    if left or n_draws < at_least:
        found = f"{len(draws)} rows for {n_samples} samples"
        need = f"{at_least} draws or more are needed, the same number for every sample"
        error = SampleMismatchError if left else ValueError
        raise error(f"draws hold {found}, and {need}: sample_y(X, n_samples=...) makes them.")
    if named and isinstance(y_true, pd.DataFrame):
        check_labels(y_true.columns, draws.columns, axis="columns", names=("y_true", "draws"))
        _check_samples(y_true.index, draws.index, n_draws)
    values = draws.to_numpy() if named else draws
    pair = check_tables(y_true, values[:n_samples])
    genes = pair.features if pair.features is not None else (draws.columns if named else None)
    if not np.isfinite(values.sum(dtype=np.float64)):
        raise ValueError("draws contain NaN or infinite values, and the metrics need every value.")
    return _Checked(pair.truth, values.reshape(n_draws, n_samples, -1), genes)


def _check_samples(samples: pd.Index, drawn: pd.Index, n_draws: int) -> None:
    """Raise an error unless the rows of all draws are the samples in their order."""
    labels = drawn.droplevel(-1) if drawn.nlevels == samples.nlevels + 1 else drawn
    for number in range(n_draws):
        rows = labels[number * len(samples) : (number + 1) * len(samples)]
        check_labels(samples, rows, axis="index", names=("y_true", "draws"))


def _fewest_draws(level: float) -> int:
    """Return the number of draws from which a central interval is computed, at least 2."""
    check_scalar(level, "level", Real, min_val=0, max_val=1, include_boundaries="neither")
    return max(int(np.ceil(2 / (1 - level) - 1 - 1e-9)), 2)


def _inside(truth: np.ndarray, drawn: np.ndarray, level: float) -> np.ndarray:
    """Return which values lie in the central interval of their draws, by ranks of n + 1."""
    n_draws = len(drawn)
    # the limits lie at ranks so that each of n + 1 places of the real value is as likely
    rank = max((1 - level) / 2 * (n_draws + 1), 1.0)
    below, weight = int(rank + 1e-9) - 1, max(rank - int(rank + 1e-9), 0.0)
    inside = np.empty(truth.shape, dtype=bool)
    for rows in row_blocks(len(truth), n_draws * truth.shape[1]):
        ordered = np.moveaxis(drawn[:, rows], 0, -1).astype(np.float64, order="C")
        ordered.sort(axis=-1)
        limits = []
        for ranked in (ordered, ordered[..., ::-1]):
            limits.append(ranked[..., below])
            if weight:
                limits[-1] = (1 - weight) * limits[-1] + weight * ranked[..., below + 1]
        inside[rows] = (truth[rows] >= limits[0]) & (truth[rows] <= limits[1])
    return inside
