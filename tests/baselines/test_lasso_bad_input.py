"""What `LassoRegressor` says to bad input, to data that do not converge, and without celer."""

import builtins
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

from omitrans.baselines import LassoRegressor
from omitrans.exceptions import MissingDependencyError, SampleMismatchError


@pytest.fixture
def data(rng):
    X = rng.uniform(size=(60, 40))
    return X, X[:, :5] + X[:, 5:10] + rng.normal(size=(60, 5))


def test_targets_that_do_not_converge_are_counted_in_one_warning(data):
    X, Y = data
    model = LassoRegressor(0.01, solver="sklearn", max_iter=1, tol=1e-9)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, Y)

    (warning,) = caught
    assert warning.category is ConvergenceWarning
    assert "did not converge for 5 of 5 targets (first: y0" in str(warning.message)
    assert f"{model.dual_gap_.max():.2g}" in str(warning.message)


def test_other_samples_are_refused(data):
    X, Y = (pd.DataFrame(table) for table in data)

    with pytest.raises(SampleMismatchError, match="another order"):
        LassoRegressor(0.1).fit(X, Y.iloc[::-1])


@pytest.mark.parametrize(
    ("alpha", "message"),
    [
        ([0.1, 0.2], r"one for each of the 5 targets, but has shape \(2,\)"),
        ([0.1, 0.1, -1.0, 0.1, 0.1], "positive and finite"),
        ([0.1, 0.1, np.nan, 0.1, 0.1], "positive and finite"),
        (0.0, "'alpha' parameter of LassoRegressor"),
        ("auto", "'alpha' parameter of LassoRegressor"),
    ],
)
def test_unusable_penalties_are_refused(data, alpha, message):
    with pytest.raises(ValueError, match=message):
        LassoRegressor(alpha).fit(*data)


@pytest.fixture
def no_celer(monkeypatch):
    real_import = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.partition(".")[0] == "celer":
            raise ImportError("no celer here")
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)


def test_auto_goes_without_celer(data, no_celer):
    model = LassoRegressor(0.2).fit(*data)

    assert model.solver_ == "sklearn"


def test_auto_takes_celer_where_it_is(data):
    assert LassoRegressor(0.2).fit(*data).solver_ == "celer"


def test_celer_asked_for_but_absent(data, no_celer):
    with pytest.raises(MissingDependencyError, match="pip install celer, or use solver='sklearn'"):
        LassoRegressor(0.2, solver="celer").fit(*data)
