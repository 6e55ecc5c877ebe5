"""The share of the solution by component: high for one common programme, low for separate ones."""

import numpy as np
import pytest

from omitrans.solvers._component_share import component_share
from omitrans.solvers._kernel_family import FeatureScaling, training_similarities
from omitrans.solvers._workers import workers


def share_of(X, Y):
    with workers() as threads:
        scaling = FeatureScaling.of(X, threads)
        similarities = training_similarities(X, scaling, threads)
        return component_share(similarities, Y, np.full(6, 1 / 6), threads)


@pytest.fixture(name="X")
def features(rng):
    return rng.normal(size=(60, 20))


def test_one_programme_in_all_targets(rng, X):
    Y = np.outer(X @ rng.normal(size=20), rng.normal(size=40)) + 5 * rng.normal(size=(60, 40))
    assert share_of(X, Y) > 0.7


def test_targets_that_differ_in_noise(rng, X):
    noisy = np.outer(X @ rng.normal(size=20), rng.normal(size=30)) + 4 * rng.normal(size=(60, 30))
    assert share_of(X, np.hstack([noisy, X @ rng.normal(size=(20, 15))])) < 0.4


def test_without_evidence_both_count_alike(rng, X):
    assert share_of(X, np.ones((60, 3))) == 0.5
    assert share_of(X[:9], rng.normal(size=(9, 3))) == 0.5
