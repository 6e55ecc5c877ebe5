import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist

from omitrans.solvers import _kernel_family
from omitrans.solvers._kernel_family import (
    KERNELS,
    FeatureScaling,
    even_product,
    new_similarities,
    training_similarities,
)
from omitrans.solvers._workers import workers


@pytest.fixture
def tables(rng):
    X = rng.normal(size=(30, 40)) * rng.uniform(0.1, 3, size=40) + 2
    X[0, 0] = 100  # more than five standard deviations away
    return X, rng.normal(size=(7, 40)) + 2


def standardised(X, training):
    z = (X - training.mean(axis=0)) / training.std(axis=0)
    return np.clip(z, -5, 5)


def by_hand(left, training, name):
    """Return a kernel matrix of the rows of `left` with the training samples."""
    shape, features = name.split(", ")
    a, b = (
        standardised(table, training) if features == "standardised" else table - training.mean(0)
        for table in (left, training)
    )
    if shape == "linear":
        return a @ b.T
    metric = {"rbf": "sqeuclidean", "laplace": "cityblock"}[shape]
    pairs = cdist(b, b, metric)[np.triu_indices(len(b), 1)]
    return np.exp(-cdist(a, b, metric) / np.median(pairs))


def all_of(X, new):
    with workers() as threads:
        scaling = FeatureScaling.of(X, threads)
        training = training_similarities(X, scaling, threads)
        return training, new_similarities(new, X, training.norms, scaling, threads)


def test_six_kernels_of_training_and_of_new_samples(tables):
    X, new = tables
    training, other = all_of(X, new)

    widths = training.widths()

    for similarities, left in ((training, X), (other, new)):
        for name, kernel in zip(KERNELS, similarities.kernels(widths), strict=True):
            assert_allclose(kernel, by_hand(left, X, name), rtol=1e-9, atol=1e-9)


def test_blocks_change_nothing_but_the_rounding(tables, monkeypatch):
    X, new = tables
    whole = all_of(X, new)
    monkeypatch.setitem(_kernel_family.BLOCK_SIZES, "n_values", 200)
    monkeypatch.setitem(_kernel_family.BLOCK_SIZES, "at_least", 3)

    for one, other in zip(all_of(X, new), whole, strict=True):
        for part, expected in zip(one, other, strict=True):
            assert_allclose(part, expected, rtol=1e-10, atol=1e-10)


def test_l1_distances_of_many_columns_are_those_of_some_spread_evenly(tables, monkeypatch):
    X, new = tables
    monkeypatch.setattr(_kernel_family, "COLUMNS_OF_L1", 4)

    _, other = all_of(X, new)

    chosen = [0, 13, 26, 39]
    assert_allclose(other.distances[1], cdist(new[:, chosen], X[:, chosen], "cityblock"))


def test_constant_features_are_ignored(tables):
    X, new = tables
    X[:, 3], X[:, 4] = 0.1, 1e6
    with_them = all_of(X, new)
    without = all_of(np.delete(X, [3, 4], axis=1), np.delete(new, [3, 4], axis=1))

    for one, other in zip(with_them, without, strict=True):
        assert_allclose(one.products, other.products, atol=1e-10)
        assert_allclose(one.distances, other.distances, atol=1e-10)


def test_a_copy_of_a_sample_has_distance_zero(rng):
    X = rng.normal(size=(20, 500)) + 1e3
    X[11] = X[4]

    training, new = all_of(X, X)

    for features in (0, 1):
        assert training.squared_distances(features)[11, 4] == 0
        assert training.distances[features, 11, 4] == 0
        assert_array_equal(np.diagonal(new.squared_distances(features)), 0)


def test_widths_where_most_samples_are_copies(rng):
    X = np.repeat(rng.normal(size=(1, 8)), 12, axis=0)
    X[0] += 1

    training, _ = all_of(X, X)

    widths = training.widths()
    assert_allclose(widths[2], training.distances[0][np.triu_indices(12, 1)].mean())
    assert np.all(widths > 0)


def test_parts_are_those_of_the_samples(tables):
    X, _ = tables
    training, _ = all_of(X, X)
    rows, train = np.array([3, 1]), np.array([0, 2, 9])

    part = training.take(rows, train)

    for features in (0, 1):
        expected = training.squared_distances(features)[np.ix_(rows, train)]
        assert_array_equal(part.squared_distances(features), expected)


@pytest.mark.parametrize("n_columns", [1, 3, 50])
def test_products_of_one_row_and_of_many_agree_to_the_last_bit(rng, n_columns):
    left, right = rng.normal(size=(75, 333)), rng.normal(size=(333, n_columns))

    product = even_product(left, right)

    assert_allclose(product, left @ right, atol=1e-12)
    assert_array_equal(np.vstack([even_product(row[None], right) for row in left]), product)
