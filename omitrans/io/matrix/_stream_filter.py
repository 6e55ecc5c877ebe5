"""Choose which features of a matrix to keep, block by block."""

from typing import NamedTuple

import numpy as np


class FeatureFilter(NamedTuple):
    """Conditions that features must meet; None means no condition."""

    max_missing_rate: float | None = None
    min_variance: float | None = None

    def __bool__(self) -> bool:
        return self.max_missing_rate is not None or self.min_variance is not None

    def mask(self, n_missing: np.ndarray, variance: np.ndarray, n_samples: int) -> np.ndarray:
        """Return a mask of the features to keep."""
        kept = np.ones(len(n_missing), bool)
        if self.max_missing_rate is not None:
            kept &= n_missing <= self.max_missing_rate * n_samples
        if self.min_variance is not None:
            kept &= variance >= self.min_variance  # NaN, where nothing was observed, is not
        return kept

    def of_rows(self, values: np.ndarray) -> np.ndarray:
        """Return a mask of the rows to keep in a block with one feature per row."""
        missing = np.isnan(values)
        n_observed = values.shape[1] - missing.sum(axis=1)
        filled = np.where(missing, 0, values).astype(np.float64, copy=False)
        with np.errstate(invalid="ignore", divide="ignore"):
            filled -= filled.sum(axis=1, keepdims=True) / n_observed[:, None]
            filled[missing] = 0
            variance = np.einsum("ij,ij->i", filled, filled) / n_observed
        return self.mask(values.shape[1] - n_observed, variance, values.shape[1])


class ColumnMoments:
    """Count, mean and variance of columns, updated with blocks of rows (Chan et al. 1979)."""

    def __init__(self, n_columns: int):
        self.n_rows = 0
        self.count = np.zeros(n_columns)
        self.mean = np.zeros(n_columns)
        self.squares = np.zeros(n_columns)

    def add(self, values: np.ndarray) -> None:
        """Add a block of rows."""
        missing = np.isnan(values)
        count = len(values) - missing.sum(axis=0)
        filled = np.where(missing, 0, values).astype(np.float64, copy=False)
        mean = filled.sum(axis=0) / np.maximum(count, 1)
        filled -= mean
        filled[missing] = 0
        total = np.maximum(self.count + count, 1)
        shift = mean - self.mean
        self.squares += np.einsum("ij,ij->j", filled, filled)
        self.squares += shift**2 * self.count * count / total
        self.mean += shift * count / total
        self.count += count
        self.n_rows += len(values)

    def kept(self, conditions: FeatureFilter) -> np.ndarray:
        """Return a mask of the columns that meet the conditions."""
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = self.squares / self.count
        return conditions.mask(self.n_rows - self.count, variance, self.n_rows)
