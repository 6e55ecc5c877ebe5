"""The base class of the baselines that predict several targets."""

from abc import abstractmethod

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from omitrans.baselines._residual_draws import LearnResidualsMixin, ResidualDrawsMixin
from omitrans.utils._finite import check_finite_predictions
from omitrans.utils._paired import PairedTablesMixin
from omitrans.utils._validation import check_source


class MultiTargetRegressor(
    LearnResidualsMixin, ResidualDrawsMixin, PairedTablesMixin, BaseEstimator
):
    """Base class of the baselines. A subclass implements `fit` and `_predict`."""

    @abstractmethod
    def _predict(self, source: np.ndarray) -> np.ndarray:
        """Return predictions of shape (n_samples, n_targets) in the dtype of `source`."""

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict target profiles.

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
        ValueError
            If X holds missing or infinite values, or if a prediction is not finite.
        """
        check_is_fitted(self)
        source = check_source(self, X, reset=False)
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused
            predicted = self._predict(source)
        return self._shaped(check_finite_predictions(self, predicted))
