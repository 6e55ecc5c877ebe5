"""Predictions of folds with hidden columns, compared with clones that get tables of means."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, KFold
from threadpoolctl import threadpool_limits

from omitrans.baselines import MultiKernelRidgeRegressor
from omitrans.solvers import _kernel_family, _kernel_recipe

SHARES = [1, 0.9, 0.5, 0.3, 0.5, 0]


@pytest.fixture
def same_scaling(rng):
    """Tables with copies of the same samples in every fold, and the folds.

    The training samples of every fold then have the same feature means and deviations.
    """
    base = rng.normal(size=(20, 30)) + 1
    base[:, 7] = 3  # constant
    X = np.vstack([base] * 3)
    Y = X[:, :8] @ rng.normal(size=(8, 5)) + rng.normal(size=(60, 5))
    Y[:, 0] += 9 * X[:, 2]  # so strong that it enters directly
    Y[:, 4] = 2  # constant
    return X, Y, list(GroupKFold(3).split(X, groups=np.repeat(np.arange(3), 20)))


def errors_of_clones(model, X, Y, folds, orders, shares):
    """Return the squared errors of models fitted on each fold, with means in hidden columns."""
    errors = []
    for (train, test), order in zip(folds, orders, strict=True):
        fitted = clone(model).fit(X[train], Y[train])
        for share in shares:
            table = X[test].copy()
            hidden = order[round(share * X.shape[1]) :]
            table[:, hidden] = X[train].mean(axis=0)[hidden]
            errors.append(np.sum((fitted.predict(table) - Y[test]) ** 2, axis=0))
    return np.reshape(errors, (len(folds), len(shares), -1))


@pytest.mark.parametrize("penalties", ["both", "gene", "component"])
@pytest.mark.parametrize("columns_of_l1", [4096, pytest.param(9, marks=pytest.mark.slow)])
def test_hidden_columns_are_those_of_clones(
    rng, same_scaling, penalties, columns_of_l1, monkeypatch
):
    monkeypatch.setattr(_kernel_family, "COLUMNS_OF_L1", columns_of_l1)
    monkeypatch.setitem(_kernel_family.BLOCK_SIZES, "n_values", 1)
    monkeypatch.setitem(_kernel_family.BLOCK_SIZES, "at_least", 4)
    X, Y, folds = same_scaling
    orders = [rng.permutation(30) for _ in folds]
    model = MultiKernelRidgeRegressor(penalties=penalties)

    predicted, errors = model.fit_cross_evaluate(X, Y, folds, orders=orders, shares=SHARES)

    expected = errors_of_clones(model, X, Y, folds, orders, SHARES)
    assert_allclose(errors, expected, rtol=1e-4, atol=1e-20)
    assert_allclose(predicted, clone(model).fit_cross_predict(X, Y, folds), rtol=1e-9)
    for number, (_, test) in enumerate(folds):
        squares = np.sum((predicted[test] - Y[test]) ** 2, axis=0)
        assert_allclose(errors[number, 0], squares)
    assert_array_equal(model.predict(X), clone(model).fit(X, Y).predict(X))
    assert (model.direct_coef_.nnz > 0) == (penalties != "component")


def test_direct_effects_are_not_counted_twice_without_a_solution_by_target(rng, monkeypatch):
    X = rng.normal(size=(60, 30))
    Y = 3 * X[:, :5] + rng.normal(size=(60, 5))
    predicted = []
    for share in (1 - 1e-9, 1.0):
        monkeypatch.setattr(_kernel_recipe, "component_share", lambda *_, share=share: share)
        predicted.append(MultiKernelRidgeRegressor().fit(X, Y).predict(X))
    assert_allclose(predicted[1], predicted[0], atol=1e-6)


def test_other_scalings_change_little(rng):
    X = rng.normal(size=(150, 40))
    Y = X @ rng.normal(size=(40, 6)) + rng.normal(size=(150, 6))
    folds = list(KFold(5, shuffle=True, random_state=0).split(X))
    orders = [rng.permutation(40) for _ in folds]
    model = MultiKernelRidgeRegressor()

    _, errors = model.fit_cross_evaluate(X, Y, folds, orders=orders, shares=SHARES)

    expected = errors_of_clones(model, X, Y, folds, orders, SHARES).sum(axis=0)
    assert_allclose(errors.sum(axis=0), expected, rtol=0.05)


def test_float32_one_target_and_untested_samples(rng):
    X = rng.normal(size=(40, 30)).astype(np.float32)
    y = X[:, 0] + rng.normal(size=40).astype(np.float32)
    folds = [(np.arange(25), np.arange(30, 40))]

    predicted, errors = MultiKernelRidgeRegressor().fit_cross_evaluate(
        X, y, folds, orders=[np.arange(30)], shares=[0.5]
    )

    assert predicted.shape == (40,)
    assert predicted.dtype == np.float32
    assert np.isnan(predicted[:30]).all()
    assert errors.shape == (1, 1, 1)
    assert errors.dtype == np.float64


def test_the_number_of_threads_changes_nothing(rng):
    X = rng.normal(size=(60, 2000)).astype(np.float32)
    Y = (X[:, :20] @ rng.normal(size=(20, 50))).astype(np.float32)
    folds = list(KFold(3).split(X))
    orders = [rng.permutation(2000) for _ in folds]
    found = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads, user_api="blas"):
            model = MultiKernelRidgeRegressor()
            found.append(model.fit_cross_evaluate(X, Y, folds, orders=orders, shares=SHARES))
    assert_array_equal(found[0][0], found[1][0])
    assert_array_equal(found[0][1], found[1][1])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"orders": [np.arange(30)]}, "1 orders of columns for 3 folds"),
        ({"orders": [np.arange(29)] * 3}, r"orders\[0\] .* each position of the 30 columns"),
        ({"orders": [np.zeros(30, dtype=int)] * 3}, r"orders\[0\]"),
        ({"shares": [0.5, 1.5]}, "between 0 and 1, but one is 1.5"),
    ],
)
def test_bad_parameters(same_scaling, changed, message):
    params = {"orders": [np.arange(30)] * 3, "shares": [0.5]} | changed
    with pytest.raises(ValueError, match=message):
        MultiKernelRidgeRegressor().fit_cross_evaluate(*same_scaling, **params)
