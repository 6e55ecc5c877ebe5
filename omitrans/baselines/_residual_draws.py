"""Draws of real values around predictions: what regressors of several targets share."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from omitrans.model_selection._folds import Split, make_folds, sample_groups
from omitrans.solvers._low_rank_covariance import LowRankCovariance
from omitrans.solvers._residual_covariance import draw_rows, residual_covariance
from omitrans.utils._labelled_draws import check_n_samples, labelled_draws
from omitrans.utils._sklearn import safe_indexing
from omitrans.utils._validation import check_no_missing_targets
from omitrans.utils._wrapped import fit_with_groups


class ResidualDrawsMixin:
    """Mixin of regressors that draw real values around their predictions.

    A subclass sets `_residual_noise` by :meth:`_keep_residuals`, from samples that the predicting
    model was not fitted on.
    """

    target_names_: np.ndarray
    _residual_noise: dict[str, np.ndarray]  # plain arrays, which a model file can hold

    def sample_y(
        self,
        X: ArrayLike,
        n_samples: int = 1,
        random_state: int | np.random.RandomState | None = None,
    ) -> pd.DataFrame:
        """Draw target profiles: the prediction, and errors such as held-out samples have.

        The errors are drawn from a normal distribution with the covariance between targets that
        the errors of held-out samples had. So draws vary as widely as real profiles do around
        their prediction, and targets whose errors go together move together. The random numbers
        depend on `random_state` and on the number of the row, and not on X.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            Source profiles with the columns seen in fit.
        n_samples : int, default=1
            Number of draws for each row.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        DataFrame of shape (n_rows * n_samples, n_targets)
            Drawn profiles in the units of y and the dtype of the predictions. The index is that of
            X. With several draws a second level, ``draw``, is added, and all rows of a draw stand
            together.

        Raises
        ------
        ValueError
            If `n_samples` is not a positive number, or if the model knows no errors of held-out
            samples. The message says how it learns them.
        """
        check_is_fitted(self)
        check_n_samples(n_samples)
        noise = self._known_noise()
        predicted = np.asarray(self.predict(X))  # type: ignore[attr-defined]  # of the regressor
        predicted = predicted.reshape(len(predicted), -1)

        def draw(random: np.random.Generator) -> np.ndarray:
            return drawn_around(predicted, noise, random)

        return labelled_draws(
            draw, index_of(X, len(predicted)), self.target_names_, n_samples, random_state
        )

    def _known_noise(self) -> LowRankCovariance:
        if not hasattr(self, "_residual_noise"):
            raise ValueError(
                f"This {type(self).__name__} does not know how far real values lie from its "
                f"predictions. {self._how_to_learn()}"
            )
        return LowRankCovariance(**self._residual_noise)

    def _how_to_learn(self) -> str:
        return (
            "Call learn_residuals(X, y) with the tables of fit, or fit "
            "omitrans.trust.TrustedRegressor(model); both learn it by cross-validation."
        )

    def _keep_residuals(self, residuals: np.ndarray, folds: list[Split]) -> None:
        """Learn the covariance of errors of held-out samples."""
        self._residual_noise = residual_covariance(residuals, folds)._asdict()


class LearnResidualsMixin:
    """Mixin of regressors whose errors can be learned by cross-validation, after fit."""

    def learn_residuals(
        self,
        X: ArrayLike,
        y: ArrayLike,
        groups: Any = "auto",
        *,
        cv: Any = 5,
        random_state: int | np.random.RandomState | None = None,
    ) -> Self:
        """Learn by cross-validation how real values scatter around the predictions.

        Clones of this model are fitted without each fold and predict it. Their errors are those
        that :meth:`sample_y` draws. Errors on samples that a model has seen would be too small.
        Predictions of this model stay as they are.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles, as in `fit`.
        y : array-like or DataFrame of shape (n_samples, n_targets) or (n_samples,)
            Target profiles of the same samples, as in `fit`.
        groups : "auto", array-like of shape (n_samples,) or None, default="auto"
            The patient of each sample; all samples of a patient are held out together. "auto"
            reads patients from sample ids of TCGA, TARGET or GTEx. None does not group samples.
        cv : int, splitter or iterable, default=5
            Folds; each sample must be in exactly one test fold.
        random_state : int, RandomState instance or None, default=None
            Seed of the folds, if `cv` is a number.

        Returns
        -------
        self
            This regressor.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        ValueError
            If y has other targets than in fit, or if the folds are not usable.
        """
        check_is_fitted(self)
        model: Any = self
        check_no_missing_targets(y)
        target = np.asarray(y)
        target = target.reshape(len(target), -1)
        if target.shape[1] != model.n_targets_:
            raise ValueError(
                f"y holds {target.shape[1]} targets, and this {type(self).__name__} was fitted on "
                f"{model.n_targets_}. Give the tables of fit."
            )
        groups = sample_groups(X, groups)
        folds = make_folds(cv, X, y, groups, check_random_state(random_state))
        predicted = _cross_predict(model, X, y, groups, folds)
        model._keep_residuals(errors_of(target, predicted.reshape(target.shape)), folds)
        return self


def errors_of(target: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return real minus predicted values; 0 where a target never varies.

    Parameters
    ----------
    target, predicted : ndarray of shape (n_samples, n_targets)
        Real values, and predictions of held-out samples.

    Returns
    -------
    ndarray of shape (n_samples, n_targets)
        The errors in the dtype of the predictions.
    """
    errors: np.ndarray = np.subtract(target, predicted).astype(predicted.dtype, copy=False)
    errors[:, target.min(axis=0) == target.max(axis=0)] = 0
    return errors


def index_of(X: Any, n_rows: int) -> pd.Index:
    """Return the index of a frame, or the numbers of the rows of an array."""
    return X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(n_rows)


def drawn_around(
    predicted: np.ndarray, noise: LowRankCovariance, random: np.random.Generator
) -> np.ndarray:
    """Return predictions plus drawn errors.

    Parameters
    ----------
    predicted : ndarray of shape (n_rows, n_targets)
        The predictions.
    noise : LowRankCovariance
        Covariance of the errors.
    random : numpy.random.Generator
        Source of the random numbers.

    Returns
    -------
    ndarray of shape (n_rows, n_targets)
        A new array in the dtype of the predictions.
    """
    errors = draw_rows(noise, len(predicted), random)
    if errors.dtype != predicted.dtype:
        return (predicted + errors).astype(predicted.dtype, copy=False)
    errors += predicted
    return errors


def _cross_predict(
    model: Any, X: Any, y: Any, groups: np.ndarray | None, folds: list[Split]
) -> np.ndarray:
    """Return the predictions of each fold by a clone that was not fitted on it."""
    if hasattr(model, "fit_cross_predict"):
        return np.asarray(clone(model).fit_cross_predict(X, y, folds))
    parts = []
    for train, test in folds:
        known = None if groups is None else groups[train]
        part = fit_with_groups(
            clone(model), safe_indexing(X, train), safe_indexing(y, train), known
        )
        parts.append(np.asarray(part.predict(safe_indexing(X, test))))
    predicted = np.empty((len(np.asarray(y)), *parts[0].shape[1:]), dtype=parts[0].dtype)
    for (_, test), part in zip(folds, parts, strict=True):
        predicted[test] = part
    return predicted
