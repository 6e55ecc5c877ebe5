"""What regressors of many targets share: tables in, names kept, predictions out."""

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from omitrans.utils._validation import check_paired_samples, check_source, target_names


class MultiTargetRegressor(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Base of the baselines; a subclass has `fit`, and predicts in `_predict`."""

    def _check_training_tables(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return source and 2-D target, and set what is known of them on self."""
        check_paired_samples(X, y)
        source, target = check_source(
            self, X, reset=True, y=y, multi_output=True, y_numeric=True, ensure_min_samples=2
        )
        self._y_ndim = target.ndim
        target = target.reshape(len(target), -1)
        self.n_targets_ = target.shape[1]
        self.target_names_ = target_names(y, self.n_targets_)
        return source, target

    @abstractmethod
    def _predict(self, source: np.ndarray) -> np.ndarray:
        """Return predictions of shape (n_samples, n_targets) in the dtype of `source`."""

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict the targets.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles with the columns seen in fit.

        Returns
        -------
        ndarray of shape (n_samples, n_targets) or (n_samples,)
            Predictions in the dtype of X (float64 for integers), 1-D if y was 1-D.

        Raises
        ------
        FeatureMismatchError
            If columns are missing, unknown or in another order.
        """
        check_is_fitted(self)
        predicted = self._predict(check_source(self, X, reset=False))
        return predicted.ravel() if self._y_ndim == 1 else predicted
