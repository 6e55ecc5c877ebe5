"""Features beside the kernel: found where they are, against dense solutions of the same model."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from omitrans.solvers._direct_features import (
    VARIANCES,
    KernelFit,
    TrainingTables,
    direct_effects,
    strongest_features,
)
from omitrans.solvers._kernel_family import FeatureScaling
from omitrans.solvers._kernel_penalties import PENALTIES
from omitrans.solvers._kernels import KernelEigen
from omitrans.solvers._workers import workers

PENALTY = 12


def kernel_fit(X, Y, rows=None):
    with workers() as threads:
        scaling = FeatureScaling.of(X, threads)
    tables = TrainingTables(X, Y, scaling, rows)
    Z = tables.features(slice(None))
    return KernelFit(tables, KernelEigen(Z @ Z.T), np.full(Y.shape[1], PENALTY))


def select(fit, n_selected=3):
    with workers() as threads:
        return strongest_features(fit, n_selected, threads)


def estimate(fit, nearby=None, selected=None):
    selected = np.full((0, fit.training.Y.shape[1]), -1) if selected is None else selected
    with workers() as threads:
        return direct_effects(fit, nearby, selected, threads)


@pytest.fixture
def tables(rng):
    X = rng.normal(size=(90, 60))
    Y = 0.1 * X @ rng.normal(size=(60, 4)) + rng.normal(size=(90, 4))
    Y[:, 1] += 4 * X[:, 17]
    Y[:, 2] += 3 * X[:, 5] - 4 * X[:, 40]
    return X, Y


def test_the_strongest_features_are_selected(tables):
    selected = select(kernel_fit(*tables))
    assert selected[0, 1] == 17
    assert selected[0, 2] == 40
    assert 5 in selected[:, 2]
    assert_array_equal(selected[:, [0, 3]], -1)


def test_at_most_as_many_as_asked_for(tables):
    fit = kernel_fit(*tables)
    assert_array_equal(select(fit, 1), select(fit)[:1])
    assert select(fit, 0).shape == (0, 4)


def test_noise_and_few_samples_select_nothing(rng):
    X, Y = rng.normal(size=(80, 300)), rng.normal(size=(80, 50))
    assert_array_equal(select(kernel_fit(X, Y)), -1)
    copied = X[:20, :5]  # 20 samples cannot outweigh 300 features, however alike two columns are
    assert_array_equal(select(kernel_fit(X[:20], copied)), -1)


def test_the_score_is_the_share_of_the_deviance(tables):
    X, Y = tables
    fit = kernel_fit(X, Y)
    Z = fit.features(slice(None))
    centred = Y - Y.mean(axis=0)
    inverse = np.linalg.inv(Z @ Z.T + PENALTIES[PENALTY] * fit.eigen.mean_value * np.eye(len(X)))
    score = (Z.T @ inverse @ centred) ** 2
    score /= np.diag(Z.T @ inverse @ Z)[:, None] * np.diag(centred.T @ inverse @ centred)
    selected = select(fit)
    least = 6 * np.log(60) / 90
    for target in range(4):
        strong = np.argsort(-score[:, target])[: np.sum(score[:, target] > least)][:3]
        assert_array_equal(selected[: len(strong), target], strong)
        assert_array_equal(selected[len(strong) :, target], -1)


def test_variances_are_chosen_by_explicit_leave_one_out(tables):
    X, Y = tables
    fit = kernel_fit(X, Y[:, [1]])
    own = np.array([3, 17, 30])
    Z = fit.features(slice(None))
    z, y = Z[:, own] / np.sqrt(3), Y[:, 1]
    penalty = PENALTIES[PENALTY] * fit.eigen.mean_value
    errors = []
    for variance in VARIANCES:
        K = Z @ Z.T / fit.eigen.mean_value + variance * z @ z.T
        lost = []
        for i in range(len(y)):
            kept = np.delete(np.arange(len(y)), i)
            # an intercept that is not penalised
            system = np.ones((len(kept) + 1,) * 2)
            system[:-1, :-1] = K[np.ix_(kept, kept)] + PENALTIES[PENALTY] * np.eye(len(kept))
            system[-1, -1] = 0
            weights = np.linalg.solve(system, np.append(y[kept], 0))
            lost.append(y[i] - K[i, kept] @ weights[:-1] - weights[-1])
        errors.append(np.mean(np.square(lost)))
    effects = estimate(fit, [own])
    assert effects.variances[0] == VARIANCES[np.argmin(errors)]
    # one target: its own curve is the mean curve
    best = effects.variances[0]
    K = Z @ Z.T + best * fit.eigen.mean_value * z @ z.T + penalty * np.eye(len(y))
    expected = best * fit.eigen.mean_value * z.T @ np.linalg.solve(K, y - y.mean()) / np.sqrt(3)
    assert_allclose(effects.coef.toarray()[0, own], expected, rtol=1e-8)


def test_effects_are_centred_and_sparse(tables):
    X, Y = tables
    fit = kernel_fit(X, Y)
    effects = estimate(fit, selected=select(fit))
    assert_array_equal(np.flatnonzero(effects.variances), [1, 2])
    assert 17 in effects.coef[[1]].indices
    of_training = effects.of(X, fit.training.scaling, slice(0, 4))
    assert_allclose(of_training.mean(axis=0), 0, atol=1e-12)
    assert_array_equal(of_training[:, [0, 3]], 0)


def test_effects_of_a_sample_alone_are_those_in_a_batch(tables):
    X, Y = tables
    fit = kernel_fit(X.astype(np.float32), Y)
    effects = estimate(fit, selected=select(fit))
    batch = effects.of(fit.training.X, fit.training.scaling, slice(0, 4))
    for i in (0, 44, 89):
        alone = effects.of(fit.training.X[[i]], fit.training.scaling, slice(0, 4))
        assert_array_equal(alone[0], batch[i])


def test_only_the_training_rows_count(tables):
    X, Y = tables
    rows = np.arange(10, 80)
    part = kernel_fit(X, Y, rows)
    changed = Y.copy()
    changed[:10] += 100
    effects = estimate(part, selected=select(part))
    again = kernel_fit(X, changed, rows)
    other = estimate(again, selected=select(again))
    assert_array_equal(effects.coef.toarray(), other.coef.toarray())


def test_constant_features_and_targets_have_no_effects(tables):
    X, Y = tables
    X[:, 17] = 0.3
    Y[:, 2] = 1.7
    fit = kernel_fit(X, Y)
    nearby = [np.array([17]), np.array([17, 18]), np.array([5]), np.array([], dtype=int)]
    effects = estimate(fit, nearby)
    assert effects.coef[:, [17]].nnz == 0
    assert effects.coef[[2]].nnz == 0
    assert np.isfinite(effects.coef.toarray()).all()
