"""The batched LASSO solver against scikit-learn, and what it promises of gaps."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.linear_model import lasso_path

from omitrans.solvers import lasso_paths, lasso_paths_of_arrays


def make_tables(n=60, p=150, n_targets=9, dtype=np.float64, seed=0):
    """Correlated features; some targets have many drivers, one is pure noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 8)) @ rng.normal(size=(8, p)) + rng.normal(size=(n, p))
    weights = rng.normal(size=(p, n_targets)) * (rng.random((p, n_targets)) < 0.1)
    weights[:, 0] = 0
    Y = X @ weights + 2 * rng.normal(size=(n, n_targets))
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    return np.asfortranarray((X / X.std(axis=0)).astype(dtype)), Y.astype(dtype)


def largest(X, Y):
    return np.abs(X.T @ Y).max(axis=0) / len(X)


def solve(X, Y, alphas, **options):
    return lasso_paths(
        torch.from_numpy(X), torch.from_numpy(Y), torch.from_numpy(alphas), **options
    )


def objective(X, y, w, alpha):
    X, y, w = (np.asarray(a, dtype=np.float64) for a in (X, y, w))
    return np.sum((y - X @ w) ** 2) / (2 * len(y)) + alpha * np.abs(w).sum()


def best_objective(X, y, alpha, tol):
    """Return the objective that scikit-learn reaches in float64 with one penalty."""
    _, coef, _ = lasso_path(
        X.astype(float),
        y.astype(float),
        alphas=alpha.astype(float),
        tol=tol,
        max_iter=100_000,
        random_state=0,
    )
    return objective(X, y, coef[:, 0], alpha[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(60, 150), (100, 20), (30, 400)])
@pytest.mark.parametrize("fraction", [0.7, 0.3, 0.1, 0.05])
def test_objective_agrees_with_scikit_learn(dtype, shape, fraction):
    X, Y = make_tables(*shape, dtype=dtype)
    alphas = (fraction * largest(X, Y))[:, None]
    solved = solve(X, Y, alphas, tol=1e-5)
    assert solved.gap.max() <= 1e-5
    found = solved.coef.to_dense().numpy()[:, 0]
    for t in range(Y.shape[1]):
        expected = best_objective(X, Y[:, t], alphas[t], tol=1e-8)
        assert objective(X, Y[:, t], found[t], alphas[t, 0]) <= expected * (1 + 1e-4)


def test_path_equals_single_penalties():
    X, Y = make_tables()
    alphas = np.outer(largest(X, Y), [1.0, 0.5, 0.2, 0.05])
    path = solve(X, Y, alphas, tol=1e-9).coef.to_dense()
    for a in range(alphas.shape[1]):
        alone = solve(X, Y, alphas[:, [a]].copy(), tol=1e-9).coef.to_dense()[:, 0]
        assert_allclose(path[:, a], alone, atol=1e-3)
    assert not path[:, 0].any()


def test_a_target_alone_gets_the_solution_it_gets_among_others():
    X, Y = make_tables()
    alphas = (0.15 * largest(X, Y))[:, None]
    together = solve(X, Y, alphas, tol=1e-9).coef.to_dense()[:, 0]
    for t in range(Y.shape[1]):
        alone = solve(X, Y[:, [t]].copy(), alphas[[t]].copy(), tol=1e-9).coef.to_dense()[0, 0]
        assert_allclose(alone, together[t], atol=1e-4)


def test_gap_is_the_duality_gap():
    X, Y = make_tables()
    alphas = (0.2 * largest(X, Y))[:, None]
    solved = solve(X, Y, alphas, tol=1e-2)
    n = len(X)
    for t, w in enumerate(solved.coef.to_dense().numpy()[:, 0]):
        y, residual = Y[:, t], Y[:, t] - X @ w
        theta = residual * min(1, n * alphas[t, 0] / np.abs(X.T @ residual).max())
        dual = (y @ y - (y - theta) @ (y - theta)) / (2 * n)
        gap = (objective(X, y, w, alphas[t, 0]) - dual) / (y @ y / n)
        # the best dual point so far may be better than the last
        assert 0 <= solved.gap[t, 0] <= gap + 1e-12
        assert solved.gap[t, 0] <= 1e-2


def test_copies_of_features_and_constants_do_no_harm():
    X, Y = make_tables(p=30)
    X = np.asfortranarray(np.hstack([X, X, np.zeros((len(X), 2))]))
    Y[:, 3] = 0
    solved = solve(X, Y, (0.1 * largest(X, Y))[:, None], tol=1e-7)
    coef = solved.coef.to_dense()[:, 0]
    assert torch.isfinite(coef).all()
    assert not coef[3].any()
    assert not coef[:, -2:].any()
    assert solved.gap.max() <= 1e-7
    assert solved.n_iter[3] == 0


def test_rounds_are_limited():
    X, Y = make_tables(n=100, p=400)
    alphas = (0.02 * largest(X, Y))[:, None]
    cut = solve(X, Y, alphas, tol=1e-10, max_iter=1)
    assert cut.n_iter.max() == 1
    assert cut.gap.max() > 1e-10


def test_arrays_come_back_as_rows_of_target_and_penalty():
    X, Y = make_tables(dtype=np.float32)
    alphas = np.outer(largest(X, Y), [0.5, 0.1])
    coef, gap, rounds = lasso_paths_of_arrays(X, Y, alphas, tol=1e-5, max_iter=100, device="cpu")
    assert coef.dtype == np.float32
    assert coef.shape == (18, 150)
    assert gap.shape == rounds.shape == (9, 2)
    expected = solve(X, Y, alphas.astype(np.float32), tol=1e-5).coef.to_dense()
    assert_allclose(coef.toarray(), expected.reshape(18, 150))


@pytest.mark.gpu
def test_cuda_agrees_with_cpu():
    X, Y = make_tables(n=200, p=1000, n_targets=50)
    alphas = (0.1 * largest(X, Y))[:, None]
    found = [
        lasso_paths_of_arrays(X, Y, alphas, tol=1e-8, max_iter=100, device=device)[0].toarray()
        for device in ("cpu", "cuda")
    ]
    assert_allclose(*found, atol=1e-3)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_supports_as_large_as_the_number_of_samples_end_soon(dtype):
    """Guessed supports then give singular equations, which float32 took for steps downhill."""
    rng = np.random.default_rng(0)  # as correlated as methylation, and hardly predictive
    X = rng.normal(size=(40, 5)) @ rng.normal(size=(5, 94)) + 0.5 * rng.normal(size=(40, 94))
    Y = X @ rng.normal(size=(94, 16)) / np.sqrt(94) + 5 * rng.normal(size=(40, 16))
    X, Y = ((t - t.mean(axis=0)) / t.std(axis=0) for t in (X, Y))
    X, Y = np.asfortranarray(X.astype(dtype)), Y.astype(dtype)
    alphas = (0.02 * largest(X, Y))[:, None].astype(dtype)
    solved = solve(X, Y, alphas)
    assert solved.gap.max() <= 1e-4
    assert solved.n_iter.max() <= 25
    found = solved.coef.to_dense().numpy()[:, 0]
    assert np.abs(X @ found.T).max() <= 2 * np.abs(Y).max()
    for t in range(0, Y.shape[1], 4):
        expected = best_objective(X, Y[:, t], alphas[t], tol=1e-6)
        assert objective(X, Y[:, t], found[t], alphas[t, 0]) <= expected + 1e-4


def test_a_gap_that_float32_cannot_reach_ends_too():
    X, Y = make_tables(dtype=np.float32)
    solved = solve(X, Y, (0.1 * largest(X, Y))[:, None], tol=1e-14)
    assert solved.gap.max() <= 1e-4
    assert solved.n_iter.max() <= 30
