"""Imputation by a low-rank approximation, computed by repeated singular value decompositions."""

import warnings
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted

from omitrans.solvers._low_rank import complete, project
from omitrans.utils._sklearn import Interval, fit_context
from omitrans.utils._validation import check_source

_SPANS = 10  # filled values may leave the observed range of a column by this multiple of it


class SVDImputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Fill missing values from a low-rank approximation of the table.

    Missing values start at the mean of their column. Each round decomposes the table and replaces
    the missing values by those of the approximation of rank `rank`. The rounds end when the
    missing values hardly change.

    The missing values of a new sample are taken from the combination of the right singular vectors
    that is nearest to its observed values. If the rounds have converged, a training sample gets
    the same values in both ways.

    Parameters
    ----------
    rank : int, default=10
        Number of singular vectors to compute. The first rounds compute 1, 2, 4, ... of them.
    max_iter : int, default=200
        Maximum number of decompositions.
    tol : float, default=1e-7
        The rounds end when the squared change of the missing values, divided by their sum of
        squares, falls below this value.
    random_state : int, RandomState instance or None, default=None
        Seed of the randomized decompositions; the result hardly depends on it.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
        Mean of the observed values of each column.
    components_ : ndarray of shape (rank, n_features)
        Right singular vectors of the completed table. There are fewer than `rank` if the table has
        fewer rows or columns.
    n_iter_ : int
        Number of decompositions.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of X seen in fit, if X is a frame.

    See Also
    --------
    SVDRegressor : Predict one table from another in the same way.
    sklearn.impute.KNNImputer : Fill missing values from similar samples.

    Notes
    -----
    ``fit`` holds one copy of the table. A sample without observed values gets the means. No filled
    value lies further outside the observed range of its column than ten times this range, as it
    could where columns differ much in scale, or a sample has few values.

    References
    ----------
    O. Troyanskaya et al., "Missing value estimation methods for DNA microarrays", Bioinformatics
    17(6), 2001 (SVDimpute). The first values, the growing rank and the stopping rule are those of
    ``IterativeSVD`` of the fancyimpute package, which TDimpute's comparison used with rank 10 and
    tolerance 1e-7.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.baselines import SVDImputer
    >>> X = np.outer([1.0, 2.0, 3.0, 4.0], [1.0, 10.0, 100.0])
    >>> X[3, 1] = np.nan
    >>> imputer = SVDImputer(rank=1, random_state=0).fit(X)
    >>> imputer.transform([[5.0, np.nan, 500.0]]).round(1)
    array([[  5.,  50., 500.]])
    """

    _parameter_constraints = {
        "rank": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    _limits: tuple[np.ndarray, np.ndarray] | None = None  # imputers of earlier versions

    def __init__(
        self,
        rank: int = 10,
        *,
        max_iter: int = 200,
        tol: float = 1e-7,
        random_state: Any = None,
    ) -> None:
        self.rank = rank
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Compute the singular vectors of a table with missing values.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training samples; NaN marks a missing value.
        y : None
            Ignored.

        Returns
        -------
        SVDImputer
            The fitted imputer.

        Raises
        ------
        ValueError
            If a column has no value at all, or a value is infinite.

        Warns
        -----
        ConvergenceWarning
            If the missing values still change by more than `tol` after `max_iter` decompositions.
        """
        self.fit_transform(X)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: ArrayLike, y: Any = None) -> np.ndarray:
        """Compute the singular vectors of a table and return the table without missing values.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training samples; NaN marks a missing value.
        y : None
            Ignored.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            The complete samples. Observed values are unchanged.
        """
        table = check_source(self, X, reset=True, ensure_all_finite="allow-nan")
        self.mean_ = self._observed_means(table)
        self._limits = self._observed_limits(table)
        low_rank = complete(
            table,
            self.mean_,
            rank=min(self.rank, *table.shape),
            max_iter=self.max_iter,
            tol=self.tol,
            seed=check_random_state(self.random_state).randint(2**31 - 1),
        )
        self.components_, self.n_iter_ = low_rank.components, low_rank.n_iter
        if low_rank.change > self.tol:
            warnings.warn(
                f"SVDImputer has not settled after max_iter={self.max_iter} decompositions "
                f"(relative squared change {low_rank.change:.2g}, tol={self.tol:g}). Raise "
                "max_iter or tol, or lower rank.",
                ConvergenceWarning,
                stacklevel=3,
            )
        return self._within_limits(low_rank.table, table)

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Fill the missing values of each sample from its own observed values.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples with the columns seen in fit; NaN marks a missing value.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            The complete samples. Observed values are unchanged.
        """
        check_is_fitted(self)
        source = check_source(self, X, reset=False, ensure_all_finite="allow-nan")
        filled = source.copy()
        for i, sample in enumerate(source):
            holes = np.isnan(sample)
            if holes.all():
                filled[i] = self.mean_
            elif holes.any():
                filled[i] = project(sample, self.components_)
        return self._within_limits(filled, source)

    def _observed_limits(self, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what a filled value of each column may be at least and at most."""
        # fmin would give NaN for R's NA, a NaN that signals
        seen = [column[~np.isnan(column)] for column in table.T]
        low = np.array([column.min() for column in seen], dtype=np.float64)
        high = np.array([column.max() for column in seen], dtype=np.float64)
        return low - _SPANS * (high - low), high + _SPANS * (high - low)

    def _within_limits(self, filled: np.ndarray, table: np.ndarray) -> np.ndarray:
        """Bring the filled values of a table within limits, in place."""
        if self._limits is None:
            return filled
        with np.errstate(over="ignore"):
            low, high = (limit.astype(filled.dtype) for limit in self._limits)
        for row, seen in zip(filled, table, strict=True):
            holes = np.isnan(seen)
            row[holes] = np.clip(row[holes], low[holes], high[holes])
        return filled

    def _observed_means(self, table: np.ndarray) -> np.ndarray:
        sums, counts = np.zeros(table.shape[1]), np.zeros(table.shape[1], dtype=int)
        for row in table:  # nanmean would copy the table
            seen = ~np.isnan(row)
            sums[seen] += row[seen]
            counts += seen
        empty = np.flatnonzero(counts == 0)
        if len(empty):
            names = getattr(self, "feature_names_in_", np.arange(table.shape[1]))
            first = names[empty[0]]
            raise ValueError(
                f"{len(empty)} columns of X hold no value at all (first: {first}). Drop them, e.g. "
                "with omitrans.preprocessing.MissingRateFilter."
            )
        return (sums / counts).astype(table.dtype)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
