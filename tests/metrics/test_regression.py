import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import (
    mean_absolute_error,
    mean_squared_error,
    median_absolute_error,
    r2_score,
)

from omitrans.exceptions import FeatureMismatchError, SampleMismatchError
from omitrans.metrics import _blockwise as blockwise
from omitrans.metrics import r2_per_feature, r2_per_sample, reconstruction_report
from omitrans.utils._sklearn import InvalidParameterError

KEYS = [
    "mse",
    "rmse",
    "mean_ae",
    "median_ae",
    "mean_r2_per_sample",
    "mean_r2_per_feature",
    "median_r2_per_feature",
    "n_r2_per_feature_above",
    "fraction_r2_per_feature_above",
]


def oracle(Y_true, Y_pred, threshold=0.3):
    """The nine numbers, sample by sample, with scikit-learn's functions."""
    Y_true, Y_pred = np.asarray(Y_true, float), np.asarray(Y_pred, float)
    pairs = list(zip(Y_true, Y_pred, strict=True))
    mse = [mean_squared_error(t, p) for t, p in pairs]
    r2 = r2_score(Y_true, Y_pred, multioutput="raw_values")
    return {
        "mse": np.mean(mse),
        "rmse": np.mean(np.sqrt(mse)),
        "mean_ae": np.mean([mean_absolute_error(t, p) for t, p in pairs]),
        "median_ae": np.mean([median_absolute_error(t, p) for t, p in pairs]),
        "mean_r2_per_sample": np.mean([r2_score(t, p) for t, p in pairs]),
        "mean_r2_per_feature": np.mean(r2),
        "median_r2_per_feature": np.median(r2),
        "n_r2_per_feature_above": np.sum(r2 > threshold),
        "fraction_r2_per_feature_above": np.mean(r2 > threshold),
    }


def tables(n_samples=50, n_features=31, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    Y_true = rng.gamma(2, 2, n_features) + rng.standard_normal((n_samples, n_features))
    Y_pred = Y_true + rng.uniform(0.1, 1.5, n_features) * rng.standard_normal(Y_true.shape)
    return Y_true.astype(dtype), Y_pred.astype(dtype)


def frames(**options):
    Y_true, Y_pred = tables(**options)
    labels = {
        "index": [f"s{i}" for i in range(len(Y_true))],
        "columns": [f"g{i}" for i in range(Y_true.shape[1])],
    }
    return pd.DataFrame(Y_true, **labels), pd.DataFrame(Y_pred, **labels)


@pytest.fixture(params=[None, 7], ids=["one block", "many blocks"])
def blocks(request, monkeypatch):
    """Run a test in one block and, with blocks of seven rows, in many."""
    if request.param:
        monkeypatch.setattr(blockwise, "_MIN_BLOCK_ROWS", request.param)
        monkeypatch.setattr(blockwise, "CACHE_VALUES", 1)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("n_features", [30, 31])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_report_agrees_with_scikit_learn(n_features, dtype, order):
    Y_true, Y_pred = tables(n_features=n_features, dtype=dtype)
    report = reconstruction_report(Y_true.copy(order), Y_pred.copy(order))
    assert list(report) == KEYS
    assert all(type(value) is float for value in report.values())
    expected = oracle(Y_true, Y_pred)
    for key in KEYS:
        assert report[key] == pytest.approx(expected[key], rel=1e-10), key


@pytest.mark.usefixtures("blocks")
def test_r2_agrees_with_scikit_learn_on_both_axes():
    Y_true, Y_pred = tables()
    by_feature = r2_score(Y_true, Y_pred, multioutput="raw_values")
    by_sample = r2_score(Y_true.T, Y_pred.T, multioutput="raw_values")
    assert_allclose(r2_per_feature(Y_true, Y_pred), by_feature, rtol=1e-10)
    assert_allclose(r2_per_sample(Y_true, Y_pred), by_sample, rtol=1e-10)


@settings(max_examples=30, deadline=None)
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.just(2), st.integers(2, 9), st.integers(2, 9)),
        # small whole numbers make constant rows and columns, and exact ties, common
        elements=st.integers(-2, 2).map(float)
        | st.floats(-100, 100, width=32).map(lambda v: round(v, 1)),
    )
)
def test_any_small_table_agrees_with_scikit_learn(pair):
    Y_true, Y_pred = pair.astype(np.float64).round(1)
    # a power of two keeps scikit-learn's mean of a constant exact
    Y_true = np.round(Y_true * 8) / 8
    report, expected = reconstruction_report(Y_true, Y_pred), oracle(Y_true, Y_pred)
    for key in KEYS:
        assert report[key] == pytest.approx(expected[key], rel=1e-9, abs=1e-9), key


def test_published_order_of_means():
    Y_true = np.array([[0.0, 1.0, 2.0], [0.0, 5.0, 3.0]])
    Y_pred = Y_true + np.array([[3, 3, 3], [0, 0, 9]])
    report = reconstruction_report(Y_true, Y_pred)
    assert report["mse"] == 18.0
    assert report["rmse"] == pytest.approx((3 + np.sqrt(27)) / 2)
    assert report["rmse"] != pytest.approx(np.sqrt(18))
    assert report["mean_ae"] == 3.0
    assert report["median_ae"] == 1.5


@pytest.mark.parametrize("function", [r2_per_feature, lambda t, p: r2_per_sample(t.T, p.T)])
def test_constant_rule_is_scikit_learns_force_finite(function):
    Y_true = np.array([[2.0, 2.0, 0.0], [2.0, 2.0, 1.0], [2.0, 2.0, 2.0]])
    Y_pred = np.array([[2.0, 2.0, 0.0], [2.0, 2.5, 1.0], [2.0, 2.0, 1.0]])
    r2 = function(Y_true, Y_pred)
    assert_array_equal(r2, [1.0, 0.0, 0.5])
    assert_array_equal(r2, r2_score(Y_true, Y_pred, multioutput="raw_values"))


def test_constant_is_recognised_whatever_its_rounding():
    # the mean of many 0.1 is not 0.1, which must not make a variance
    Y_true = np.full((1001, 3), 0.1)
    r2 = r2_per_feature(Y_true, Y_true + 0.01)
    assert_array_equal(r2, 0.0)


def test_large_offset_keeps_its_accuracy():
    Y_true, Y_pred = tables(n_samples=2000, n_features=5)
    expected = r2_per_feature(Y_true, Y_pred)
    assert_allclose(r2_per_feature(Y_true + 1e6, Y_pred + 1e6), expected, rtol=1e-8)


def test_outlying_first_sample_keeps_its_accuracy():
    Y_true, Y_pred = tables(n_samples=500, n_features=5)
    Y_true[0] += 1e5
    expected = r2_score(Y_true, Y_pred, multioutput="raw_values")
    assert_allclose(r2_per_feature(Y_true, Y_pred), expected, atol=1e-10)


def test_float32_is_summed_in_float64():
    Y_true, Y_pred = tables(n_samples=500, n_features=40, dtype=np.float32)
    Y_true += 1000
    Y_pred += 1000
    report = reconstruction_report(Y_true, Y_pred)
    expected = oracle(Y_true.astype(np.float64), Y_pred.astype(np.float64))
    for key in KEYS:
        assert report[key] == pytest.approx(expected[key], rel=1e-6), key


def test_no_second_copy_is_made(monkeypatch):
    monkeypatch.setattr(blockwise, "CACHE_VALUES", 2**17)
    Y_true, Y_pred = tables(n_samples=200, n_features=20_000, dtype=np.float32)
    tracemalloc.start()
    reconstruction_report(Y_true, Y_pred)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < Y_true.nbytes


def test_inputs_are_left_alone():
    Y_true, Y_pred = tables()
    kept = Y_true.copy(), Y_pred.copy()
    reconstruction_report(Y_true, Y_pred)
    assert_array_equal(Y_true, kept[0])
    assert_array_equal(Y_pred, kept[1])


@pytest.mark.parametrize("threshold", [-1.0, 0.9])
def test_threshold_is_strict_and_used(threshold):
    Y_true, Y_pred = tables()
    r2 = r2_per_feature(Y_true, Y_pred)
    report = reconstruction_report(Y_true, Y_pred, threshold=threshold)
    assert report["n_r2_per_feature_above"] == (r2 > threshold).sum()
    at = float(r2[3])
    counted = reconstruction_report(Y_true, Y_pred, threshold=at)["n_r2_per_feature_above"]
    assert counted == (r2 > at).sum() < (r2 >= at).sum()


def test_threshold_must_be_a_number():
    with pytest.raises(InvalidParameterError, match="threshold"):
        reconstruction_report(*tables(), threshold="0.3")


def test_lists_integers_and_half_precision_are_accepted():
    Y_true, Y_pred = [[1, 2, 3], [2, 4, 7], [0, 1, 1]], [[1, 2, 4], [2, 5, 7], [1, 1, 1]]
    expected = oracle(Y_true, Y_pred)
    for convert in (list, np.int8, np.uint8, np.float16):
        Y = (
            [convert(Y_true), convert(Y_pred)]
            if convert is list
            else np.array([Y_true, Y_pred], convert)
        )
        assert reconstruction_report(*Y) == pytest.approx(expected)


def test_frames_give_labelled_series():
    Y_true, Y_pred = frames()
    for function, labels in ((r2_per_feature, Y_true.columns), (r2_per_sample, Y_true.index)):
        array = function(Y_true.to_numpy(), Y_pred.to_numpy())
        assert isinstance(array, np.ndarray)
        for pair in ((Y_true, Y_pred), (Y_true, Y_pred.to_numpy()), (Y_true.to_numpy(), Y_pred)):
            series = function(*pair)
            pd.testing.assert_series_equal(series, pd.Series(array, index=labels, name="r2"))


def test_report_of_frames_and_arrays_is_the_same():
    Y_true, Y_pred = frames()
    assert reconstruction_report(Y_true, Y_pred) == reconstruction_report(*tables())


def test_one_target():
    y_true, y_pred = (table[:, 0] for table in tables())
    series = pd.Series(y_true, name="TP53")
    expected = r2_score(y_true, y_pred)
    assert_allclose(r2_per_feature(y_true, y_pred), [expected])
    assert_allclose(r2_per_feature(series, y_pred).loc["TP53"], expected)
    with pytest.warns(UndefinedMetricWarning, match="R² per sample needs at least two features"):
        report = reconstruction_report(y_true, y_pred[:, None])
    assert report["mse"] == pytest.approx(mean_squared_error(y_true, y_pred))
    assert report["median_ae"] == pytest.approx(mean_absolute_error(y_true, y_pred))
    assert report["median_r2_per_feature"] == pytest.approx(expected)
    assert np.isnan(report["mean_r2_per_sample"])


def test_one_sample_has_no_r2_per_feature():
    Y_true, Y_pred = (table[:1] for table in tables())
    with pytest.warns(UndefinedMetricWarning, match="R² per feature needs at least two samples"):
        report = reconstruction_report(Y_true, Y_pred)
    assert [key for key in KEYS if np.isnan(report[key])] == KEYS[5:]


@pytest.mark.parametrize("function", [reconstruction_report, r2_per_feature, r2_per_sample])
class TestBadInput:
    def test_other_samples(self, function):
        Y_true, Y_pred = frames()
        with pytest.raises(SampleMismatchError, match=r"1 only in Y_true \['s0'\].*predict_frame"):
            function(Y_true, Y_pred.rename(index={"s0": "other"}))

    def test_other_order_of_samples(self, function):
        Y_true, Y_pred = frames()
        with pytest.raises(SampleMismatchError, match=r"another order.*Y_pred\.reindex"):
            function(Y_true, Y_pred.iloc[::-1])

    def test_other_features(self, function):
        Y_true, Y_pred = frames()
        with pytest.raises(FeatureMismatchError, match="different features: 0 only in Y_true"):
            function(Y_true, Y_pred.assign(extra=1.0))

    def test_other_order_of_features(self, function):
        Y_true, Y_pred = frames()
        with pytest.raises(FeatureMismatchError, match="same features in another order"):
            function(Y_true, Y_pred.iloc[:, ::-1])

    def test_series_index(self, function):
        Y_true, Y_pred = frames()
        with pytest.raises(SampleMismatchError, match="another order"):
            function(Y_true["g0"], Y_pred["g0"].iloc[::-1])

    def test_lengths(self, function):
        Y_true, Y_pred = tables()
        with pytest.raises(SampleMismatchError, match="50 samples and Y_pred 49"):
            function(Y_true, Y_pred[1:])
        with pytest.raises(FeatureMismatchError, match="31 features and Y_pred 30"):
            function(Y_true, Y_pred[:, 1:])

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_not_finite(self, function, value):
        Y_true, Y_pred = frames()
        Y_pred.iloc[3, 4] = value
        with pytest.raises(
            ValueError, match=r"Y_pred contains NaN .* in 1 of 31 features .*: g4\)"
        ):
            function(Y_true, Y_pred)
        with pytest.raises(ValueError, match=r"Y_true contains NaN .*: 4\)"):
            function(Y_pred.to_numpy(), Y_true.to_numpy())

    def test_text(self, function):
        with pytest.raises(ValueError, match="Convert your data to numeric values"):
            function([["a", "b"]], [["a", "b"]])

    def test_empty(self, function):
        with pytest.raises(ValueError, match="0 sample"):
            function(np.empty((0, 3)), np.empty((0, 3)))


def test_huge_float32_values_are_not_mistaken_for_infinity():
    Y = np.full((3, 4), 3e38, dtype=np.float32)
    assert reconstruction_report(Y, Y)["mse"] == 0.0
