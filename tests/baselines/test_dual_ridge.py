import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, Ridge, RidgeCV
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from omitrans.baselines import DualRidgeRegressor, _dual_ridge
from omitrans.solvers import _kernels

ALPHAS = np.logspace(-1, 4, 11)


@pytest.fixture
def data(rng):
    X = rng.normal(size=(40, 150)) + 2
    return X, X[:, :20] @ rng.normal(size=(20, 6)) + 5 * rng.normal(size=(40, 6)) + 3


@pytest.fixture(params=[150, 10], ids=["wide", "tall"])
def shaped(data, request):
    X, Y = data
    return X[:, : request.param], Y


def test_minimum_norm_least_squares(shaped):
    X, Y = shaped

    model = DualRidgeRegressor(0.0).fit(X[:30], Y[:30])

    oracle = LinearRegression().fit(X[:30], Y[:30])
    assert_allclose(model.predict(X), oracle.predict(X), rtol=1e-7)


def test_minimum_norm_with_a_sample_twice(data):
    X, Y = data
    X, Y = np.vstack([X, X[:5]]), np.vstack([Y, Y[:5] + 1])

    model = DualRidgeRegressor(0.0).fit(X, Y)

    assert_allclose(model.predict(X), LinearRegression().fit(X, Y).predict(X), rtol=1e-7)


def test_one_penalty(shaped):
    X, Y = shaped

    model = DualRidgeRegressor(7.0, alpha_mode="absolute").fit(X[:30], Y[:30])

    assert_allclose(model.predict(X), Ridge(7.0).fit(X[:30], Y[:30]).predict(X), rtol=1e-8)
    assert model.loo_mse_ is None


def test_choice_of_ridgecv(shaped):
    X, Y = shaped

    model = DualRidgeRegressor(ALPHAS, alpha_mode="absolute").fit(X, Y)

    oracle = RidgeCV(ALPHAS).fit(X, Y)
    assert model.alpha_ == oracle.alpha_
    assert ALPHAS[0] < model.alpha_ < ALPHAS[-1]
    assert_allclose(model.predict(X), oracle.predict(X), rtol=1e-8)


def test_leave_one_out_errors_are_those_of_refitting(data):
    X, Y = data
    model = DualRidgeRegressor(ALPHAS[:3], alpha_mode="absolute").fit(X, Y)

    for alpha, error in zip(ALPHAS, model.loo_mse_[0], strict=False):
        predicted = cross_val_predict(Ridge(alpha), X, Y, cv=LeaveOneOut())
        assert_allclose(error, np.mean((Y - predicted) ** 2), rtol=1e-7)


def test_rbf_kernel_on_centred_targets_is_kernel_ridge_without_a_constant(data):
    """The intercept is not penalised: adding a constant to Y adds it to the prediction."""
    X, Y = data
    model = DualRidgeRegressor(0.1, kernel="rbf", gamma=0.5).fit(X, Y)

    K = np.exp(-model.gamma_ * np.sum((X[:, None] - X) ** 2, axis=2))
    centring = np.eye(40) - 1 / 40
    oracle = KernelRidge(alpha=model.alpha_, kernel="precomputed").fit(
        centring @ K @ centring, Y - Y.mean(axis=0)
    )
    fitted = oracle.predict(centring @ K @ centring) + Y.mean(axis=0)
    assert_allclose(model.predict(X), fitted, rtol=1e-8)
    shifted = DualRidgeRegressor(0.1, kernel="rbf", gamma=0.5).fit(X, Y + 100)
    assert_allclose(shifted.predict(X + 0.1), model.predict(X + 0.1) + 100, rtol=1e-8)


def test_rbf_kernel_finds_what_a_line_cannot(rng):
    X = rng.uniform(-1, 1, size=(200, 2))
    Y = np.column_stack([np.sum(X**2, axis=1), np.prod(X, axis=1)])

    model = DualRidgeRegressor(kernel="rbf").fit(X[:150], Y[:150])

    assert model.score(X[150:], Y[150:]) > 0.95
    assert DualRidgeRegressor().fit(X[:150], Y[:150]).score(X[150:], Y[150:]) < 0.2
    assert model.loo_mse_.shape == (3, 16)


def test_relative_penalties_do_not_feel_the_scale(data):
    X, Y = data

    first, second = (DualRidgeRegressor().fit(scale * X, Y) for scale in (1, 100))

    assert_allclose(second.predict(100 * X), first.predict(X), rtol=1e-6)
    assert_allclose(second.alpha_, 1e4 * first.alpha_)


def test_some_targets_stand_for_all_in_the_choice(data, monkeypatch):
    X, Y = data
    monkeypatch.setattr(_dual_ridge, "_TARGETS_TO_TUNE_ON", 2)

    model = DualRidgeRegressor(ALPHAS, alpha_mode="absolute").fit(X, Y)

    assert model.alpha_ == RidgeCV(ALPHAS).fit(X, Y[:, [0, 5]]).alpha_


def test_blocks_change_nothing(data, monkeypatch):
    X, Y = data
    whole = DualRidgeRegressor().fit(X, Y).predict(X)

    monkeypatch.setattr(_kernels, "BLOCK_VALUES", 400)
    monkeypatch.setattr(_kernels, "TARGETS_A_BLOCK", 4)
    monkeypatch.setattr(_dual_ridge, "TARGETS_A_BLOCK", 4)
    monkeypatch.setattr(_dual_ridge, "_SAMPLES_A_BLOCK", 7)

    assert_allclose(DualRidgeRegressor().fit(X, Y).predict(X), whole, rtol=1e-8)


def test_constant_features_give_the_mean(data):
    _, Y = data

    predicted = DualRidgeRegressor().fit(np.ones((40, 3)), Y).predict(np.ones((1, 3)))

    assert_allclose(predicted[0], Y.mean(axis=0))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"alpha": [0.0, 1.0]}, "alpha=0 has no leave-one-out error"),
        ({"alpha": [1.0, -1.0]}, "alpha must be one or several finite numbers"),
        ({"alpha": -1.0}, "'alpha' parameter of DualRidgeRegressor|finite numbers >= 0"),
        ({"kernel": "poly"}, "'kernel' parameter of DualRidgeRegressor"),
    ],
)
def test_unusable_parameters_are_refused(data, parameters, message):
    with pytest.raises(ValueError, match=message):
        DualRidgeRegressor(**parameters).fit(*data)
