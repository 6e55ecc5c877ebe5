"""Regressor that knows how well it predicts each target, and which samples are too unusual."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.linear_model import Ridge
from sklearn.utils import Tags, check_array, check_random_state, get_tags
from sklearn.utils.validation import check_is_fitted

from omitrans.baselines._residual_draws import ResidualDrawsMixin, errors_of
from omitrans.model_selection._folds import Split, make_folds, sample_groups
from omitrans.trust._card import STATED_LEVEL, TrustCard, card_tables
from omitrans.trust._cross_fit import Fold, as_numbers, cross_fit, fit_and_cross_evaluate
from omitrans.trust._shift import DomainShiftDetector
from omitrans.utils._deprecation import renamed_argument
from omitrans.utils._even import in_float64, predict_evenly
from omitrans.utils._finite import check_finite_predictions
from omitrans.utils._sklearn import HasMethods, Interval, fit_context
from omitrans.utils._validation import (
    check_no_missing_targets,
    check_paired_samples,
    target_names,
)
from omitrans.utils._wrapped import as_seen_by, fit_with_groups, layers


class TrustedRegressor(ResidualDrawsMixin, MetaEstimatorMixin, RegressorMixin, BaseEstimator):
    """Fit a regressor, and learn by cross-validation which of its predictions to believe.

    `fit` cross-validates the regressor, stores the results in a trust card, and fits the regressor
    again to all samples. The card gives the R² of each target, prediction intervals, and the
    expected R² for arrays that lack probes. A detector learns what training samples look like and
    flags new samples that look different. :meth:`sample_y` draws profiles whose errors are like
    those of the folds.

    Parameters
    ----------
    estimator : estimator or None, default=None
        Regressor to fit, usually a Pipeline (:func:`omitrans.pipelines.make_translation_pipeline`).
        None takes :class:`sklearn.linear_model.Ridge`.
    cv : int, splitter or iterable, default=5
        Cross-validation folds; each sample must be in exactly one test fold. A number makes
        shuffled folds, which keep the samples of a group together if `fit` knows groups. A splitter
        must keep them together as well. A model with a splitter cannot be saved with
        :func:`omitrans.save`.
    shares : sequence of float, default=(0.9, 0.8, 0.7, 0.5, 0.3)
        Fractions of the probes for which R² is measured, in addition to all probes.
    min_r2 : float, default=0.3
        Cross-validated R² above which a target is called predictable.
    detect_shift : bool, default=True
        Whether to fit a detector of samples that differ from the training samples.
    ensemble : bool, default=False
        Whether to keep the models of the folds, whose disagreement is then the standard deviation
        that ``predict(X, return_std=True)`` returns.
    source_unit, target_unit : str or None, default=None
        Units of X and y, such as "beta" and "log2(FPKM + 1)"; they are stored in the card.
    n_jobs : int or None, default=None
        Number of folds that are fitted at the same time.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds, of the probes that are left out, and of the detector's folds.
    verbose : int, default=0
        Amount of progress messages of joblib.

    Attributes
    ----------
    estimator_ : estimator
        Regressor fitted to all samples.
    trust_card_ : TrustCard
        Results of the cross-validation.
    shift_detector_ : DomainShiftDetector or None
        Detector fitted to the training samples as the innermost regressor gets them, after the
        transformers of Pipelines. None with ``detect_shift=False``.
    fold_models_ : list of estimator
        Regressors of the folds; only with ``ensemble=True``.
    target_names_ : ndarray of str
        Names of the targets: the columns of y, or y0, y1, ... where y has no names.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of str
        Names of the columns of X seen in fit, if X is a frame.

    See Also
    --------
    omitrans.predict_frame : Returns predictions with names and intervals.
    omitrans.comparison.compare_models : Compares regressors, to choose one.

    Notes
    -----
    The intervals are conformal and come from cross-validated errors: their half width is the
    quantile of the absolute errors that a target had in the folds. They have the same width for all
    samples, and are valid for new samples of the same kind as the training cohort, but not for
    flagged samples.

    A regressor with the method ``fit_cross_evaluate``, such as
    :class:`omitrans.baselines.MultiKernelRidgeRegressor`, is fitted in one call that also makes the
    predictions of the folds, as its documentation says; `n_jobs` and `verbose` then change nothing.
    This is not so with ``ensemble=True``, which needs the models of the folds, nor for a regressor
    inside a Pipeline, whose transformers are fitted on each fold.

    The R² of the card is measured on samples that the models were not fitted on. If you compare the
    cards of many models and choose the best, the card of the chosen model is too optimistic.

    References
    ----------
    V. Vovk. Cross-conformal predictors. Annals of Mathematics and Artificial Intelligence 74,
    9-28 (2015).

    Examples
    --------
    >>> from omitrans import predict_frame
    >>> from omitrans.datasets import make_paired_omics
    >>> from omitrans.trust import TrustedRegressor
    >>> data = make_paired_omics(120, 300, 20, random_state=0)
    >>> X = data.X.fillna(data.X.mean())
    >>> model = TrustedRegressor(random_state=0)
    >>> model = model.fit(X[:100], data.Y[:100], groups=data.samples["patient"][:100])
    >>> list(model.trust_card_.genes)
    ['r2', 'n_samples', 'calibration_slope', 'half_width', 'predictable']
    >>> predict_frame(model, X[100:], intervals=0.9).shape
    (20, 60)
    >>> bool(model.shift_report(X[100:])["shifted"].all())
    False
    """

    _fitted_model_in = "estimator_"  # for what looks into wrapped models

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "cv": ["cv_object"],
        "shares": ["array-like"],
        "min_r2": [Interval(Real, None, 1, closed="right")],
        "detect_shift": ["boolean"],
        "ensemble": ["boolean"],
        "source_unit": [str, None],
        "target_unit": [str, None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        cv: Any = 5,
        shares: Sequence[float] = (0.9, 0.8, 0.7, 0.5, 0.3),
        min_r2: float = 0.3,
        detect_shift: bool = True,
        ensemble: bool = False,
        source_unit: str | None = None,
        target_unit: str | None = None,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.cv = cv
        self.shares = shares
        self.min_r2 = min_r2
        self.detect_shift = detect_shift
        self.ensemble = ensemble
        self.source_unit = source_unit
        self.target_unit = target_unit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    # the regressor checks its own parameters
    @renamed_argument("Y", "y", since="0.1", until="0.3")
    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, groups: Any = "auto") -> Self:
        """Cross-validate the regressor, and fit it to all samples.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles with samples as rows.
        y : array-like, DataFrame or Series of shape (n_samples, n_targets) or (n_samples,)
            Target profiles of the same samples in the same order.
        groups : "auto", None or array-like of shape (n_samples,), default="auto"
            Patient of each sample; all samples of a patient are held out together. "auto" reads
            patients from the index of a DataFrame X if it holds ids of TCGA, TARGET or GTEx and
            patients have several samples. None does not group samples. The detector and, if its
            `fit` takes groups, the regressor also receive the groups.

        Returns
        -------
        TrustedRegressor
            The fitted regressor.

        Raises
        ------
        SampleMismatchError
            If X and y are indexed and do not hold the same samples in the same order.
        ValueError
            If `cv` does not predict every sample exactly once or puts a group on both sides of a
            split, if a sample has no group, or if one of `shares` is not between 0 and 1.

        Warns
        -----
        PatientGroupsWarning
            If samples were grouped because their ids name the same patients.
        """
        if y is None:
            raise ValueError("TrustedRegressor requires y to be passed, but the target y is None.")
        check_paired_samples(X, y)
        shares = self._checked_shares()
        X = X if isinstance(X, pd.DataFrame) else _plain_array(X)
        if self.estimator is None:
            X = in_float64(Ridge(), X)
        y = y if isinstance(y, pd.DataFrame | pd.Series) else _plain_array(y, ensure_2d=False)
        check_no_missing_targets(y)
        groups = sample_groups(X, groups)
        generator = check_random_state(self.random_state)
        folds = self._make_folds(X, y, groups, generator)
        seeds = generator.randint(np.iinfo(np.int32).max, size=len(folds)).tolist()
        how = {"shares": shares, "seeds": seeds}
        model = clone(self._estimator())
        in_one = hasattr(model, "fit_cross_evaluate") and not self.ensemble
        if in_one:
            results = fit_and_cross_evaluate(model, X, y, folds, **how)
        else:
            fit_with_groups(model, X, y, groups)
        self.estimator_ = model
        # before the folds, which take longer: what the detector cannot read is said early
        self.shift_detector_ = self._fit_detector(X, groups, generator)
        if not in_one:
            results = cross_fit(
                self._estimator(),
                X,
                y,
                folds,
                groups=groups,
                keep_models=self.ensemble,
                n_jobs=self.n_jobs,
                verbose=self.verbose,
                **how,
            )
        self.target_names_ = target_names(y, results[0].predicted.shape[1])
        self._genes, self._error_quantiles, self._coverage_curve = card_tables(
            y, results, shares=shares, names=self.target_names_, min_r2=self.min_r2
        )
        self._learn_residuals(y, results, folds)
        self._facts = {
            "n_samples": X.shape[0],
            "n_groups": None if groups is None else len(pd.unique(groups)),
            "n_features": X.shape[1],
            "n_folds": len(folds),
            "min_r2": float(self.min_r2),
            "source_unit": self.source_unit,
            "target_unit": self.target_unit,
        }
        if self.ensemble:
            self.fold_models_ = [fold.model for fold in results]
        return self

    def _learn_residuals(self, y: Any, results: list[Fold], folds: list[Split]) -> None:
        """Learn the covariance of the errors in the folds."""
        target = as_numbers(y)
        dtype = np.result_type(*(fold.predicted.dtype for fold in results), np.float32)
        predicted = np.empty(target.shape, dtype)
        for fold in results:
            predicted[fold.rows] = fold.predicted
        self._keep_residuals(errors_of(target, predicted), folds)

    def _how_to_learn(self) -> str:
        return "It was fitted by a version that did not learn this: fit it again."

    def _make_folds(self, X: Any, y: Any, groups: Any, generator: Any) -> list[Split]:
        """Return the folds; if `cv` is a number, they are shuffled by the generator."""
        by_number = isinstance(self.cv, Integral)
        seed = generator.randint(np.iinfo(np.int32).max) if by_number else None
        return make_folds(self.cv, X, y, groups, seed, shuffle=by_number)

    def _fit_detector(self, X: Any, groups: Any, generator: Any) -> DomainShiftDetector | None:
        if not self.detect_shift:
            return None
        detector = DomainShiftDetector(random_state=generator.randint(np.iinfo(np.int32).max))
        seen = self._seen(X)
        if pd.isna(np.asarray(seen).min()):
            raise ValueError(
                "Input X contains NaN, which this regressor reads and the shift detector does not. "
                "Let it stand behind omitrans.pipelines.make_translation_pipeline, which fills "
                "them, or set detect_shift=False."
            )
        return detector.fit(seen, groups=groups)

    def _checked_shares(self) -> list[float]:
        shares = [float(share) for share in self.shares]
        if any(not 0 < share < 1 for share in shares):
            raise ValueError(
                f"shares must lie between 0 and 1, without the two; got {self.shares!r}."
            )
        return [1.0, *sorted(set(shares), reverse=True)]

    @property
    def trust_card_(self) -> TrustCard:
        """Results of the cross-validation."""
        check_is_fitted(self)
        genes, curve = self._genes.copy(), self._coverage_curve.copy()  # whoever asks may edit them
        return TrustCard(genes, self._error_quantiles, curve, dict(self._facts))

    # --- predict ---

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predict with the regressor fitted to all samples.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles with samples as rows.
        return_std : bool, default=False
            Whether to also return the standard deviation of the prediction, a measure of how
            uncertain the model is. With ``ensemble=True`` this is the standard deviation between
            the models of the folds, otherwise the result of ``predict(X, return_std=True)`` of the
            regressor. Real values scatter more widely, by noise that no model can predict; see
            :meth:`predict_interval`.

        Returns
        -------
        ndarray of shape (n_samples, n_targets) or (n_samples,)
            Predictions; with `return_std`, a tuple of predictions and standard deviations.

        Raises
        ------
        ValueError
            If a standard deviation is requested and there is neither an ensemble nor a regressor
            that predicts standard deviations, or if a prediction is not finite.
        """
        check_is_fitted(self)
        if not return_std:
            return self._checked(predict_evenly(self.estimator_, X))
        if hasattr(self, "fold_models_"):
            draws = np.stack([predict_evenly(model, X) for model in self.fold_models_])
            return self.predict(X), draws.std(axis=0, ddof=1)
        try:
            return self.estimator_.predict(X, return_std=True)
        except TypeError as error:
            raise ValueError(
                f"{type(self.estimator_).__name__} gives no standard deviation. Fit "
                "TrustedRegressor(..., ensemble=True), or use one that does, such as "
                "OmiTransRegressor with dropout."
            ) from error

    def predict_interval(self, X: Any, level: float = STATED_LEVEL) -> tuple[Any, Any]:
        """Predict the limits between which real values are expected.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles with samples as rows.
        level : float, default=0.9
            Fraction of new samples whose real value should lie between the limits.

        Returns
        -------
        lower, upper : ndarray of shape (n_samples, n_targets) or (n_samples,)
            Lower and upper limits, in the unit of the target.
        """
        check_is_fitted(self)
        half = self.trust_card_.half_width(level).to_numpy()
        predicted = np.asarray(self.predict(X))
        half = half.astype(predicted.dtype) if predicted.ndim == 2 else half[0]
        return predicted - half, predicted + half

    def shift_report(self, X: Any) -> pd.DataFrame:
        """Report which samples are unlike the training cohort.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles with samples as rows.

        Returns
        -------
        DataFrame
            One row per sample, with the columns ``distance``, ``p_value`` and ``shifted``.

        Raises
        ------
        ValueError
            If the regressor was fitted with ``detect_shift=False``.
        """
        check_is_fitted(self)
        return self._judge(X, self._seen(X))

    def predict_with_shift(self, X: Any) -> tuple[np.ndarray, pd.DataFrame]:
        """Return predictions and the shift report, with one pass through the transformers.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles with samples as rows.

        Returns
        -------
        predicted : ndarray of shape (n_samples, n_targets) or (n_samples,)
            Predictions, as :meth:`predict` returns them.
        report : DataFrame
            Report, as :meth:`shift_report` returns it.
        """
        check_is_fitted(self)
        predictor = _innermost_in_pipelines(self.estimator_)
        at_predictor = as_seen_by(predictor, self.estimator_, X)
        predicted = self._checked(predict_evenly(predictor, at_predictor))
        seen = as_seen_by(layers(predictor)[-1].model, predictor, at_predictor)
        return predicted, self._judge(X, seen)

    def _checked(self, predicted: Any) -> np.ndarray:
        return check_finite_predictions(self, np.asarray(predicted))

    def _judge(self, X: Any, seen: Any) -> pd.DataFrame:
        if self.shift_detector_ is None:
            raise ValueError("This model was fitted with detect_shift=False and knows no shift.")
        report = self.shift_detector_.report(seen)
        return report.set_axis(X.index) if isinstance(X, pd.DataFrame) else report

    def _seen(self, X: Any) -> Any:
        """Return X as the innermost regressor gets it, after the transformers of Pipelines."""
        return as_seen_by(layers(self.estimator_)[-1].model, self.estimator_, X)

    @property
    def n_features_in_(self) -> int:
        """Number of columns of X seen in fit."""
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns of X seen in fit, if X is a frame."""
        return self.estimator_.feature_names_in_

    def _estimator(self) -> Any:
        return Ridge() if self.estimator is None else self.estimator

    def __sklearn_tags__(self) -> Tags:
        tags = get_tags(self._estimator())
        # X is read here too: its columns are blanked, its samples judged
        tags.array_api_support = False
        tags.input_tags.sparse = False
        return tags


def _innermost_in_pipelines(model: Any) -> Any:
    """Return the model inside Pipelines and searches, whose predictions are theirs."""
    return [layer.model for layer in layers(model) if not layer.has_own_targets][-1]


def _plain_array(values: Any, **options: Any) -> np.ndarray:
    return check_array(values, ensure_all_finite=False, **options)
