"""Posterior standard deviations, compared with Gaussian processes."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import DotProduct

from omitrans.baselines import MultiKernelRidgeRegressor, _multi_kernel_ridge
from omitrans.solvers import _kernel_penalties
from omitrans.trust import TrustedRegressor


@pytest.fixture
def data(rng):
    factors = rng.normal(size=(60, 4))
    X = factors @ rng.normal(size=(4, 50)) + rng.normal(size=(60, 50)) + 2
    Y = factors @ rng.normal(size=(4, 7)) + rng.normal(size=(60, 7)) + 5
    Y[:, 6] = 5  # constant
    return X, Y


def dense_variances(kernel, own, training, centred, penalties):
    """Return signal variances times posterior variances, by solving dense systems."""
    found = np.empty((len(kernel), len(penalties)))
    for target, penalty in enumerate(penalties):
        system = training + penalty * np.eye(len(training))
        left = own - np.sum(kernel * np.linalg.solve(system, kernel.T).T, axis=1)
        y = centred[:, target]
        found[:, target] = left * (y @ np.linalg.solve(system, y)) / len(y)
    return found


def test_a_linear_kernel_is_a_gaussian_process(data):
    X, Y = data
    model = MultiKernelRidgeRegressor(
        kernel_weights={"linear, centred": 1}, penalties="gene", n_selected=0
    ).fit(X[:40], Y[:40])
    Z = X - X[:40].mean(axis=0)
    Z /= np.sqrt(np.mean(np.sum(Z[:40] ** 2, axis=1)))  # the mean eigenvalue is then 1
    predicted, deviations = model.predict(X, return_std=True)
    for target in range(6):
        y = Y[:40, target] - Y[:40, target].mean()
        penalty = model.penalties_[target]
        process = GaussianProcessRegressor(
            DotProduct(0, "fixed"), alpha=penalty, optimizer=None
        ).fit(Z[:40], y)
        mean, unit = process.predict(Z, return_std=True)
        system = Z[:40] @ Z[:40].T + penalty * np.eye(40)
        signal = y @ np.linalg.solve(system, y) / 40
        assert_allclose(model.signal_variances_[target], signal)
        assert_allclose(predicted[:, target], mean + Y[:40, target].mean(), rtol=1e-6)
        assert_allclose(deviations[:, target], np.sqrt(signal) * unit, rtol=1e-5)
    assert_array_equal(deviations[:, 6], 0)


@pytest.mark.parametrize("penalties", ["both", "gene", "component"])
def test_a_mixture_is_centred(data, penalties):
    X, Y = data
    names = {"rbf, centred": 1, "laplace, centred": 1, "linear, centred": 1}
    model = MultiKernelRidgeRegressor(kernel_weights=names, penalties=penalties, n_selected=0)
    model.fit(X[:40], Y[:40])
    Z = X - X[:40].mean(axis=0)
    pairs = np.triu_indices(40, 1)
    centre = np.eye(60)
    centre[:, :40] -= 1 / 40  # takes the mean over the training samples away
    mixed = np.zeros((60, 60))
    difference = np.abs(Z[:, None] - Z)
    exponents = [np.sum(difference**2, axis=2), np.sum(difference, axis=2)]
    kernels = [np.exp(-D / np.median(D[:40, :40][pairs])) for D in exponents]
    for kernel in [*kernels, Z @ Z.T]:
        centred = centre @ kernel @ centre.T
        mixed += centred / np.trace(centred[:40, :40]) * 40 / 3
    penalty = model.penalties_
    if penalties == "component":
        finite = model.component_penalties_[np.isfinite(model.component_penalties_)]
        penalty = np.full(7, np.prod(finite) ** (1 / len(finite)))
    expected = dense_variances(
        mixed[:, :40], np.diagonal(mixed), mixed[:40, :40], Y[:40] - Y[:40].mean(axis=0), penalty
    )

    _, deviations = model.predict(X, return_std=True)

    assert_allclose(deviations, np.sqrt(expected), rtol=1e-6)


def test_it_is_small_at_training_samples_and_grows_away_from_them(data, monkeypatch):
    X, Y = data
    for module in (_kernel_penalties, _multi_kernel_ridge):
        monkeypatch.setattr(module, "PENALTIES", np.array([1e-7]))
    kernels = {"rbf, standardised": 1, "rbf, centred": 1}
    model = MultiKernelRidgeRegressor(kernel_weights=kernels, n_selected=0).fit(X, Y)
    steps = [model.predict(X[:1] + away, return_std=True)[1][0, :6] for away in (0, 0.5, 1, 2, 9)]
    scale = np.sqrt(model.signal_variances_[:6])
    assert (steps[0] < 1e-3 * scale).all()
    assert (np.diff(steps, axis=0) > 0).all()
    assert_allclose(steps[-1] / scale, (steps[-1] / scale)[0])
    # no more than before any sample was seen: a centred kernel of a sample that is like no other
    own = model._mixture["factors"].sum() + model._mixture["column_means"].mean()
    assert (steps[-1] <= scale * np.sqrt(own)).all()
    assert (steps[-1] > 0.5 * scale * np.sqrt(own)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sample_alone_is_as_in_a_batch_and_nothing_changes(data, dtype):
    X, Y = (table.astype(dtype) for table in data)
    Y[:, 0] += 20 * X[:, 3]
    model = MultiKernelRidgeRegressor().fit(X[:40], Y[:40])
    before = pickle.dumps(model)

    predicted, deviations = model.predict(X, return_std=True)

    assert pickle.dumps(model) == before
    assert deviations.dtype == dtype
    assert_array_equal(predicted, model.predict(X))
    alone = [model.predict(row[None], return_std=True)[1] for row in X]
    assert_array_equal(np.vstack(alone), deviations)


def test_one_target_and_samples_that_do_not_differ(data):
    X, Y = data
    model = MultiKernelRidgeRegressor().fit(X, Y[:, 0])
    assert model.predict(X, return_std=True)[1].shape == (60,)
    constant = MultiKernelRidgeRegressor().fit(np.ones((20, 3)), Y[:20])
    assert_array_equal(constant.predict(X[:, :3], return_std=True)[1], 0)


def test_a_trusted_regressor_hands_it_on(data):
    X, Y = data
    model = TrustedRegressor(MultiKernelRidgeRegressor(), random_state=0, detect_shift=False)
    model.fit(X, Y)
    found, expected = (
        one.predict(X, return_std=True) for one in (model, MultiKernelRidgeRegressor().fit(X, Y))
    )
    assert_array_equal(found, expected)
