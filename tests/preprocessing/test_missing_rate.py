import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from omitrans.preprocessing import MissingRateFilter
from omitrans.utils import _blocks


@pytest.fixture(name="X")
def make_x():
    X = np.zeros((10, 3))
    X[:1, 1] = np.nan
    X[:2, 2] = np.nan
    return X


def test_a_rate_at_the_threshold_is_kept(X):
    filter_ = MissingRateFilter(threshold=0.1).fit(X)
    np.testing.assert_allclose(filter_.missing_rate_, [0, 0.1, 0.2])
    assert filter_.get_support().tolist() == [True, True, False]


def test_rates_are_those_of_fit(X):
    filter_ = MissingRateFilter().fit(X)
    assert filter_.transform(np.full((1, 3), np.nan)).shape == (1, 2)


@settings(max_examples=25, deadline=None)
@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
        elements={"allow_infinity": False},
    )
)
def test_rates_agree_with_pandas(X):
    filter_ = MissingRateFilter(threshold=1).fit(X)
    np.testing.assert_allclose(filter_.missing_rate_, pd.DataFrame(X).isna().mean())


def test_many_blocks(X, monkeypatch):
    whole = MissingRateFilter(1).fit(X).missing_rate_
    monkeypatch.setattr(_blocks, "columns_per_block", lambda *_, **__: 1)
    np.testing.assert_array_equal(MissingRateFilter(1).fit(X).missing_rate_, whole)
    np.testing.assert_array_equal(MissingRateFilter(1).fit(pd.DataFrame(X)).missing_rate_, whole)


def test_nothing_left():
    X = np.array([[np.nan, 1.0], [1.0, np.nan]])
    with pytest.raises(ValueError, match=r"none of the 2 columns.*threshold=0.1.*at least 0.5"):
        MissingRateFilter().fit(X)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, "10%"])
def test_bad_threshold(X, threshold):
    with pytest.raises(ValueError, match="'threshold' parameter"):
        MissingRateFilter(threshold).fit(X)
