"""Linear models of scikit-learn whose answer for a sample does not depend on the other samples."""

from typing import Any

import numpy as np
import pandas as pd

from omitrans.utils._blocks import row_blocks


def in_float64(model: Any, X: Any) -> Any:
    """Return training samples in float64 for a linear model of scikit-learn, else as they are.

    In float32 the least squares of a table whose columns depend on each other are rounding errors.

    Parameters
    ----------
    model : estimator
        The model that is to be fitted.
    X : array-like or DataFrame of shape (n_samples, n_features)
        Samples as rows.

    Returns
    -------
    array-like or DataFrame of shape (n_samples, n_features)
        A copy of X, or X itself if nothing is to be converted.
    """
    return X.astype(np.float64) if _computes_in_float32(model, X) else X


def predict_evenly(model: Any, X: Any, **params: Any) -> Any:
    """Predict, with a linear model of scikit-learn in float64 and rounded to float32 afterwards.

    A matrix product in float32 rounds otherwise for one sample than for several.

    Parameters
    ----------
    model : estimator
        A fitted model.
    X : array-like or DataFrame of shape (n_samples, n_features)
        Samples as rows.
    **params
        Further parameters of `predict`.

    Returns
    -------
    ndarray or tuple of ndarray
        What `model` predicts; in float32 if X is float32.
    """
    if params or not _computes_in_float32(model, X):
        return model.predict(X, **params)
    rows = X.iloc if isinstance(X, pd.DataFrame) else X
    parts = [
        np.asarray(model.predict(rows[block].astype(np.float64))) for block in row_blocks(*X.shape)
    ]
    with np.errstate(over="ignore"):  # what overflows is refused where it leaves the estimator
        return np.concatenate(parts).astype(np.float32)


def _computes_in_float32(model: Any, X: Any) -> bool:
    """Return whether a linear model of scikit-learn would compute in float32."""
    if not type(model).__module__.startswith("sklearn.linear_model."):
        return False
    kinds = set(X.dtypes) if isinstance(X, pd.DataFrame) else {getattr(X, "dtype", None)}
    two_dimensional = isinstance(X, pd.DataFrame | np.ndarray) and X.ndim == 2 and len(X) > 0
    return two_dimensional and kinds == {np.dtype(np.float32)}
