"""Columns of a prediction with intervals: their names, order, and how to recognise them."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

LOWER, UPPER = "_lower", "_upper"
_ENDINGS = ("", LOWER, UPPER)  # of the columns of a target, in their order


def interval_columns(targets: Iterable[Any]) -> pd.Index:
    """Return the names of the columns of a prediction with intervals.

    Parameters
    ----------
    targets : iterable of length n_targets
        Names of the targets.

    Returns
    -------
    Index of length 3 * n_targets
        ``<target>``, ``<target>_lower`` and ``<target>_upper`` of each target in turn.
    """
    return pd.Index([f"{target}{ending}" for target in targets for ending in _ENDINGS])


def interval_table(predicted: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Return a prediction and its limits as one table, in the order of `interval_columns`.

    Parameters
    ----------
    predicted, lower, upper : ndarray of shape (n_samples, n_targets)
        Predictions, and lower and upper limits of their intervals.

    Returns
    -------
    ndarray of shape (n_samples, 3 * n_targets)
        Predictions and limits, in the dtype of `predicted`.
    """
    n_samples, n_targets = predicted.shape
    table = np.empty((n_samples, len(_ENDINGS) * n_targets), dtype=predicted.dtype)
    for place, values in enumerate((predicted, lower, upper)):
        table[:, place :: len(_ENDINGS)] = values
    return table


def split_columns(predictions: pd.DataFrame) -> tuple[list, list]:
    """Return the targets of a prediction, and the targets that have intervals.

    Parameters
    ----------
    predictions : DataFrame
        Predictions with one column per target; with intervals also ``<target>_lower`` and
        ``<target>_upper``.

    Returns
    -------
    targets, bounded : list of column labels
        Targets in their order, and the targets that have both limits.
    """
    known = set(predictions.columns)
    bounded = [name for name in predictions if {f"{name}{LOWER}", f"{name}{UPPER}"} <= known]
    bounds = {f"{name}{end}" for name in bounded for end in (LOWER, UPPER)}
    return [name for name in predictions if name not in bounds], bounded


def limits(predictions: pd.DataFrame, target: Any) -> tuple[pd.Series, pd.Series]:
    """Return the lower and the upper limits of the intervals of a target.

    Parameters
    ----------
    predictions : DataFrame
        Predictions with intervals.
    target : str
        Name of a target that has intervals.

    Returns
    -------
    lower, upper : Series of shape (n_samples,)
        Lower and upper limits.
    """
    return predictions[f"{target}{LOWER}"], predictions[f"{target}{UPPER}"]
