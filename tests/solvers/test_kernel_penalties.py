"""The penalties are compared with models that are fitted again without each sample."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from omitrans.solvers._kernel_penalties import (
    PENALTIES,
    CentredTargets,
    DualSolution,
    LeaveOneOut,
    penalties_of_components,
    penalties_of_targets,
)
from omitrans.solvers._kernels import KernelEigen
from omitrans.solvers._workers import workers


def centred_kernel(features):
    features = features - features.mean(axis=0)
    kernel = features @ features.T
    return kernel * len(kernel) / np.trace(kernel)


def ridge(kernel, Y, alpha):
    """Return dual coefficients and intercepts, from the equations of ridge with an intercept."""
    n = len(kernel)
    system = np.block([[kernel + alpha * np.eye(n), np.ones((n, 1))], [np.ones((1, n)), 0]])
    solution = np.linalg.solve(system, np.vstack([Y, np.zeros((1, Y.shape[1]))]))
    return solution[:n], solution[n]


def refitted_errors(kernel, Y):
    """Return the mean squared error of each penalty and target when each sample is left out."""
    errors = np.zeros((len(PENALTIES), Y.shape[1]))
    for i in range(len(Y)):
        rest = np.delete(np.arange(len(Y)), i)
        for error, alpha in zip(errors, PENALTIES, strict=True):
            coef, intercept = ridge(kernel[np.ix_(rest, rest)], Y[rest], alpha)
            error += (Y[i] - kernel[i, rest] @ coef - intercept) ** 2 / len(Y)
    return errors


@pytest.fixture(params=[4, 60], ids=["few features", "many features"])
def kernel(rng, request):
    return centred_kernel(rng.normal(size=(25, request.param)))


@pytest.fixture(name="Y")
def targets_of_a_kernel(kernel, rng):
    vectors = np.linalg.eigh(kernel)[1]
    signal = vectors[:, -4:] @ rng.normal(size=(4, 12)) * 3
    return signal + rng.normal(size=(25, 12)) * np.logspace(-2, 1, 12) + 5


@pytest.fixture
def eigen(kernel):
    return KernelEigen(kernel.copy())


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-7), (np.float32, 1e-4)])
def test_errors_are_those_of_refitting(kernel, eigen, Y, dtype, rtol):
    errors = LeaveOneOut(eigen, dtype).errors(Y - Y.mean(axis=0))

    assert errors.dtype == dtype
    assert_allclose(errors, refitted_errors(kernel, Y), rtol=rtol)


def test_each_target_gets_its_penalty(kernel, eigen, Y):
    with workers() as threads:
        chosen = penalties_of_targets(eigen, CentredTargets(Y), threads)

    relative = refitted_errors(kernel, Y) / Y.var(axis=0)
    assert_array_equal(chosen, (relative + relative.mean(axis=1, keepdims=True)).argmin(axis=0))
    assert len(np.unique(chosen)) > 3


def test_each_component_gets_its_penalty(kernel, eigen, Y):
    with workers() as threads:
        found = penalties_of_components(eigen, CentredTargets(Y), threads)

    centred = Y - Y.mean(axis=0)
    components = np.linalg.svd(centred, full_matrices=False)[0]
    errors = refitted_errors(kernel, components)
    of_mean = [
        np.mean([(u[i] - np.delete(u, i).mean()) ** 2 for i in range(25)]) for u in components.T
    ]
    expected = np.where(errors.min(axis=0) < of_mean, PENALTIES[errors.argmin(axis=0)], np.inf)
    assert_allclose(found.penalties, expected)
    assert 0 < np.isinf(expected).sum() < len(expected)
    coef = np.zeros((25, 12))
    for u, alpha, v in zip(components.T, expected, components.T @ centred, strict=True):
        if np.isfinite(alpha):
            coef += np.outer(ridge(kernel, u[:, None], alpha)[0], v)
    assert_allclose(kernel @ found.solve(centred), kernel @ coef, atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_coefficients_of_both(kernel, eigen, Y, dtype):
    targets = CentredTargets(Y)
    with workers() as threads:
        chosen = penalties_of_targets(eigen, targets, threads)
        components = penalties_of_components(eigen, targets, threads)
        both, mean = DualSolution(eigen, targets, chosen, components, 0.5).fill(dtype, threads)

    by_gene = np.column_stack(
        [
            ridge(kernel, y[:, None], alpha)[0]
            for y, alpha in zip(Y.T, PENALTIES[chosen], strict=True)
        ]
    )
    expected = (by_gene + components.solve(Y - Y.mean(axis=0))) / 2
    assert_allclose(kernel @ both, kernel @ expected, atol=1e-4 if dtype == np.float32 else 1e-9)
    assert_allclose(mean, Y.mean(axis=0), rtol=1e-6)


def test_float64_where_float32_would_lose_digits():
    """Nearly noiseless targets of a kernel with few large and many tiny eigenvalues."""
    rng = np.random.default_rng(0)
    vectors = np.linalg.qr(np.column_stack([np.ones(30), rng.normal(size=(30, 29))]))[0][:, 1:]
    kernel = vectors * np.r_[29.0, np.full(28, 1e-3)] @ vectors.T
    Y = vectors[:, 5:8] * 10
    targets, eigen = CentredTargets(Y.astype(np.float32)), KernelEigen(kernel.copy())
    with workers() as threads:
        easy, hard = (
            DualSolution(eigen, targets, np.full(3, position), None, 0.0).fill(np.float32, threads)[
                0
            ]
            for position in (20, 0)
        )

    assert easy.dtype == np.float32
    assert hard.dtype == np.float64


def test_constant_targets_get_no_coefficients(eigen, Y):
    Y[:, 2] = 0.1
    targets = CentredTargets(Y)
    with workers() as threads:
        chosen = penalties_of_targets(eigen, targets, threads)
        coef, mean = DualSolution(eigen, targets, chosen, None, 0.0).fill(np.float64, threads)

    assert_array_equal(coef[:, 2], 0)
    assert mean[2] == 0.1
    assert np.any(coef[:, 3] != 0)


def test_some_rows_are_as_a_table_of_them(eigen, Y):
    rows = np.arange(24, -1, -1)
    one, other = CentredTargets(Y, rows), CentredTargets(Y[rows])

    for first, second in zip(one.block(slice(2, 7)), other.block(slice(2, 7)), strict=True):
        assert_array_equal(first, second)
