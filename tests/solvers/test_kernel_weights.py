import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import approx_fprime

from omitrans.solvers import _kernel_weights
from omitrans.solvers._kernel_weights import (
    learn_weights,
    negative_log_likelihood,
    standardised_targets,
)
from omitrans.solvers._workers import workers


def centred_kernel(features):
    features = features - features.mean(axis=0)
    kernel = features @ features.T
    return kernel * len(kernel) / np.trace(kernel)


@pytest.fixture
def features(rng):
    return [rng.normal(size=(30, 5)) for _ in range(3)]


@pytest.fixture
def kernels(features):
    return np.stack([centred_kernel(one) for one in features])


def test_likelihood_of_gaussian_processes(kernels, rng):
    """With its best variance each target has n log(z' C^-1 z) + log det C, up to a constant."""
    Z = standardised_targets(rng.normal(size=(30, 4)))
    weights = np.array([0.5, 2.0, 0.1])
    C = np.eye(30) + np.tensordot(weights, kernels, 1)

    with workers() as threads:
        value, _ = negative_log_likelihood(np.log(weights), kernels, Z, threads)

    forms = [z @ np.linalg.solve(C, z) for z in Z.T]
    expected = sum(np.linalg.slogdet(C)[1] + 30 * np.log(form) for form in forms) / (30 * 4)
    assert_allclose(value, expected)


@pytest.mark.parametrize("per_block", [3, 256])
def test_gradient(kernels, rng, monkeypatch, per_block):
    monkeypatch.setattr(_kernel_weights, "_TARGETS_PER_BLOCK", per_block)
    Z = standardised_targets(rng.normal(size=(30, 8)))
    at = np.log([0.5, 2.0, 0.1])
    with workers() as threads:
        _, gradient = negative_log_likelihood(at, kernels, Z, threads)
        numeric = approx_fprime(
            at, lambda x: negative_log_likelihood(x, kernels, Z, threads)[0], 1e-6
        )
    assert_allclose(gradient, numeric, atol=1e-6)


def test_the_kernel_that_made_the_targets_gets_the_weight(features, kernels, rng):
    Y = features[1] @ rng.normal(size=(5, 40)) + rng.normal(size=(30, 40))
    with workers() as threads:
        weights = learn_weights(kernels, Y, threads)
    assert_allclose(weights.sum(), 1)
    assert weights[1] > 0.9


def test_targets_that_do_not_vary_do_not_count(kernels, rng):
    Y = rng.normal(size=(30, 4))
    more = np.hstack([Y, np.full((30, 2), 0.1)])
    with workers() as threads:
        assert_array_equal(
            learn_weights(kernels, more, threads), learn_weights(kernels, Y, threads)
        )
        assert_array_equal(learn_weights(kernels, more[:, 4:], threads), np.full(3, 1 / 3))


@pytest.mark.parametrize("n", [2, 3])
def test_few_samples(rng, n):
    kernels = np.stack([centred_kernel(rng.normal(size=(n, 4))) for _ in range(6)])
    with workers() as threads:
        weights = learn_weights(kernels, rng.normal(size=(n, 1)), threads)
    assert_allclose(weights.sum(), 1)
    assert np.all(weights >= 0)


def test_unit_of_the_targets_does_not_count(kernels, rng):
    Y = rng.normal(size=(30, 4))
    with workers() as threads:
        first, second = (learn_weights(kernels, Y * unit, threads) for unit in (1, 2.0**60))
    assert_allclose(second, first, rtol=1e-6)
