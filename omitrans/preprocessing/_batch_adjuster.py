"""Transformer that removes differences in location and scale between batches, like ComBat."""

import warnings
from copy import copy
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from omitrans.preprocessing._batch_moments import Moments
from omitrans.preprocessing._columns import check_table, column_blocks, map_values
from omitrans.preprocessing._held_covariates import (
    Covariates,
    check_not_confounded,
    effects_within_batches,
    read_again,
    read_covariates,
)
from omitrans.utils._callers import user_level
from omitrans.utils._sklearn import fit_context
from omitrans.utils._validation import _some, check_paired_samples


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
    mean_only : bool, default=False
        Whether to remove only the shifts of batches and to keep their scales. If a batch has a
        single sample, which tells no scale, this is done for all batches, with a warning. With
        ``shrink=True`` the shift of a column is then shrunk as much as that of a batch of one
        sample, as in ComBat, so that most of what is special to a column stays. Set
        ``shrink=False`` for batches of many samples.
    reference_batch : object, default=None
        Name of a training batch that is the reference: its samples are not changed, and the others
        are brought to its mean and standard deviation. None takes the samples of all batches.

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
    covariate_names_ : ndarray of shape (n_covariates,) or None
        Names of the covariates held fixed; None without covariates.
    covariate_categories_ : list of (ndarray or None)
        Categories of each covariate, the first of which is the baseline; None for numbers.
    covariate_effects_ : ndarray of shape (n_effects, n_features)
        Effect of each number, and of each category against the first one, on each column.
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
    it. Name what must stay, such as the diagnosis or the age, as `covariates`: their effects are
    estimated together with those of the batches, and are not removed.

    If all samples in fit are one batch, they are the reference and are not changed.

    The result is that of ``sva::ComBat`` of Bioconductor with ``par.prior=TRUE`` (with ``mod``,
    ``mean.only`` and ``ref.batch``) up to its tolerance of 1e-4, with two differences that are
    meant. A column that is constant within one batch, which ComBat leaves alone in all batches, is
    adjusted here; its scale there comes from the other columns. And a missing value here changes
    its own column only, apart from the shrinkage of its batch, whereas ComBat then divides the
    variances of all columns by n - 1 instead of n.

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
    >>> batch, diagnosis = ["plate 1"] * 30 + ["plate 2"] * 20, ["case", "control"] * 25
    >>> BatchAdjuster().fit_transform(X, batch=batch, covariates=diagnosis).shape
    (50, 100)
    """

    _parameter_constraints = {
        "shrink": ["boolean"],
        "mean_only": ["boolean"],
        "reference_batch": "no_validation",
    }

    def __init__(
        self, *, shrink: bool = True, mean_only: bool = False, reference_batch: Any = None
    ) -> None:
        self.shrink = shrink
        self.mean_only = mean_only
        self.reference_batch = reference_batch

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, batch: Any = None, covariates: Any = None) -> Self:
        """Learn the reference and the effects of the training batches.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training samples as rows; NaN is ignored.
        y : None
            Ignored.
        batch : array-like of shape (n_samples,) or None, default=None
            Batch of each sample. None treats all samples as one batch.
        covariates : array-like, DataFrame or Series, default=None
            What must stay: one row per sample; columns of numbers, or of categories.

        Returns
        -------
        BatchAdjuster
            The fitted transformer.

        Raises
        ------
        SampleMismatchError
            If the samples of `covariates` are not those of X.
        ValueError
            If the reference batch is unknown or has one sample, or if a covariate is missing for a
            sample or is determined by the batches.

        Warns
        -----
        UserWarning
            If a batch has only one sample, so that only shifts are removed.
        """
        X = check_table(self, X, reset=True)
        _check_order(X, batch)
        self.batches_, codes = _encode(batch, len(X))
        sizes = np.bincount(codes)
        reference = self._reference(sizes)
        held = None if covariates is None else read_covariates(covariates, X)
        if held is not None:
            check_not_confounded(held, codes)
        self._hold(held)
        mean_only = self.mean_only or _warn_of_single(self.batches_, sizes)
        n_batches = len(self.batches_)
        moments = Moments.empty(n_batches, self.n_features_in_)
        for columns, block in column_blocks(X):
            if held is not None:
                block = block.astype(np.float64)
                effects = effects_within_batches(block, held.design, codes)
                self.covariate_effects_[:, columns] = effects
                with np.errstate(invalid="ignore"):  # R's NA is a NaN that signals
                    block -= held.design @ effects
            for code in range(n_batches):
                moments.measure(code, columns, block[codes == code])
        whole = moments.pooled() if reference is None else moments.of_batch(reference)
        self.mean_, self.scale_ = whole
        self.shifts_ = np.zeros((n_batches, self.n_features_in_))
        self.scales_ = np.ones((n_batches, self.n_features_in_))
        self.current_batch_ = self.batches_[0] if n_batches == 1 else None
        for code in range(n_batches if n_batches > 1 else 0):
            if code != reference:
                found = self._effects(moments, code, mean_only)
                self.shifts_[code], self.scales_[code] = found
        return self

    def _reference(self, sizes: np.ndarray) -> int | None:
        """Return the number of the reference batch among the training batches."""
        if self.reference_batch is None:
            return None
        found = np.flatnonzero(self.batches_ == self.reference_batch)
        if not len(found):
            raise ValueError(
                f"reference_batch={self.reference_batch!r} is none of the batches "
                f"({_some(map(repr, self.batches_), 5)}). Name one of them."
            )
        if sizes[found[0]] < 2:
            raise ValueError(
                f"reference_batch={self.reference_batch!r} has 1 sample, which tells no scale. "
                "Choose a batch of at least two samples."
            )
        return int(found[0])

    def _hold(self, held: Covariates | None) -> None:
        """Set the attributes that describe the covariates."""
        self.covariate_names_ = None if held is None else held.names
        self.covariate_categories_ = [] if held is None else held.categories
        n_effects = 0 if held is None else held.design.shape[1]
        self.covariate_effects_ = np.zeros((n_effects, self.n_features_in_))

    def _effects(
        self, moments: Moments, code: int, mean_only: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        return moments.effects(
            code, self.mean_, self.scale_, shrink=self.shrink, mean_only=mean_only
        )

    def adapt(self, X: Any, *, name: Any = "new", covariates: Any = None) -> Self:
        """Return an adjuster that has also learnt the effect of a new batch.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples of the new batch; NaN is ignored. Of a single sample only the shift is learnt,
            with a warning.
        name : str or int, default="new"
            Name of the new batch; the name of a known batch replaces that batch.
        covariates : array-like, DataFrame or Series, default=None
            Covariates of the samples, if the adjuster was fitted with covariates. Their effects are
            those learnt in fit.

        Returns
        -------
        BatchAdjuster
            New adjuster whose `transform` assumes this batch if no batch is given; the original
            adjuster is not changed.
        """
        check_is_fitted(self)
        X = check_table(self, X, reset=False)
        design = self._design(covariates, X)
        if design is None and self._covariate_names() is not None:
            raise self._covariates_needed("adapt")
        mean_only = self.mean_only or _warn_of_single([name], [len(X)])
        moments = Moments.empty(1, self.n_features_in_)
        for columns, block in column_blocks(X):
            if design is not None:
                with np.errstate(invalid="ignore"):  # R's NA is a NaN that signals
                    block = block - design @ self.covariate_effects_[:, columns]
            moments.measure(0, columns, block)
        shift, scale = self._effects(moments, 0, mean_only)
        adapted = copy(self)
        others = np.flatnonzero(self.batches_ != name)
        adapted.batches_ = np.array([*self.batches_[others], name], dtype=object)
        adapted.shifts_ = np.vstack([self.shifts_[others], shift])
        adapted.scales_ = np.vstack([self.scales_[others], scale])
        adapted.current_batch_ = name
        return adapted

    def transform(self, X: Any, batch: Any = None, covariates: Any = None) -> Any:
        """Remove the effects of known batches.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows; NaN is allowed.
        batch : array-like of shape (n_samples,) or None, default=None
            Batch of each sample. None assigns all samples to `current_batch_`.
        covariates : array-like, DataFrame or Series, default=None
            Covariates of the samples, if the adjuster was fitted with covariates. They are not
            needed where no scale is changed, as with ``mean_only=True``.

        Returns
        -------
        ndarray or DataFrame of shape (n_samples, n_features)
            Transformed samples, as a DataFrame if X is a DataFrame.

        Raises
        ------
        FeatureMismatchError
            If the covariates are not those of fit.
        UnknownCategoryError
            If a covariate holds a category that fit has not met.
        ValueError
            If the batch of a sample is unknown, or if covariates are needed and not given.
        """
        check_is_fitted(self)
        X = check_table(self, X, reset=False)
        if batch is None:
            batch = np.full(len(X), self._assumed_batch(), dtype=object)
        _check_order(X, batch)
        codes = self._known_codes(batch, len(X))
        design = self._design(covariates, X)
        return map_values(X, lambda values: self._remove(values, codes, design))

    def _covariate_names(self) -> np.ndarray | None:
        return getattr(self, "covariate_names_", None)  # earlier versions had none

    def _design(self, covariates: Any, X: Any) -> np.ndarray | None:
        names = self._covariate_names()
        if covariates is None:
            return None
        if names is None:
            raise ValueError(
                "covariates were given, but the adjuster was fitted without. Fit it with them: "
                "adjuster.fit(X, batch=batch, covariates=covariates)."
            )
        return read_again(covariates, X, names, self.covariate_categories_).design

    def _covariates_needed(self, method: str) -> ValueError:
        names = self._covariate_names()
        return ValueError(
            f"The adjuster holds the covariates {_some([] if names is None else names, 5)} fixed "
            f"and needs them for these samples: {method}(X, ..., covariates=...)."
        )

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

    def _remove(self, X: np.ndarray, codes: np.ndarray, design: np.ndarray | None) -> np.ndarray:
        result = np.empty_like(X)
        for code in np.unique(codes):
            scale = self.scales_[code]
            offset = self.mean_ - (self.mean_ + self.scale_ * self.shifts_[code]) / scale
            rescaled = self._covariate_names() is not None and (scale != 1).any()
            if rescaled and design is None:
                raise self._covariates_needed("transform")
            for i in np.flatnonzero(codes == code):  # in float64, one row at a time
                with np.errstate(invalid="ignore"):  # R's NA is a NaN that signals
                    if rescaled and design is not None:
                        held = design[i] @ self.covariate_effects_
                        result[i] = (X[i] - held) / scale + offset + held
                    else:
                        result[i] = X[i] / scale + offset
        return result

    def fit_transform(
        self, X: Any, y: Any = None, batch: Any = None, covariates: Any = None
    ) -> Any:
        """Learn the effects of the training batches and remove them.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training samples as rows; NaN is allowed.
        y : None
            Ignored.
        batch : array-like of shape (n_samples,) or None, default=None
            Batch of each sample. None treats all samples as one batch.
        covariates : array-like, DataFrame or Series, default=None
            What must stay: one row per sample; columns of numbers, or of categories.

        Returns
        -------
        ndarray or DataFrame of shape (n_samples, n_features)
            Transformed samples, as a DataFrame if X is a DataFrame.
        """
        return self.fit(X, y, batch, covariates).transform(X, batch, covariates)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _check_order(X: Any, batch: Any) -> None:
    """Raise an error if batches are indexed and name other samples than the table, in order."""
    if isinstance(batch, pd.Series) and isinstance(X, pd.DataFrame):
        check_paired_samples(X, batch, names=("X", "batch"))


def _encode(batch: Any, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct batches in order of appearance, and the batch number of each sample."""
    if batch is None:
        batch = np.full(n_samples, "training", dtype=object)
    batch = np.asarray(batch, dtype=object)
    if batch.ndim != 1:
        raise ValueError(
            f"batch must hold one batch per sample; its shape is {batch.shape}. Give one column."
        )
    batch = pd.Series(batch)
    if len(batch) != n_samples:
        raise ValueError(f"batch has {len(batch)} entries, X {n_samples} samples. Give one each.")
    if batch.isna().any():
        raise ValueError(
            f"batch is missing for {int(batch.isna().sum())} samples. Name a batch for each."
        )
    codes, names = pd.factorize(batch)
    return np.asarray(names, dtype=object), codes


def _warn_of_single(names: Any, sizes: Any) -> bool:
    """Return whether a batch has a single sample, and warn of it."""
    single = [name for name, size in zip(names, sizes, strict=True) if size < 2]
    if single:
        warnings.warn(
            f"The batches {_some(single, 5)} hold 1 sample each, which tells no scale, so only the "
            "shifts of batches are removed, and with shrink=True the larger part of what differs "
            "from column to column stays. Merge these batches with others of the same plate or "
            "site, leave them out, or set mean_only=True.",
            stacklevel=user_level(),
        )
    return bool(single)
