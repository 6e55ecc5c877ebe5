"""Regressors that predict their folds themselves, compared with clones fitted on each fold."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from omitrans.baselines import MultiKernelRidgeRegressor
from omitrans.trust import TrustedRegressor


def cohort(n_samples, seed, n_targets=25):
    """Return X and Y whose relation never changes; the last target of several is constant."""
    weights = np.random.default_rng(99).standard_normal((5, n_targets + 60))
    rng = np.random.default_rng(seed)
    tables = rng.standard_normal((n_samples, 5)) @ weights
    tables += rng.standard_normal(tables.shape)
    Y = pd.DataFrame(tables[:, 60:], columns=[f"gene{i}" for i in range(n_targets)])
    X = pd.DataFrame(tables[:, :60], columns=[f"gene{59 - i}" for i in range(60)])
    Y += 2 * X.reindex(columns=Y.columns)  # each gene has a feature of its own
    if n_targets > 1:
        Y["gene24"] = 3.0
    return X, Y


class OneCall(MultiKernelRidgeRegressor):
    """A regressor that may be fitted in one call alone."""

    def fit(self, X, y):
        raise AssertionError("a second fit")

    def fit_cross_predict(self, X, y, folds):
        raise AssertionError("a second way")


@pytest.mark.parametrize("make", [lambda table: table, lambda table: table.to_numpy()])
@pytest.mark.parametrize("groups", [None, np.arange(80) // 2])
def test_the_card_is_that_of_clones(make, groups):
    X, Y = map(make, cohort(80, 0))
    wrapped = make_pipeline(MultiKernelRidgeRegressor())

    found = TrustedRegressor(OneCall(), random_state=0).fit(X, Y, groups=groups)
    expected = TrustedRegressor(wrapped, random_state=0).fit(X, Y, groups=groups)

    ours, theirs = found.trust_card_, expected.trust_card_
    assert_array_equal(found.predict(X), expected.predict(X))
    assert_allclose(ours.genes["r2"], theirs.genes["r2"], atol=0.03)
    assert_allclose(ours.genes["r2"].median(), theirs.genes["r2"].median(), atol=0.005)
    assert_allclose(ours.half_width(0.9), theirs.half_width(0.9), rtol=0.1)
    assert_allclose(ours.half_width(0.9).mean(), theirs.half_width(0.9).mean(), rtol=0.02)
    assert_allclose(ours.coverage_curve, theirs.coverage_curve, atol=0.05)
    assert_allclose(
        ours.coverage_curve.median(axis=1), theirs.coverage_curve.median(axis=1), atol=0.01
    )
    assert (ours.coverage_curve.median(axis=1).diff().dropna() < 0).all()
    pd.testing.assert_frame_equal(found.shift_report(X), expected.shift_report(X))


def test_intervals_hold_what_they_promise():
    model = TrustedRegressor(MultiKernelRidgeRegressor(), random_state=0).fit(*cohort(250, 0))
    X, Y = cohort(3000, 1)
    Y = Y.drop(columns="gene24")
    lower, upper = (limit[:, :-1] for limit in model.predict_interval(X, 0.9))
    assert ((lower <= Y) & (upper >= Y)).to_numpy().mean() == pytest.approx(0.9, abs=0.02)


def test_one_target():
    X, Y = cohort(60, 0, n_targets=1)
    model = TrustedRegressor(OneCall(), random_state=0).fit(X, Y["gene0"])
    assert model.predict(X).shape == (60,)
    assert list(model.trust_card_.genes.index) == ["gene0"]
    assert model.trust_card_.genes["r2"].item() > 0.5


def test_few_samples():
    X, Y = cohort(6, 0)
    found, expected = (
        TrustedRegressor(model, cv=3, random_state=0, detect_shift=False).fit(X, Y).trust_card_
        for model in (OneCall(), make_pipeline(MultiKernelRidgeRegressor()))
    )
    assert_allclose(found.half_width(0.5).mean(), expected.half_width(0.5).mean(), rtol=0.2)
    assert np.isfinite(found.coverage_curve.drop(columns="gene24").to_numpy()).all()


def test_an_ensemble_has_models_of_folds():
    X, Y = cohort(40, 0)
    model = TrustedRegressor(MultiKernelRidgeRegressor(), cv=3, ensemble=True, random_state=0)
    assert len(model.fit(X, Y).fold_models_) == 3


def test_any_regressor_may_offer_the_method():
    class Delegating(Ridge):
        def fit_cross_evaluate(self, X, y, folds, *, orders, shares):
            self.fit(X, y)
            assert [sorted(order) for order in orders] == [list(range(60))] * 5
            assert shares == [1.0, 0.5]
            return np.zeros(y.shape), np.ones((len(folds), len(shares), y.shape[1]))

    X, Y = cohort(40, 0)
    card = TrustedRegressor(Delegating(), shares=[0.5], random_state=0).fit(X, Y).trust_card_
    spread = ((Y - Y.mean()) ** 2).sum().drop("gene24")
    assert_allclose(card.coverage_curve.loc[0.5].drop("gene24"), 1 - 5 / spread)
