"""Mixin of regressors of paired tables: check both tables, keep names, shape predictions."""

from typing import Any

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin

from omitrans.utils._validation import check_paired_samples, check_source, target_names


class PairedTablesMixin(MultiOutputMixin, RegressorMixin):
    """Mixin of regressors that learn targets from a source table of the same samples."""

    n_targets_: int
    target_names_: np.ndarray
    _y_ndim: int

    def _check_training_tables(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return source and 2-D target, and set the attributes that describe them."""
        check_paired_samples(X, y)
        self.__dict__.pop("_residual_noise", None)  # of an earlier fit
        source, target = check_source(
            self, X, reset=True, y=y, multi_output=True, y_numeric=True, ensure_min_samples=2
        )
        self._y_ndim = target.ndim
        target = target.reshape(len(target), -1)
        self.n_targets_ = target.shape[1]
        self.target_names_ = target_names(y, self.n_targets_)
        return source, target

    def _shaped(self, predicted: np.ndarray) -> np.ndarray:
        """Return predictions with the number of dimensions of y."""
        return predicted.ravel() if self._y_ndim == 1 else predicted
