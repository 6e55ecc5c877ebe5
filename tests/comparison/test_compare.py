import warnings

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.datasets import make_regression
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import FitFailedWarning
from sklearn.feature_selection import VarianceThreshold
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    KFold,
    ShuffleSplit,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from torch import nn

from omitrans import OmiTransRegressor
from omitrans.comparison import compare_models
from omitrans.exceptions import SampleMismatchError
from omitrans.metrics import RECONSTRUCTION_SCORERS, reconstruction_report, scores_to_report
from omitrans.utils._sklearn import InvalidParameterError

NINE = list(RECONSTRUCTION_SCORERS)
MODELS = {
    "ridge": Ridge(),
    "mean": DummyRegressor(),
    "a pipeline": make_pipeline(VarianceThreshold(), Ridge(alpha=100.0)),
}


class Fragile(RegressorMixin, BaseEstimator):
    """Refuses to fit when it sees the sample whose first value is `poison`."""

    def __init__(self, poison=None):
        self.poison = poison

    def fit(self, X, y):
        if self.poison in np.asarray(X)[:, 0]:
            raise ArithmeticError("met a poisoned sample")
        self.mean_ = np.mean(y, axis=0)
        return self

    def predict(self, X):
        return np.tile(self.mean_, (len(X), 1))


@pytest.fixture(scope="module")
def arrays():
    X, Y = make_regression(
        n_samples=60, n_features=8, n_targets=5, noise=20.0, shuffle=False, random_state=0
    )
    return X, Y.astype(np.float32)


@pytest.fixture(scope="module")
def frames(arrays):
    X, Y = arrays
    ids = [f"sample{i}" for i in range(len(X))]
    return pd.DataFrame(X, index=ids).add_prefix("cg"), pd.DataFrame(Y, index=ids).add_prefix("g")


@pytest.fixture(scope="module")
def comparison(frames):
    return compare_models(MODELS, *frames, cv=4, return_predictions=True)


def test_results_are_tidy_and_complete(comparison):
    results = comparison.results
    assert list(results.columns) == ["model", "fold", "metric", "value"]
    metrics = [*NINE, "fit_seconds", "predict_seconds", "peak_memory_mib"]
    expected = [(m, f, k) for m in MODELS for f in range(4) for k in metrics]
    assert list(results[["model", "fold", "metric"]].itertuples(index=False, name=None)) == expected
    assert np.isfinite(results["value"]).all()
    assert comparison.errors.empty


def test_numbers_are_those_of_cross_validate(comparison, frames):
    for name, model in MODELS.items():
        scores = cross_validate(model, *frames, cv=KFold(4), scoring=RECONSTRUCTION_SCORERS)
        found = comparison.results[comparison.results["model"] == name]
        found = found.pivot_table(index="fold", columns="metric", values="value")
        assert_allclose(found[NINE], scores_to_report(scores)[NINE])


def test_summary_has_the_shape_of_table_1(comparison):
    summary = comparison.summary()
    assert list(summary.index) == list(MODELS)
    assert list(summary.columns) == NINE
    rmse = comparison.results.query("model == 'mean' and metric == 'rmse'")["value"]
    assert summary.loc["mean", "rmse"] == pytest.approx(rmse.mean())
    assert (summary["mse"] > 0).all()


def test_summary_with_standard_deviations(comparison):
    text = comparison.summary(std=True)
    folds = comparison.results.query("model == 'ridge' and metric == 'rmse'")["value"]
    assert text.loc["ridge", "rmse"] == f"{folds.mean():.4f} ± {folds.std():.4f}"
    assert text.loc["mean", "n_r2_per_feature_above"] == "0 ± 0"
    assert list(text.index) == list(MODELS)
    assert list(text.columns) == NINE


def test_predictions_are_out_of_fold(comparison, frames):
    X, Y = frames
    assert list(comparison.predictions) == list(MODELS)
    for name, model in MODELS.items():
        prediction = comparison.predictions[name]
        assert_array_equal(prediction.index, Y.index)
        assert_array_equal(prediction.columns, Y.columns)
        assert_allclose(prediction, cross_val_predict(model, X, Y, cv=KFold(4)), rtol=1e-5)


def test_predictions_keep_their_width_and_kind(arrays):
    X, Y = arrays
    models = {"ridge": Ridge()}
    found = compare_models(models, X.astype(np.float32), Y, return_predictions=True)
    assert isinstance(found.predictions["ridge"], np.ndarray)
    assert found.predictions["ridge"].dtype == np.float32
    y = pd.Series(Y[:, 0], name="TP53")
    with pytest.warns(match="R² per sample"):
        found = compare_models(models, X, y, return_predictions=True)
    assert found.predictions["ridge"].name == "TP53"
    assert found.summary()["mean_r2_per_sample"].isna().all()
    assert found.summary()["median_r2_per_feature"].notna().all()


def test_untested_samples_have_no_prediction(arrays):
    splits = [(np.arange(20, 60), np.arange(10))]
    found = compare_models({"ridge": Ridge()}, *arrays, cv=splits, return_predictions=True)
    tested = np.isfinite(found.predictions["ridge"]).all(axis=1)
    assert_array_equal(np.flatnonzero(tested), np.arange(10))


def test_predictions_are_not_kept_unasked(arrays):
    assert compare_models({"mean": DummyRegressor()}, *arrays, cv=2).predictions is None


def test_targets_under_their_former_name(arrays):
    X, Y = arrays
    with pytest.warns(FutureWarning, match="compare_models: .*'Y' was renamed to 'y'"):
        found = compare_models({"ridge": Ridge()}, X, Y=Y)
    expected = compare_models({"ridge": Ridge()}, X, y=Y)
    assert_array_equal(found.summary(costs=False), expected.summary(costs=False))


def test_models_share_the_splits(arrays):
    cv = ShuffleSplit(3, random_state=np.random.RandomState(0))
    found = compare_models({"one": Ridge(), "two": Ridge()}, *arrays, cv=cv)
    assert_array_equal(*found.summary().to_numpy())


def test_models_are_left_unfitted(arrays):
    model = Ridge()
    compare_models({"ridge": model}, *arrays, cv=2)
    assert not hasattr(model, "coef_")


def test_processes_give_the_same(frames, comparison):
    parallel = compare_models(MODELS, *frames, cv=4, n_jobs=2)
    pd.testing.assert_frame_equal(parallel.summary(), comparison.summary())


def test_extra_scorers_stand_beside_the_nine(arrays):
    X, Y = arrays
    scorers = {"r2": "r2", "neg_max": lambda model, X, Y: -np.abs(model.predict(X) - Y).max()}
    found = compare_models({"ridge": Ridge()}, X, Y, cv=2, scorers=scorers)
    assert list(found.summary().columns) == [*NINE, "r2", "neg_max"]
    expected = cross_validate(Ridge(), X, Y, cv=2, scoring=scorers)
    assert found.summary().loc["ridge", "r2"] == pytest.approx(expected["test_r2"].mean())
    assert found.summary().loc["ridge", "neg_max"] == pytest.approx(expected["test_neg_max"].mean())


def test_one_prediction_a_fold(arrays):
    calls = []

    class Counting(Ridge):
        def predict(self, X):
            calls.append(len(X))
            return super().predict(X)

    compare_models({"counting": Counting()}, *arrays, cv=3)
    assert calls == [20, 20, 20]


def test_progress_bar(arrays, capsys):
    compare_models({"mean": DummyRegressor()}, *arrays, cv=2)
    assert capsys.readouterr().err == ""
    compare_models({"mean": DummyRegressor()}, *arrays, cv=2, verbose=1)
    assert "2/2" in capsys.readouterr().err


class TestGroups:
    def test_int_means_group_k_fold(self, arrays):
        groups = np.repeat(np.arange(20), 3)

        class Remember(DummyRegressor):
            def fit(self, X, y):
                rows.append(np.flatnonzero(np.isin(arrays[0][:, 0], X[:, 0])))
                return super().fit(X, y)

        rows = []
        compare_models({"mean": Remember()}, *arrays, cv=4, groups=groups)
        assert len(rows) == 4
        for train in rows:
            test = np.setdiff1d(np.arange(60), train)
            assert len(test) == 15
            assert not set(groups[train]) & set(groups[test])

    def test_splits_that_tear_groups_apart_are_refused(self, arrays):
        groups = np.repeat([f"patient{i:02}" for i in range(12)], 5)
        splits = list(KFold(4, shuffle=True, random_state=0).split(arrays[0]))
        with pytest.raises(ValueError, match=r"Fold 0 has .* groups .*patient00.*GroupKFold"):
            compare_models({"mean": DummyRegressor()}, *arrays, cv=splits, groups=groups)

    def test_splits_that_respect_groups_pass(self, arrays):
        groups = np.repeat(np.arange(12), 5)
        splits = list(KFold(4).split(arrays[0]))
        found = compare_models({"mean": DummyRegressor()}, *arrays, cv=splits, groups=groups)
        assert found.results["fold"].nunique() == 4

    def test_groups_of_other_samples_are_refused(self, frames):
        groups = pd.Series("patient", index=frames[0].index[::-1])
        with pytest.raises(SampleMismatchError, match="X and groups hold the same samples"):
            compare_models({"mean": DummyRegressor()}, *frames, groups=groups)


@pytest.fixture(scope="module")
def failed(frames):
    X, Y = frames
    models = {"fragile": Fragile(X.iloc[0, 0]), "ridge": Ridge()}
    with pytest.warns(FitFailedWarning) as record:
        found = compare_models(models, X, Y, cv=3, return_predictions=True)
    return found, record


class TestFailures:
    def test_warning_names_model_fold_and_error(self, failed):
        _, record = failed
        assert len(record) == 1
        message = str(record[0].message)
        assert "'fragile' failed in 2 folds" in message
        assert "In fold 1 it said: ArithmeticError: met a poisoned sample" in message

    def test_errors_frame(self, failed):
        errors = failed[0].errors
        assert list(errors.columns) == ["model", "fold", "error"]
        assert list(errors["fold"]) == [1, 2]
        assert set(errors["error"]) == {"ArithmeticError: met a poisoned sample"}

    def test_the_others_go_on(self, failed):
        summary = failed[0].summary()
        assert summary.loc["ridge"].notna().all()

    def test_the_mean_of_some_folds_is_not_shown(self, failed):
        found = failed[0]
        assert list(found.summary().index) == ["fragile", "ridge"]
        assert found.summary().loc["fragile"].isna().all()
        rmse = found.results.query("model == 'fragile' and metric == 'rmse'")["value"]
        assert_array_equal(rmse.isna(), [False, True, True])

    def test_failed_folds_have_no_prediction(self, failed):
        prediction = failed[0].predictions["fragile"]
        assert_array_equal(prediction.isna().all(axis=1), np.arange(60) >= 20)

    def test_a_model_that_never_works_still_has_its_row(self, frames):
        models = {"never": Ridge(alpha=-1), "mean": DummyRegressor()}
        with pytest.warns(FitFailedWarning, match="'never' failed in 2 folds"):
            found = compare_models(models, *frames, cv=2, return_predictions=True)
        assert list(found.summary().index) == ["never", "mean"]
        assert list(found.summary().columns) == NINE
        assert found.predictions["never"].isna().all(axis=None)

    def test_nothing_works(self, frames):
        with pytest.raises(ValueError, match=r"All 2 fits failed\..*alpha"):
            compare_models({"never": Ridge(alpha=-1)}, *frames, cv=2)


class TestBadInput:
    def test_no_models(self, arrays):
        with pytest.raises(ValueError, match="models is empty"):
            compare_models({}, *arrays)

    @pytest.mark.parametrize("model", [Ridge, VarianceThreshold(), "ridge"])
    def test_not_a_model(self, arrays, model):
        with pytest.raises(TypeError, match=r"models\['wrong'\] must be an estimator"):
            compare_models({"wrong": model}, *arrays)

    def test_name_is_text(self, arrays):
        with pytest.raises(TypeError, match="keys of models must be text; found 1"):
            compare_models({1: Ridge()}, *arrays)

    def test_list_of_models(self, arrays):
        with pytest.raises(InvalidParameterError, match="'models' parameter"):
            compare_models([Ridge()], *arrays)

    def test_other_order_of_samples(self, frames):
        X, Y = frames
        with pytest.raises(SampleMismatchError, match="X and Y hold the same samples"):
            compare_models(MODELS, X, Y.iloc[::-1])

    def test_other_number_of_samples(self, arrays):
        X, Y = arrays
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            compare_models(MODELS, X, Y[1:])

    def test_scorer_of_a_taken_name(self, arrays):
        with pytest.raises(ValueError, match="scorers holds mse"):
            compare_models(MODELS, *arrays, scorers=RECONSTRUCTION_SCORERS)

    def test_predictions_of_repeated_splits(self, arrays):
        cv = ShuffleSplit(3, test_size=0.5, random_state=0)
        with pytest.raises(ValueError, match="at most one test fold"):
            compare_models(MODELS, *arrays, cv=cv, return_predictions=True)


def test_report_is_that_of_the_kept_prediction(comparison, frames):
    _, Y = frames
    whole = reconstruction_report(Y, comparison.predictions["ridge"])
    # folds of equal size: the mean over samples is the mean of the folds' means
    assert comparison.summary().loc["ridge", "mse"] == pytest.approx(whole["mse"])


class PressCtrlC(nn.Linear):
    """A network during whose fourth training step the user presses Ctrl-C."""

    steps = 0

    def forward(self, X):
        PressCtrlC.steps += self.training
        if PressCtrlC.steps == 4:
            raise KeyboardInterrupt
        return super().forward(X)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_ctrl_c_in_a_training_ends_the_comparison(backend):
    """A training that was cut short is no result, though the network could be used."""
    X, Y = np.arange(12.0).reshape(6, 2), np.arange(6.0)
    network = OmiTransRegressor(
        PressCtrlC, backbone=None, max_epochs=20, early_stopping=False, random_state=0
    )
    filters = list(warnings.filters)
    PressCtrlC.steps = 0
    with pytest.raises(KeyboardInterrupt), parallel_config(backend=backend):
        compare_models({"cut short": network}, X, Y, cv=2)
    assert PressCtrlC.steps == 4
    assert warnings.filters == filters
