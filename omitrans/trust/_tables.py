"""The tables of a trust card, from what the folds predicted."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from omitrans.metrics import r2_per_feature
from omitrans.trust._card import LEVELS, STATED_LEVEL, conformal_quantiles
from omitrans.trust._cross_fit import Fold, as_numbers


class CardTables(NamedTuple):
    """The tables that :class:`~omitrans.trust.TrustCard` takes."""

    genes: pd.DataFrame
    error_quantiles: np.ndarray
    coverage_curve: pd.DataFrame


def card_tables(
    Y: Any, folds: Sequence[Fold], *, shares: Sequence[float], names: np.ndarray, min_r2: float
) -> CardTables:
    """Return what the folds say about each target.

    Parameters
    ----------
    Y : array-like, DataFrame or Series
        The real targets.
    folds : sequence of Fold
        Each sample is in one of them.
    shares : sequence of float
        Of the probes, at which the folds' squared errors were summed; the first is 1.
    names : ndarray of str
        Names of the targets.
    min_r2 : float
        R² above which a target is called predictable.

    Returns
    -------
    CardTables
        The tables.
    """
    truth = as_numbers(Y)
    predicted = np.empty_like(folds[0].predicted, shape=truth.shape)
    for fold in folds:
        predicted[fold.rows] = fold.predicted
    spread = np.square(truth - truth.mean(axis=0, dtype=np.float64)).sum(axis=0)
    squared_errors = np.sum([fold.squared_errors for fold in folds], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        curve = np.where(spread > 0, 1 - squared_errors / spread, np.nan)
    # of a target that never varied nothing is known, however well it is predicted
    r2 = np.where(spread > 0, np.asarray(r2_per_feature(truth, predicted)), np.nan)
    curve[0] = r2
    quantiles = conformal_quantiles(np.abs(truth - predicted))
    genes = pd.DataFrame(
        {
            "r2": r2,
            "n_samples": len(truth),
            "calibration_slope": _slopes(truth, predicted),
            "half_width": quantiles[int(np.searchsorted(LEVELS, STATED_LEVEL - 1e-9))],
            "predictable": r2 > min_r2,
        },
        index=pd.Index(names, name="target"),
    )
    return CardTables(
        genes, quantiles, pd.DataFrame(curve, pd.Index(shares, name="coverage"), names)
    )


def _slopes(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the slope of the real on the predicted values of each target; NaN if constant."""
    centred = predicted - predicted.mean(axis=0, dtype=np.float64)
    covariance = (centred * (truth - truth.mean(axis=0, dtype=np.float64))).sum(axis=0)
    spread = np.square(centred).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, covariance / spread, np.nan)
