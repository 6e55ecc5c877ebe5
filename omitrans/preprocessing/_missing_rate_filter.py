"""Transformer that drops columns with too many missing values."""

from collections.abc import Callable
from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from omitrans.preprocessing._columns import ColumnsMixin
from omitrans.utils._sklearn import Interval, fit_context


class MissingRateFilter(ColumnsMixin, BaseEstimator):
    """Drop columns in which more than a given fraction of the values is missing in fit.

    Parameters
    ----------
    threshold : float, default=0.1
        Largest fraction of NaN in a column that is kept; columns with a larger fraction are
        dropped.

    Attributes
    ----------
    missing_rate_ : ndarray of shape (n_features,)
        Fraction of NaN in each column seen in fit.
    column_indices_ : ndarray of int
        Positions in X of the columns that are kept.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of str
        Names of the columns of X seen in fit, if X is a frame.

    References
    ----------
    The OmiTrans preprint, section Datasets (probes missing in more than 10% of the samples).

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.preprocessing import MissingRateFilter
    >>> X = np.array([[0.1, np.nan], [0.2, 0.4], [0.3, 0.5]])
    >>> MissingRateFilter(threshold=0.3).fit_transform(X)
    array([[0.1],
           [0.2],
           [0.3]])
    """

    _parameter_constraints = {"threshold": [Interval(Real, 0, 1, closed="both")]}

    def __init__(self, threshold: float = 0.1) -> None:
        self.threshold = threshold

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Measure the fraction of missing values in each column.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows.
        y : None
            Ignored.

        Returns
        -------
        MissingRateFilter
            The fitted filter.

        Raises
        ------
        ValueError
            If all columns would be dropped.
        """
        return self._fit_columns(X)

    def _choose(self, missing_rates: Callable[[], np.ndarray]) -> None:
        self.missing_rate_ = missing_rates()
        kept = self.missing_rate_ <= self.threshold
        if not kept.any():
            raise ValueError(
                f"MissingRateFilter left none of the {self.n_features_in_} columns: each misses "
                f"more than threshold={self.threshold} of its values (at least "
                f"{self.missing_rate_.min():.3g}). Raise the threshold, or drop poor samples first."
            )
        self.column_indices_ = np.flatnonzero(kept)
