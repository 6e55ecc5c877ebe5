import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import make_regression
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge

from omitrans.comparison import compare_models
from omitrans.displays import ModelComparisonDisplay

pytestmark = pytest.mark.usefixtures("pyplot")


@pytest.fixture(scope="module")
def results():
    X, Y = make_regression(n_samples=40, n_features=6, n_targets=4, random_state=0)
    return compare_models({"ridge": Ridge(), "mean": DummyRegressor()}, X, Y, cv=4).results


def texts(display):
    return [text.get_text() for text in display.ax_.texts]


def test_dots_are_the_folds_of_each_model(results):
    display = ModelComparisonDisplay.from_results(results, metric="rmse")
    dots = [
        points.get_offsets()[:, 0]
        for points in display.ax_.collections
        if len(points.get_offsets()) == 4
    ]
    for model, drawn in zip(["ridge", "mean"], dots, strict=True):
        folds = results[(results["model"] == model) & (results["metric"] == "rmse")]["value"]
        assert_array_equal(drawn, folds)
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["ridge", "mean"]
    means = results.query("metric == 'rmse'").groupby("model")["value"].mean()
    assert texts(display)[1].replace(",", "") == f"{means['mean']:.1f}"


@pytest.mark.parametrize(
    ("metric", "label"),
    [
        ("rmse", "RMSE, log2(FPKM + 1) (lower is better)"),
        ("mse", "MSE, (log2(FPKM + 1))² (lower is better)"),
        ("mean_r2_per_feature", "Mean R² per feature (higher is better)"),
        ("fit_seconds", "Time to fit, seconds (lower is better)"),
    ],
)
def test_axis_says_unit_and_direction(results, metric, label):
    display = ModelComparisonDisplay.from_results(results, metric=metric, unit="log2(FPKM + 1)")
    assert display.ax_.get_xlabel() == label


def test_error_without_unit_and_foreign_metric():
    values = pd.DataFrame([[1.0, 2.0]], index=["ridge"])
    labels = [
        ModelComparisonDisplay(values=values, metric=metric).plot().ax_.get_xlabel()
        for metric in ("mean_ae", "auc")
    ]
    assert labels == ["Mean AE (lower is better)", "auc (higher is better)"]


def test_failed_model_says_so():
    values = pd.DataFrame([[1.0, 2.0], [np.nan, 3.0]], index=["ridge", "broken"])
    display = ModelComparisonDisplay(values=values, metric="rmse").plot()
    display.figure_.canvas.draw()
    assert texts(display) == ["1.500", "failed", "mean"]


def test_times_far_apart_stand_on_a_logarithmic_axis():
    for slow, scale in ((90.0, "log"), (0.3, "linear")):
        values = pd.DataFrame([[0.1, 0.1], [slow, slow]], index=["mean", "OmiTrans"])
        display = ModelComparisonDisplay(values=values, metric="fit_seconds").plot()
        assert display.ax_.get_xscale() == scale


def test_counts_are_whole_and_one_fold_is_enough():
    values = pd.DataFrame([[1234.0]], index=["ridge"])
    display = ModelComparisonDisplay(values=values, metric="n_r2_per_feature_above").plot()
    assert texts(display)[0] == "1,234"


def test_unknown_metric(results):
    with pytest.raises(ValueError, match=r"no metric 'r2'\. It holds: mse, rmse"):
        ModelComparisonDisplay.from_results(results, metric="r2")
