"""Refuse predictions that are not finite, where they leave an estimator."""

from typing import Any

import numpy as np


def check_finite_predictions(estimator: Any, predicted: np.ndarray) -> np.ndarray:
    """Return predictions, or raise an error if some are NaN or infinite.

    Parameters
    ----------
    estimator : estimator
        The model, whose ``target_names_`` name the columns.
    predicted : ndarray of shape (n_samples, n_targets) or (n_samples,)
        Its predictions.

    Returns
    -------
    ndarray
        `predicted` itself.

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        # one pass without a mask; a sum that overflows is looked at more closely
        if np.isfinite(predicted.sum(dtype=np.float64)):
            return predicted
        bad = ~np.isfinite(predicted.reshape(len(predicted), -1))
    if not bad.any():
        return predicted
    columns = np.flatnonzero(bad.any(axis=0))
    names = getattr(estimator, "target_names_", [f"y{i}" for i in range(bad.shape[1])])
    raise ValueError(
        f"{type(estimator).__name__} predicts values that are not finite for {len(columns)} of "
        f"{bad.shape[1]} targets (first: {names[columns[0]]}) and "
        f"{int(bad.any(axis=1).sum())} of {len(bad)} samples (first: row "
        f"{int(np.flatnonzero(bad.any(axis=1))[0])}). The values of X or of the training targets "
        f"are too large or too small for {predicted.dtype}: bring both to a usual scale, e.g. with "
        "StandardScaler, or give float64 to fit and to predict."
    )
