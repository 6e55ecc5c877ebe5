"""Regressor that trains on targets sorted along the genome and predicts them in the given order."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.linear_model import LinearRegression
from sklearn.utils import Tags, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from omitrans.preprocessing import LocationAligner
from omitrans.utils._even import in_float64, predict_evenly
from omitrans.utils._finite import check_finite_predictions
from omitrans.utils._sklearn import HasMethods, fit_context
from omitrans.utils._validation import check_paired_samples, target_names


def _draws(model: Any) -> bool:
    """Return whether the regressor draws profiles."""
    return hasattr(getattr(model, "regressor_", model._regressor()), "sample_y")


class AlignedTargetRegressor(MetaEstimatorMixin, RegressorMixin, BaseEstimator):
    """Fit a regressor to transformed targets and keep their names and sample ids.

    :class:`sklearn.compose.TransformedTargetRegressor` converts Y to an array first, so that genes
    cannot be found by name, and the regressor cannot notice that X and Y hold different samples.
    Here a DataFrame stays a DataFrame.

    Parameters
    ----------
    regressor : estimator or None, default=None
        Regressor for one or many targets. None takes
        :class:`sklearn.linear_model.LinearRegression`.
    transformer : transformer or None, default=None
        Transformer that is fitted to Y and applied to it; its ``inverse_transform`` is applied to
        predictions. None takes :class:`omitrans.preprocessing.LocationAligner` without annotation,
        which does not change Y.

    Attributes
    ----------
    regressor_ : estimator
        Fitted regressor; its targets are the transformed targets.
    transformer_ : transformer
        The fitted transformer.
    target_names_ : ndarray of str
        Names of the targets: the columns of y, or y0, y1, ... where y has no names.
    y_ndim_ : int
        Number of dimensions of Y in fit: 1 or 2.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of str
        Names of the columns of X seen in fit, if X is a frame.

    See Also
    --------
    make_translation_pipeline : Uses this regressor if a gene annotation is given.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LinearRegression
    >>> from omitrans.pipelines import AlignedTargetRegressor
    >>> from omitrans.preprocessing import LocationAligner
    >>> genes = pd.DataFrame(
    ...     {"gene_id": ["g1", "g2"], "chromosome": ["9", "1"], "position": [5, 5]}
    ... )
    >>> X = pd.DataFrame({"cg1": [0.0, 1.0, 2.0]})
    >>> Y = pd.DataFrame({"g1": [0.0, 1.0, 2.0], "g2": [0.0, 3.0, 6.0]})
    >>> model = AlignedTargetRegressor(LinearRegression(), transformer=LocationAligner(genes))
    >>> model.fit(X, Y).predict(X).round(3)
    array([[0., 0.],
           [1., 3.],
           [2., 6.]])
    >>> model.transformer_.get_feature_names_out()
    array(['g2', 'g1'], dtype=object)
    """

    _parameter_constraints = {
        "regressor": [HasMethods(["fit", "predict"]), None],
        "transformer": [HasMethods(["fit", "transform", "inverse_transform"]), None],
    }

    def __init__(self, regressor: Any = None, *, transformer: Any = None) -> None:
        self.regressor = regressor
        self.transformer = transformer

    # the regressor and the transformer check their own parameters
    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, **fit_params: Any) -> Self:
        """Transform the targets and fit the regressor to them.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows.
        y : array-like, DataFrame or Series of shape (n_samples,) or (n_samples, n_targets)
            Targets of the samples.
        **fit_params : dict
            Further parameters of the `fit` of the regressor.

        Returns
        -------
        AlignedTargetRegressor
            The fitted regressor.

        Raises
        ------
        SampleMismatchError
            If X and y are indexed and do not hold the same samples in the same order.
        """
        if y is None:
            raise ValueError(
                "AlignedTargetRegressor requires y to be passed, but the target y is None."
            )
        check_paired_samples(X, y)
        y = y if isinstance(y, pd.DataFrame | pd.Series) else np.asarray(y)
        targets = _as_table(y)
        self.y_ndim_ = y.ndim
        self.target_names_ = target_names(y, targets.shape[1])
        transformer = LocationAligner() if self.transformer is None else self.transformer
        self.transformer_ = clone(transformer).fit(targets)
        targets = self.transformer_.transform(targets)
        if self.y_ndim_ == 1:
            targets = targets.iloc[:, 0] if isinstance(targets, pd.DataFrame) else targets[:, 0]
        regressor = clone(self._regressor())
        if self.regressor is None:
            X = in_float64(regressor, X)
        self.regressor_ = regressor.fit(X, targets, **fit_params)
        return self

    def predict(self, X: Any, return_std: bool = False, **predict_params: Any) -> Any:
        """Predict the targets in the order in which they were given to fit.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows.
        return_std : bool, default=False
            Whether to also return the standard deviations that the regressor predicts.
        **predict_params : dict
            Further parameters of the `predict` of the regressor.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predictions; targets that the transformer drops are NaN. With `return_std`, a tuple of
            predictions and standard deviations.

        Raises
        ------
        ValueError
            If standard deviations are requested and the transformer does more than sort, or if
            the regressor predicts values that are not finite.
        """
        check_is_fitted(self)
        if not return_std:
            return self._restored(predict_evenly(self.regressor_, X, **predict_params))
        if not isinstance(self.transformer_, LocationAligner):
            raise ValueError(
                "return_std=True needs a transformer that only sorts (LocationAligner): a standard "
                f"deviation cannot be taken back through {type(self.transformer_).__name__}."
            )
        both = self.regressor_.predict(X, return_std=True, **predict_params)
        return tuple(map(self._restored, both))

    @available_if(_draws)
    def sample_y(
        self,
        X: Any,
        n_samples: int = 1,
        random_state: int | np.random.RandomState | None = None,
        **params: Any,
    ) -> pd.DataFrame:
        """Draw profiles with the regressor, in the order of the targets in fit.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            Samples as rows.
        n_samples : int, default=1
            Number of draws for each row.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.
        **params : dict
            Further parameters of the `sample_y` of the regressor.

        Returns
        -------
        DataFrame of shape (n_rows * n_samples, n_targets)
            Drawn profiles; targets that the transformer drops are NaN.
        """
        check_is_fitted(self)
        drawn = self.regressor_.sample_y(X, n_samples, random_state, **params)
        restored = self._restored(drawn.to_numpy()).reshape(len(drawn), -1)
        return pd.DataFrame(restored, drawn.index, self.target_names_, copy=False)

    def _restored(self, predicted: Any) -> np.ndarray:
        """Return predictions of the given targets from predictions of the transformed targets."""
        predicted = check_finite_predictions(self.regressor_, np.asarray(predicted))
        restored = self.transformer_.inverse_transform(predicted.reshape(len(predicted), -1))
        return np.asarray(restored)[:, 0] if self.y_ndim_ == 1 else np.asarray(restored)

    @property
    def n_features_in_(self) -> int:
        """Number of columns of X seen in fit."""
        return self.regressor_.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns of X seen in fit, if X is a frame."""
        return self.regressor_.feature_names_in_

    def _regressor(self) -> Any:
        return LinearRegression() if self.regressor is None else self.regressor

    def __sklearn_tags__(self) -> Tags:
        return get_tags(self._regressor())


def _as_table(y: pd.DataFrame | pd.Series | np.ndarray) -> Any:
    """Return the targets with two dimensions, with names if `y` has names."""
    if isinstance(y, pd.DataFrame):
        return y
    if isinstance(y, pd.Series):
        return y.to_frame()
    return y.reshape(-1, 1) if y.ndim == 1 else y
