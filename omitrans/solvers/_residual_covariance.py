"""Covariance of held-out residuals, from which noise around predictions is drawn."""

from collections.abc import Sequence

import numpy as np

from omitrans.solvers._low_rank_covariance import (
    RANKS,
    LowRankCovariance,
    choose_rank,
    fit_low_rank,
)
from omitrans.utils._blocks import row_blocks


def residual_covariance(
    residuals: np.ndarray, folds: Sequence[tuple[np.ndarray, np.ndarray]]
) -> LowRankCovariance:
    """Learn a covariance from the errors of predictions of held-out samples.

    The mean is taken as zero, so that a bias of the predictions counts as scatter. The number of
    factors is that under which the residuals of each fold are the most likely, given those of the
    others.

    Parameters
    ----------
    residuals : ndarray of shape (n_samples, n_targets)
        Real values minus predictions. Rows with NaN were not held out, and are left out.
    folds : sequence of (ndarray of int, ndarray of int)
        Rows of the other folds and rows of the fold, for each fold.

    Returns
    -------
    LowRankCovariance
        The covariance, in the dtype of the residuals.
    """
    known = ~np.isnan(residuals[:, 0])
    if not known.all():
        place = np.cumsum(known) - 1
        folds = [(place[train[known[train]]], place[test[known[test]]]) for train, test in folds]
        residuals = residuals[known]
    folds = [(train, test) for train, test in folds if len(train) > 1 and len(test)]
    rank = 0
    if folds:
        fewest = min(len(train) for train, _ in folds)
        largest = max(min(fewest - 1, residuals.shape[1] - 1, RANKS[-1]), 0)
        parts = ((residuals[train], residuals[test], float(len(train))) for train, test in folds)
        rank = choose_rank(parts, largest)
    return fit_low_rank(residuals, rank, n_free=float(len(residuals)))


def draw_rows(
    covariance: LowRankCovariance, n_rows: int, random: np.random.Generator
) -> np.ndarray:
    """Draw rows with mean zero and a given covariance.

    Parameters
    ----------
    covariance : LowRankCovariance
        The covariance.
    n_rows : int
        Number of rows. Row i draws the same numbers whatever this number is.
    random : numpy.random.Generator
        Source of the random numbers.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        The rows, in the dtype of the covariance.
    """
    rank, n_columns = covariance.factors.shape
    drawn = np.empty((n_rows, n_columns), covariance.deviation.dtype)
    for rows in row_blocks(n_rows, rank + n_columns):
        normal = random.standard_normal((rows.stop - rows.start, rank + n_columns))
        drawn[rows] = covariance.draw(normal.astype(drawn.dtype))
    return drawn
