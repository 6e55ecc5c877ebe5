"""Metrics of hidden entries against loops over genes and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import r2_score

from omitrans.exceptions import FeatureMismatchError, SampleMismatchError
from omitrans.metrics import (
    _imputation,
    masked_r2_by_group,
    masked_r2_per_feature,
    masked_rmse,
)


@pytest.fixture
def tables(rng):
    truth = rng.normal(5, 2, size=(40, 7))
    hidden = rng.random(truth.shape) < 0.4
    return truth, np.where(hidden, truth + rng.normal(size=truth.shape), truth), hidden


def loop(truth, imputed, hidden, reference):
    values = []
    for y, filled, h in zip(truth.T, imputed.T, hidden.T, strict=True):
        h = h & ~np.isnan(y)
        kept = ~h & ~np.isnan(y)
        centre = y[kept].mean() if reference == "observed" else y[h].mean()
        values.append(1 - ((y - filled)[h] ** 2).sum() / ((y[h] - centre) ** 2).sum())
    return np.array(values)


@pytest.mark.parametrize("reference", ["observed", "hidden"])
@pytest.mark.parametrize("block", [7, 50, 2**20])
def test_r2_is_that_of_a_loop_over_genes(tables, reference, block, monkeypatch):
    monkeypatch.setattr(_imputation, "CACHE_VALUES", block)
    truth, imputed, hidden = tables
    truth = truth.copy()
    truth[3, :3] = np.nan  # never measured
    r2 = masked_r2_per_feature(truth, imputed, hidden, reference=reference)
    np.testing.assert_allclose(r2, loop(truth, imputed, hidden, reference), rtol=1e-12)


def test_with_all_hidden_it_is_the_usual_r2(tables):
    truth, imputed, _ = tables
    every = np.ones(truth.shape, dtype=bool)
    r2 = masked_r2_per_feature(truth, imputed, every, reference="hidden")
    np.testing.assert_allclose(r2, r2_score(truth, imputed, multioutput="raw_values"))


def test_other_entries_do_not_count(tables):
    truth, imputed, hidden = tables
    changed = np.where(hidden, imputed, 1e6)
    assert (
        masked_r2_per_feature(truth, imputed, hidden)
        == masked_r2_per_feature(truth, changed, hidden)
    ).all()
    assert masked_rmse(truth, imputed, hidden) == masked_rmse(truth, changed, hidden)


def test_rmse(tables):
    truth, imputed, hidden = tables
    expected = np.sqrt(((truth - imputed)[hidden] ** 2).mean())
    assert masked_rmse(truth, imputed, hidden) == pytest.approx(expected)


def test_by_group_is_r2_of_each_group(tables):
    truth, imputed, hidden = tables
    groups = np.repeat(["liver", "lung"], 20)
    table = masked_r2_by_group(truth, imputed, hidden, groups)
    for group in ("liver", "lung"):
        rows = groups == group
        expected = loop(truth[rows], imputed[rows], hidden[rows], "observed")
        np.testing.assert_allclose(table[group], expected, rtol=1e-12)


def test_differences_between_groups_explain_nothing():
    truth = np.array([[0.0], [1.0], [0.5], [10.0], [11.0], [10.5]])
    hidden = np.array([[True], [True], [False]] * 2)
    medians = np.array([[0.5]] * 3 + [[10.5]] * 3)
    assert masked_r2_per_feature(truth, medians, hidden)[0] > 0.98
    assert (masked_r2_by_group(truth, medians, hidden, ["a"] * 3 + ["b"] * 3) == 0).all().all()


def test_frames_give_labelled_numbers(tables):
    genes = [f"ENSG{i}" for i in range(7)]
    frames = [pd.DataFrame(table, columns=genes) for table in tables]
    r2 = masked_r2_per_feature(*frames)
    assert list(r2.index) == genes
    assert r2.name == "r2"
    by_group = masked_r2_by_group(*frames, pd.Series(["a", "b"] * 20))
    assert list(by_group.index) == genes
    assert list(by_group.columns) == ["a", "b"]


def test_too_few_values_are_nan():
    truth = np.array([[1.0, 2.0, 3.0], [2.0, 2.0, 4.0], [3.0, 2.0, 5.0]])
    hidden = np.array([[True, True, True], [False, True, True], [False, False, True]])
    with pytest.warns(UndefinedMetricWarning, match="NaN for every feature"):
        r2 = masked_r2_per_feature(truth, truth, hidden)
    assert np.isnan(r2).all()  # one hidden value; constant; nothing that is not hidden


@pytest.mark.parametrize("metric", [masked_r2_per_feature, masked_rmse])
def test_bad_input(tables, metric):
    truth, imputed, hidden = tables
    with pytest.raises(ValueError, match="hidden must be boolean"):
        metric(truth, imputed, hidden.astype(float))
    with pytest.raises(ValueError, match="marks no entry"):
        metric(truth, imputed, np.zeros_like(hidden))
    with pytest.raises(ValueError, match="Y_imputed contains NaN"):
        metric(truth, np.where(hidden, np.nan, truth), hidden)
    with pytest.raises(FeatureMismatchError, match="same samples and features"):
        metric(truth, imputed[:, :3], hidden)
    with pytest.raises(SampleMismatchError, match="same samples and features"):
        metric(truth, imputed, hidden[:5])
    frames = [pd.DataFrame(table) for table in tables]
    with pytest.raises(SampleMismatchError, match="Y_true and Y_imputed hold the same samples in"):
        metric(frames[0], frames[1].iloc[::-1], frames[2])
    with pytest.raises(FeatureMismatchError, match="Y_true and hidden hold different features"):
        metric(frames[0], imputed, frames[2].rename(columns={0: "a"}))


def test_groups_must_fit(tables):
    with pytest.raises(SampleMismatchError, match="one group a sample"):
        masked_r2_by_group(*tables, ["a"] * 3)
    with pytest.raises(ValueError, match="groups is missing for 20 samples"):
        masked_r2_by_group(*tables, [None, "a"] * 20)
    frames = [pd.DataFrame(table) for table in tables]
    with pytest.raises(SampleMismatchError, match="Y_true and groups hold different samples"):
        masked_r2_by_group(*frames, pd.Series("a", index=range(1, 41)))
