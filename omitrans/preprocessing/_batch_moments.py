"""Moments of batches, and the effects of batches by parametric empirical Bayes."""

from typing import NamedTuple

import numpy as np

_TOLERANCE = 1e-8
_MAX_ITER = 1000


class Moments(NamedTuple):
    """Count, mean and sum of squared deviations; one row per batch, one column per feature."""

    n_known: np.ndarray
    mean: np.ndarray
    squares: np.ndarray

    @classmethod
    def empty(cls, n_batches: int, n_features: int) -> "Moments":
        """Return the moments of zero samples."""
        return cls(*np.zeros((3, n_batches, n_features)))

    def measure(self, batch: int, columns: slice, X: np.ndarray) -> None:
        """Set the moments of a batch in some columns to those of its samples X; NaN is ignored."""
        X = X.astype(np.float64)
        known = ~np.isnan(X)
        count = known.sum(axis=0)
        mean = np.sum(X, axis=0, where=known) / np.maximum(count, 1)
        with np.errstate(invalid="ignore"):  # R's NA is a NaN that signals
            X -= mean
        self.n_known[batch, columns] = count
        self.mean[batch, columns] = mean
        self.squares[batch, columns] = np.sum(X**2, axis=0, where=known)

    def pooled(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean over the samples of all batches, and the deviation within batches."""
        total = np.maximum(self.n_known.sum(axis=0), 1)
        mean = (self.n_known * self.mean).sum(axis=0) / total
        return mean, np.sqrt(self.squares.sum(axis=0) / total)

    def of_batch(self, batch: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean and the deviation of one batch; both are 0 in columns without values."""
        count = np.maximum(self.n_known[batch], 1)
        return self.mean[batch], np.sqrt(self.squares[batch] / count)

    def effects(
        self,
        batch: int,
        mean: np.ndarray,
        scale: np.ndarray,
        *,
        shrink: bool,
        mean_only: bool = False,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return shift and scale of a batch in units of a reference mean and scale.

        Parameters
        ----------
        batch : int
            Row number of the batch.
        mean, scale : ndarray of shape (n_features,)
            Mean and scale of the reference; columns whose scale is 0 get shift 0 and scale 1.
        shrink : bool
            Whether to shrink the effects on a column towards the effects on the other columns.
        mean_only : bool, default=False
            Whether the scale is left at 1.

        Returns
        -------
        shift, scale : ndarray of shape (n_features,)
            Shift and scale of the batch in each column.
        """
        shift, variance = np.zeros_like(mean), np.ones_like(mean)
        varies = scale > 0
        count = self.n_known[batch, varies]
        shift_found = np.where(count > 0, self.mean[batch, varies] - mean[varies], 0)
        shift_found /= scale[varies]
        if mean_only:
            shift[varies] = _shrunken_shift(count, shift_found) if shrink else shift_found
            return shift, variance
        squares = self.squares[batch, varies] / scale[varies] ** 2
        found = _shrunken if shrink and (count > 1).sum() > 1 else _as_estimated
        shift[varies], variance[varies] = found(count, shift_found, squares)
        return shift, np.sqrt(np.where(variance > 0, variance, 1))


def _as_estimated(
    count: np.ndarray, shift: np.ndarray, squares: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    return shift, np.where(count > 1, squares / np.maximum(count - 1, 1), 1)


def _shrunken(
    count: np.ndarray, shift: np.ndarray, squares: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the posterior shift and variance of each column, computed alternately."""
    usable = count > 1
    variances = squares[usable] / (count[usable] - 1)
    prior_shift, prior_spread = shift[usable].mean(), shift[usable].var(ddof=1)
    mean, spread = variances.mean(), variances.var(ddof=1)
    # an inverse gamma prior by the method of moments; equal variances leave nothing to estimate
    shape = 2 + mean**2 / spread if spread > 0 else np.inf
    variance = np.full(len(count), mean)
    for _ in range(_MAX_ITER):
        weight = count * prior_spread
        total = weight + variance
        posterior = (weight * shift + variance * prior_shift) / np.where(total > 0, total, 1)
        previous = variance
        if np.isfinite(shape):
            about = squares + count * (shift - posterior) ** 2
            variance = (mean * (shape - 1) + about / 2) / (count / 2 + shape - 1)
        if np.all(abs(variance - previous) <= _TOLERANCE * previous):
            break
    return posterior, variance


def _shrunken_shift(count: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Return posterior shifts for variances of 1; as in sva, a batch counts like one sample."""
    usable = count > 0
    if usable.sum() < 2:
        return shift
    spread = shift[usable].var(ddof=1)
    return (spread * np.where(usable, shift, shift[usable].mean()) + shift[usable].mean()) / (
        spread + 1
    )
