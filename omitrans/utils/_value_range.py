"""The smallest and the largest value of a table with missing values."""

import numpy as np


def smallest_and_largest(values: np.ndarray) -> tuple[float, float]:
    """Return the smallest and the largest value, or NaN twice if all values are missing.

    R's NA is a NaN that signals, at which :func:`numpy.fmin` and :func:`numpy.nanmin` forget a
    value that they have seen, or give NaN. In float32 there is none, and ``fmin`` is faster.

    Parameters
    ----------
    values : ndarray
        Values of any shape; NaN marks a missing value.

    Returns
    -------
    smallest, largest : float
        The two values.
    """
    if values.dtype != np.float64:
        return np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
    seen = ~np.isnan(values)
    if not seen.any():
        return np.nan, np.nan
    low = np.min(values, where=seen, initial=np.inf)
    return low, np.max(values, where=seen, initial=-np.inf)
