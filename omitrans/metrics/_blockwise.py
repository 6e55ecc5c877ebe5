"""Statistics of a prediction in one pass over its rows, summed in float64 block by block.

The sums of squares about the mean are taken about a pivot, the first value of the feature
(or sample), and corrected: ``sum((y - p)**2) - sum(y - p)**2 / n``. As the pivot is one of
the values, the correction magnifies rounding errors by at most about ``n``, and a constant
feature gives exactly zero.
"""

import warnings
from collections.abc import Callable, Collection, Iterator

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from omitrans.utils._blocks import CACHE_VALUES, rows_per_block

# enough rows per block to use whole cache lines of a column-major table
_MIN_BLOCK_ROWS = 16


def walk(
    truth: np.ndarray, prediction: np.ndarray, statistics: Collection[str], *, features: bool
) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Return the requested statistics of every sample and, if requested, R² of every feature.

    Parameters
    ----------
    truth, prediction : ndarray of shape (n_samples, n_features)
        Real and predicted values, of any real dtype.
    statistics : collection of str
        Names of the statistics, which are keys of ``SAMPLE_STATISTICS``.
    features : bool
        Whether to compute R² of every feature.

    Returns
    -------
    per_sample : dict of str to ndarray of shape (n_samples,)
        One array per statistic.
    r2 : ndarray of shape (n_features,) or None
        R² of every feature; None if `features` is false.
    """
    per_sample = {name: np.empty(len(truth)) for name in statistics}
    sums = _FeatureSums(truth[0]) if features else None
    for rows, real, error in _blocks(truth, prediction):
        for name, values in per_sample.items():
            values[rows] = SAMPLE_STATISTICS[name](real, error)
        if sums is not None:
            sums.add(real, error)
    return per_sample, None if sums is None else sums.r2(len(truth))


def _blocks(
    truth: np.ndarray, prediction: np.ndarray
) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """Yield blocks of rows, their real values and their errors, both float64 and row-major."""
    n_samples, n_features = truth.shape
    n_rows = rows_per_block(n_features, CACHE_VALUES, at_least=_MIN_BLOCK_ROWS)
    for start in range(0, n_samples, n_rows):
        rows = slice(start, start + n_rows)
        real = truth[rows].astype(np.float64, order="C")
        yield rows, real, np.subtract(prediction[rows], real, out=np.empty_like(real))


def _sum_squares(values: np.ndarray, axis: str) -> np.ndarray:
    """Sum squares over a block for every row ("i") or column ("j") without a temporary array."""
    return np.einsum(f"ij,ij->{axis}", values, values)


def _mean_square(real: np.ndarray, error: np.ndarray) -> np.ndarray:
    return _sum_squares(error, "i") / error.shape[1]


def _root_mean_square(real: np.ndarray, error: np.ndarray) -> np.ndarray:
    return np.sqrt(_mean_square(real, error))


def _mean_absolute(real: np.ndarray, error: np.ndarray) -> np.ndarray:
    return np.abs(error).mean(axis=1)


def _median_absolute(real: np.ndarray, error: np.ndarray) -> np.ndarray:
    # np.median also partitions for NaN, which takes twice the time
    absolute = np.abs(error)
    middle = absolute.shape[1] // 2
    absolute.partition(middle, axis=1)
    upper = absolute[:, middle]
    if absolute.shape[1] % 2:
        return upper
    return (absolute[:, :middle].max(axis=1) + upper) / 2


def _sample_r2(real: np.ndarray, error: np.ndarray) -> np.ndarray:
    n_features = real.shape[1]
    shifted = real - real[:, :1]
    total = _sum_squares(shifted, "i") - shifted.sum(axis=1) ** 2 / n_features
    return _r2(_sum_squares(error, "i"), total, n_features, "R² per sample", "features")


SAMPLE_STATISTICS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "mse": _mean_square,
    "rmse": _root_mean_square,
    "mean_ae": _mean_absolute,
    "median_ae": _median_absolute,
    "mean_r2_per_sample": _sample_r2,
}


class _FeatureSums:
    """Sums over samples from which R² of every feature is computed."""

    def __init__(self, first_row: np.ndarray) -> None:
        self._pivot = first_row.astype(np.float64)
        self._squared_error = np.zeros(len(first_row))
        self._sum = np.zeros(len(first_row))
        self._sum_squares = np.zeros(len(first_row))

    def add(self, real: np.ndarray, error: np.ndarray) -> None:
        shifted = real - self._pivot
        self._squared_error += _sum_squares(error, "j")
        self._sum += shifted.sum(axis=0)
        self._sum_squares += _sum_squares(shifted, "j")

    def r2(self, n_samples: int) -> np.ndarray:
        total = self._sum_squares - self._sum**2 / n_samples
        return _r2(self._squared_error, total, n_samples, "R² per feature", "samples")


def _r2(
    residual: np.ndarray, total: np.ndarray, n_values: int, what: str, values: str
) -> np.ndarray:
    """Return 1 - residual / total, with scikit-learn's rule if the total is zero."""
    if n_values < 2:
        warnings.warn(
            f"{what} needs at least two {values}; found {n_values}, so it is NaN.",
            UndefinedMetricWarning,
            stacklevel=2,
        )
        return np.full_like(residual, np.nan)
    varies = total > 0
    ratio = np.divide(residual, total, out=(residual > 0).astype(np.float64), where=varies)
    return 1.0 - ratio
