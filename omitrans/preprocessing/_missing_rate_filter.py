"""Drop columns with too many missing values."""

from collections.abc import Callable
from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator

from omitrans.preprocessing._columns import ColumnsMixin
from omitrans.utils._sklearn import Interval, fit_context


class MissingRateFilter(ColumnsMixin, BaseEstimator):
    """Drop columns of which more than a given share is missing in fit.

    Parameters
    ----------
    threshold : float, default=0.1
        Columns whose share of NaN among the samples exceeds this are dropped; one that equals it
        is kept.

    Attributes
    ----------
    missing_rate_ : ndarray of shape (n_features,)
        Share of NaN of each column seen in fit.
    column_indices_ : ndarray of int
        Positions in X of the columns that are kept.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of str
        Their names, if X had such.

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
        """Measure how much of each column is missing.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            The samples.
        y : None
            Ignored.

        Returns
        -------
        MissingRateFilter
            The fitted filter.

        Raises
        ------
        ValueError
            If no column is left.
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
