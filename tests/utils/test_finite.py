"""Predictions that are not finite are refused, with counts and a cure."""

from types import SimpleNamespace

import numpy as np
import pytest

from omitrans.baselines import DualRidgeRegressor
from omitrans.trust import TrustedRegressor
from omitrans.utils._finite import check_finite_predictions

MODEL = SimpleNamespace(target_names_=["gene_a", "gene_b", "gene_c"])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_genes_and_samples_are_counted(value):
    predicted = np.ones((5, 3), dtype=np.float32)
    predicted[3:, 1] = value
    message = r"1 of 3 targets \(first: gene_b\) and 2 of 5 samples \(first: row 3\).*float64"
    with pytest.raises(ValueError, match=message):
        check_finite_predictions(MODEL, predicted)


def test_finite_predictions_whose_sum_overflows_pass():
    predicted = np.full((5, 3), np.finfo(np.float64).max)
    assert check_finite_predictions(MODEL, predicted) is predicted


def test_what_overflows_in_predict_is_refused():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(12, 4)).astype(np.float32), rng.normal(size=(12, 2))
    model = DualRidgeRegressor().fit(X, 1e30 * Y)
    with pytest.raises(ValueError, match="not finite for 2 of 2 targets"):
        model.predict(1e30 * X[:3])


def test_a_wrapped_regressor_may_not_hand_on_nan():
    class Broken(DualRidgeRegressor):
        def predict(self, X):
            return np.full((len(X), self.n_targets_), np.nan)

    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="Broken predicts values that are not finite"):
        TrustedRegressor(Broken(), random_state=0).fit(
            rng.normal(size=(12, 4)), rng.normal(size=(12, 2))
        )
