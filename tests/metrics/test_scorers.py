import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.datasets import make_regression
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_validate

from omitrans.metrics import RECONSTRUCTION_SCORERS, reconstruction_report, scores_to_report
from omitrans.metrics import _blockwise as blockwise

ERRORS = {"mse", "rmse", "mean_ae", "median_ae"}


@pytest.fixture
def data():
    return make_regression(n_samples=60, n_features=8, n_targets=5, noise=20.0, random_state=0)


class CountingRegressor(RegressorMixin, BaseEstimator):
    """Counts how often it predicts."""

    def fit(self, X, y):
        self.ridge_ = Ridge().fit(X, y)
        self.n_predicts_ = 0
        return self

    def predict(self, X):
        self.n_predicts_ += 1
        return self.ridge_.predict(X)


def test_names_are_those_of_the_report(data):
    _, Y = data
    assert list(RECONSTRUCTION_SCORERS) == list(reconstruction_report(Y, Y))


@pytest.mark.parametrize("key", list(RECONSTRUCTION_SCORERS))
def test_scorer_is_the_report_with_errors_negated(data, key):
    X, Y = data
    model = Ridge().fit(X, Y)
    value = reconstruction_report(Y, model.predict(X))[key]
    sign = -1 if key in ERRORS else 1
    assert RECONSTRUCTION_SCORERS[key](model, X, Y) == pytest.approx(sign * value)


@pytest.mark.parametrize("key", list(RECONSTRUCTION_SCORERS))
def test_better_prediction_scores_higher(data, key):
    X, Y = data
    scorer = RECONSTRUCTION_SCORERS[key]
    good, bad = Ridge().fit(X, Y), Ridge(alpha=1e4).fit(X, Y)
    assert scorer(good, X, Y) > scorer(bad, X, Y)


def test_a_scorer_computes_only_its_own(data, monkeypatch):
    X, Y = data
    model = Ridge().fit(X, Y)

    def refuse(real, error):
        raise AssertionError("computed without being asked for")

    for name in blockwise.SAMPLE_STATISTICS:
        if name != "mse":
            monkeypatch.setitem(blockwise.SAMPLE_STATISTICS, name, refuse)
    monkeypatch.setattr(blockwise, "_FeatureSums", refuse)
    assert RECONSTRUCTION_SCORERS["mse"](model, X, Y) < 0


def test_cross_validate_predicts_once_a_fold(data):
    scores = cross_validate(
        CountingRegressor(), *data, cv=3, scoring=RECONSTRUCTION_SCORERS, return_estimator=True
    )
    assert [model.n_predicts_ for model in scores["estimator"]] == [1, 1, 1]


@pytest.mark.slow
def test_cross_validate_over_processes(data):
    X, Y = data
    serial = cross_validate(Ridge(), X, Y, cv=3, scoring=RECONSTRUCTION_SCORERS)
    parallel = cross_validate(Ridge(), X, Y, cv=3, scoring=RECONSTRUCTION_SCORERS, n_jobs=2)
    for key in RECONSTRUCTION_SCORERS:
        assert_allclose(serial[f"test_{key}"], parallel[f"test_{key}"])


@pytest.mark.parametrize("refit", ["mean_r2_per_feature", "mse"])
def test_grid_search_refits_the_best(data, refit):
    grid = {"alpha": [1e5, 1.0, 1e3]}
    search = GridSearchCV(Ridge(), grid, scoring=RECONSTRUCTION_SCORERS, refit=refit, cv=3)
    search.fit(*data)
    assert search.best_params_ == {"alpha": 1.0}
    report = scores_to_report(search.cv_results_, prefix="mean_test_")
    assert report["mse"].idxmin() == report["mean_r2_per_feature"].idxmax() == search.best_index_


def test_scorers_take_frames(data):
    X, Y = data
    X, Y = pd.DataFrame(X).add_prefix("cg"), pd.DataFrame(Y).add_prefix("gene")
    scores = cross_validate(Ridge(), X, Y, cv=3, scoring=RECONSTRUCTION_SCORERS)
    assert np.isfinite(scores["test_mean_r2_per_feature"]).all()


def test_scorers_pickle(data):
    X, Y = data
    model = Ridge().fit(X, Y)
    for key, scorer in pickle.loads(pickle.dumps(RECONSTRUCTION_SCORERS)).items():
        assert scorer(model, X, Y) == RECONSTRUCTION_SCORERS[key](model, X, Y)


def test_scores_to_report_gives_back_the_report(data):
    X, Y = data
    split = [(np.arange(40), np.arange(40, 60)), (np.arange(20, 60), np.arange(20))]
    scores = cross_validate(Ridge(), X, Y, cv=split, scoring=RECONSTRUCTION_SCORERS)
    expected = [
        reconstruction_report(Y[test], Ridge().fit(X[train], Y[train]).predict(X[test]))
        for train, test in split
    ]
    pd.testing.assert_frame_equal(scores_to_report(scores), pd.DataFrame(expected))


def test_scores_to_report_names_what_it_found():
    with pytest.raises(ValueError, match="no key such as 'test_mse'; found fit_time, test_score"):
        scores_to_report({"fit_time": [1.0], "test_score": [0.5]})
