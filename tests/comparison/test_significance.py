"""Tests of differences between models."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from sklearn.datasets import make_regression
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge

from omitrans.comparison import ModelComparison, compare_models
from omitrans.comparison._model_comparison import holm, nadeau_bengio
from omitrans.exceptions import UnknownNameError


def comparison_of(values, metric="mse", folds=None):
    """Make a comparison of given values, a list a model."""
    rows = [(m, fold, metric, v) for m, vs in values.items() for fold, v in enumerate(vs)]
    results = pd.DataFrame(rows, columns=["model", "fold", "metric", "value"])
    return ModelComparison(results, errors=pd.DataFrame(), folds=folds)


def test_nadeau_bengio_by_hand():
    d = np.array([1.0, 2.0, 3.0, 2.0])
    # mean 2, variance 2/3, corrected error sqrt((1/4 + 1/3) * 2/3)
    statistic, p_value = nadeau_bengio(d, 1 / 3)
    assert statistic == pytest.approx(2 / np.sqrt((1 / 4 + 1 / 3) * 2 / 3))
    assert p_value == pytest.approx(2 * (1 - stats.t.cdf(statistic, 3)))
    # without the correction it is the ordinary paired t-test
    assert_allclose(nadeau_bengio(d, 0.0), stats.ttest_1samp(d, 0.0))


def test_holm_by_hand():
    assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])
    assert_allclose(holm(np.array([0.5, np.nan, 0.9])), [1.0, np.nan, 1.0])


def test_level_is_kept_where_models_do_not_differ():
    """Two models that are equally good: at most about 5 % of tests find a difference."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(400):
        X = rng.normal(size=60)
        noise = rng.normal(size=(60, 2))
        fold_of = np.arange(60) % 5
        errors = []
        for fold in range(5):
            train, test = fold_of != fold, fold_of == fold
            # each model: the mean of a noisy copy of the training samples
            guess = (X[train, None] + noise[train]).mean(axis=0)
            errors.append(((X[test, None] - guess) ** 2).mean(axis=0))
        found.append(nadeau_bengio(np.subtract(*np.transpose(errors)), 1 / 4)[1])
    assert np.mean(np.array(found) < 0.05) < 0.07


def test_table_of_a_real_comparison():
    X, Y = make_regression(80, 6, n_targets=4, noise=5.0, random_state=0)
    models = {"mean": DummyRegressor(), "ridge": Ridge(), "strong": Ridge(alpha=1e4)}
    comparison = compare_models(models, X, Y, cv=5)
    table = comparison.tests("mse")
    assert list(table["model"] + "-" + table["reference"]) == [
        "mean-ridge",
        "mean-strong",
        "ridge-strong",
    ]
    assert table["better"].tolist() == ["ridge", "strong", "ridge"]
    assert (table["p_adjusted"] >= table["p_value"]).all()
    assert table["p_adjusted"].iloc[0] < 0.05
    r2 = comparison.tests("mean_r2_per_feature")
    assert r2["better"].tolist() == ["ridge", "strong", "ridge"]
    folds = comparison.folds
    assert folds.to_dict("list") == {"fold": [*range(5)], "n_train": [64] * 5, "n_test": [16] * 5}


def test_against_a_baseline():
    values = {"a": [1.0, 2, 3], "b": [2.0, 3, 5], "c": [1.0, 2, 3]}
    table = comparison_of(values).tests("mse", baseline="a")
    assert table["model"].tolist() == ["b", "c"]
    assert table["difference"].tolist() == pytest.approx([4 / 3, 0])
    assert table["better"].tolist() == ["a", None]
    assert table["p_value"].iloc[1] == 1


def test_sizes_of_folds_count():
    values = {"a": [1.0, 2, 3, 2], "b": [2.0, 3, 5, 2]}
    small = pd.DataFrame({"fold": range(4), "n_train": [30] * 4, "n_test": [3] * 4})
    large = small.assign(n_test=300)
    p_small, p_large, p_unknown = (
        comparison_of(values, folds=folds).tests("mse")["p_value"].item()
        for folds in (small, large, None)
    )
    assert p_small < p_unknown < p_large


def test_wilcoxon_is_scipys():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 12))
    table = comparison_of({"a": a, "b": b}).tests("mse", test="wilcoxon")
    assert table["p_value"].item() == pytest.approx(stats.wilcoxon(a - b).pvalue)


def test_wilcoxon_with_five_folds_warns():
    comparison = comparison_of({"a": np.arange(5.0), "b": np.zeros(5) - 1})
    with pytest.warns(UserWarning, match=r"5 folds .* below 0\.0625"):
        comparison.tests("mse", test="wilcoxon")


def test_a_model_that_failed_gets_nan():
    values = {"a": [1.0, np.nan, 3.0], "b": [2.0, 3.0, 5.0], "c": [1.0, 1.5, 2.0]}
    table = comparison_of(values).tests("mse")
    assert table["p_value"].isna().tolist() == [True, True, False]
    assert table["p_adjusted"].iloc[2] == table["p_value"].iloc[2]


def test_bad_questions():
    comparison = comparison_of({"a": [1.0, 2.0], "b": [2.0, 3.0]})
    with pytest.raises(UnknownNameError, match=r"Unknown metric 'rmse'. Available: mse"):
        comparison.tests("rmse")
    with pytest.raises(UnknownNameError, match="Unknown baseline 'ridge'"):
        comparison.tests("mse", baseline="ridge")
    with pytest.raises(UnknownNameError, match="Unknown test 't'"):
        comparison.tests("mse", test="t")
    with pytest.raises(ValueError, match="correction must be"):
        comparison.tests("mse", correction="bonferroni")
    with pytest.raises(ValueError, match="needs at least 2 folds"):
        comparison_of({"a": [1.0], "b": [2.0]}).tests("mse")
    with pytest.raises(ValueError, match="needs two models"):
        comparison_of({"a": [1.0, 2.0]}).tests("mse")
