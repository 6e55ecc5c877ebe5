"""Transformer that removes differences in location and scale between batches, like ComBat."""

from copy import copy
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from omitrans.preprocessing._columns import check_table, column_blocks, map_values
from omitrans.utils._sklearn import fit_context
from omitrans.utils._validation import _some

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

    def effects(
        self, batch: int, mean: np.ndarray, scale: np.ndarray, *, shrink: bool
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


class BatchAdjuster(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Remove the shift and the scale of batches from each column, with empirical Bayes.

    This is ComBat in a form that can be used for prediction. `fit` learns a reference (the mean and
    the standard deviation within batches of each column) and how each training batch differs from
    it. The effects of a small batch on a column are shrunk towards the effects on its other
    columns. `transform` removes the learnt effects and learns nothing from the samples that it
    transforms; the effect of a new cohort is learnt by an explicit call of `adapt`.

    Parameters
    ----------
    shrink : bool, default=True
        Whether to shrink the effects on a column towards the effects on the other columns of the
        batch (parametric empirical Bayes). False uses the effects as estimated.

    Attributes
    ----------
    batches_ : ndarray of shape (n_batches,)
        Names of the known batches.
    current_batch_ : object
        Batch that `transform` assumes if no batch is given: the only batch of the training samples
        or the last batch learnt by `adapt`. None after fitting on several batches.
    mean_ : ndarray of shape (n_features,)
        Reference mean of each column.
    scale_ : ndarray of shape (n_features,)
        Reference standard deviation of each column.
    shifts_ : ndarray of shape (n_batches, n_features)
        Shift of each batch in units of `scale_`.
    scales_ : ndarray of shape (n_batches, n_features)
        Standard deviation within each batch, relative to `scale_`.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of str
        Names of the columns of X seen in fit, if X is a frame.

    Notes
    -----
    The adjustment cannot distinguish a batch effect from other differences between samples. A new
    cohort of another tissue, or with more tumours, loses that difference as well, and with it what
    a model would predict from it. Use the adjuster for cohorts of similar samples, and check the
    cohort with :class:`omitrans.trust.DomainShiftDetector` before the adjustment rather than after
    it. Covariates are not taken into account.

    If all samples in fit are one batch, they are the reference and are not changed.

    In a fitted Pipeline whose first step is an adjuster, insert the adjuster that knows the new
    cohort: ``model.set_params(batchadjuster=model["batchadjuster"].adapt(X_new))``.

    M-values suit the model better than betas, which may leave [0, 1]. Missing values are ignored
    column by column; a column without observed values in a batch gets the typical effect of the
    batch. Columns that do not vary within any batch are not changed.

    References
    ----------
    W. E. Johnson, C. Li and A. Rabinovic. Adjusting batch effects in microarray expression data
    using empirical Bayes methods. Biostatistics 8, 118-127 (2007), section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.preprocessing import BatchAdjuster
    >>> rng = np.random.default_rng(0)
    >>> X, X_new = rng.normal(size=(50, 100)), rng.normal(size=(20, 100)) + 2
    >>> adjuster = BatchAdjuster().fit(X)
    >>> bool(abs(adjuster.adapt(X_new).transform(X_new).mean()) < 0.1)
    True
    """

    _parameter_constraints = {"shrink": ["boolean"]}

    def __init__(self, *, shrink: bool = True) -> None:
        self.shrink = shrink

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, batch: Any = None) -> Self:
        """Learn the reference and the effects of the training batches.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training samples as rows; NaN is ignored.
        y : None
            Ignored.
        batch : array-like of shape (n_samples,) or None, default=None
            Batch of each sample, with at least two samples per batch. None treats all samples as
            one batch.

        Returns
        -------
        BatchAdjuster
            The fitted transformer.

        Raises
        ------
        ValueError
            If a batch has only one sample.
        """
        X = check_table(self, X, reset=True)
        self.batches_, codes = _encode(batch, len(X))
        _check_sizes(self.batches_, np.bincount(codes))
        n_batches = len(self.batches_)
        moments = Moments.empty(n_batches, self.n_features_in_)
        for columns, block in column_blocks(X):
            for code in range(n_batches):
                moments.measure(code, columns, block[codes == code])
        self.mean_, self.scale_ = moments.pooled()
        self.shifts_ = np.zeros((n_batches, self.n_features_in_))
        self.scales_ = np.ones((n_batches, self.n_features_in_))
        self.current_batch_ = self.batches_[0] if n_batches == 1 else None
        if n_batches > 1:
            for code in range(n_batches):
                self.shifts_[code], self.scales_[code] = self._effects(moments, code)
        return self

    def _effects(self, moments: Moments, code: int) -> tuple[np.ndarray, np.ndarray]:
        return moments.effects(code, self.mean_, self.scale_, shrink=self.shrink)

    def adapt(self, X: Any, *, name: Any = "new") -> Self:
        """Return an adjuster that has also learnt the effect of a new batch.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples of the new batch, at least two; NaN is ignored.
        name : str or int, default="new"
            Name of the new batch; the name of a known batch replaces that batch.

        Returns
        -------
        BatchAdjuster
            New adjuster whose `transform` assumes this batch if no batch is given; the original
            adjuster is not changed.
        """
        check_is_fitted(self)
        X = check_table(self, X, reset=False)
        _check_sizes([name], [len(X)])
        moments = Moments.empty(1, self.n_features_in_)
        for columns, block in column_blocks(X):
            moments.measure(0, columns, block)
        shift, scale = self._effects(moments, 0)
        adapted = copy(self)
        others = np.flatnonzero(self.batches_ != name)
        adapted.batches_ = np.array([*self.batches_[others], name], dtype=object)
        adapted.shifts_ = np.vstack([self.shifts_[others], shift])
        adapted.scales_ = np.vstack([self.scales_[others], scale])
        adapted.current_batch_ = name
        return adapted

    def transform(self, X: Any, batch: Any = None) -> Any:
        """Remove the effects of known batches.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows; NaN is allowed.
        batch : array-like of shape (n_samples,) or None, default=None
            Batch of each sample. None assigns all samples to `current_batch_`.

        Returns
        -------
        ndarray or DataFrame of shape (n_samples, n_features)
            Transformed samples, as a DataFrame if X is a DataFrame.

        Raises
        ------
        ValueError
            If the batch of a sample is unknown.
        """
        check_is_fitted(self)
        X = check_table(self, X, reset=False)
        if batch is None:
            batch = np.full(len(X), self._assumed_batch(), dtype=object)
        codes = self._known_codes(batch, len(X))
        return map_values(X, lambda values: self._remove(values, codes))

    def _known_codes(self, batch: Any, n_samples: int) -> np.ndarray:
        names, codes = _encode(batch, n_samples)
        known = pd.Index(self.batches_, dtype=object).get_indexer(pd.Index(names, dtype=object))
        if (known < 0).any():
            raise ValueError(
                f"batch holds {_some(names[known < 0], 5)}; known are {_some(self.batches_, 5)}. "
                "Learn a new batch first: adjuster = adjuster.adapt(X_of_the_batch, name=...)."
            )
        return known[codes]

    def _assumed_batch(self) -> Any:
        if self.current_batch_ is None:
            raise ValueError(
                f"The samples may be of any of the {len(self.batches_)} batches known "
                f"({_some(self.batches_, 5)}) or of none. Say which: transform(X, batch=...); for "
                "a new cohort learn its effect first: adjuster = adjuster.adapt(X)."
            )
        return self.current_batch_

    def _remove(self, X: np.ndarray, codes: np.ndarray) -> np.ndarray:
        result = np.empty_like(X)
        for code in np.unique(codes):
            scale = self.scales_[code]
            offset = self.mean_ - (self.mean_ + self.scale_ * self.shifts_[code]) / scale
            for i in np.flatnonzero(codes == code):  # in float64, one row at a time
                with np.errstate(invalid="ignore"):  # R's NA is a NaN that signals
                    result[i] = X[i] / scale + offset
        return result

    def fit_transform(self, X: Any, y: Any = None, batch: Any = None) -> Any:
        """Learn the effects of the training batches and remove them.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training samples as rows; NaN is allowed.
        y : None
            Ignored.
        batch : array-like of shape (n_samples,) or None, default=None
            Batch of each sample, with at least two samples per batch. None treats all samples as
            one batch.

        Returns
        -------
        ndarray or DataFrame of shape (n_samples, n_features)
            Transformed samples, as a DataFrame if X is a DataFrame.
        """
        return self.fit(X, y, batch).transform(X, batch)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _encode(batch: Any, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct batches in order of appearance, and the batch number of each sample."""
    if batch is None:
        batch = np.full(n_samples, "training", dtype=object)
    batch = pd.Series(np.asarray(batch, dtype=object))
    if len(batch) != n_samples:
        raise ValueError(f"batch has {len(batch)} entries, X {n_samples} samples. Give one each.")
    if batch.isna().any():
        raise ValueError(
            f"batch is missing for {int(batch.isna().sum())} samples. Name a batch for each."
        )
    codes, names = pd.factorize(batch)
    return np.asarray(names, dtype=object), codes


def _check_sizes(names: Any, sizes: Any) -> None:
    single = [name for name, size in zip(names, sizes, strict=True) if size < 2]
    if single:
        raise ValueError(
            f"The batches {_some(single, 5)} hold 1 sample each, which tells no scale; two at "
            "least are needed. Merge them with batches of the same plate or site, or leave them "
            "out."
        )
