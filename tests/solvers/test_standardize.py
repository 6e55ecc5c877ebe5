"""The working copy of a table: centred, scaled, constant columns exactly zero."""

import tracemalloc

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from omitrans.solvers import _standardize
from omitrans.solvers._standardize import standardize


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_agrees_with_standard_scaler(rng, dtype, monkeypatch):
    monkeypatch.setattr(_standardize, "BLOCK_VALUES", 100)  # several blocks of columns
    table = rng.normal(5, 3, size=(30, 11)).astype(dtype)
    rows = np.array([3, 4, 8, 20, 21, 29])

    values, mean, scale = standardize(table, rows, centre=True, scale=True)

    scaler = StandardScaler().fit(table[rows].astype(np.float64))
    assert values.dtype == dtype
    assert values.flags.f_contiguous
    np.testing.assert_allclose(mean, scaler.mean_)
    np.testing.assert_allclose(scale, scaler.scale_)
    np.testing.assert_allclose(values, (table[rows] - mean) / scale, rtol=1e-4, atol=1e-5)


def test_without_centring_the_root_mean_square_is_the_scale(rng):
    table = rng.normal(2, 1, size=(20, 3))

    values, mean, scale = standardize(table, centre=False, scale=True)

    np.testing.assert_array_equal(mean, 0)
    np.testing.assert_allclose(np.mean(values**2, axis=0), 1)
    np.testing.assert_allclose(values * scale, table)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("constant", [0.0, 0.1, -1e-9, 1e9])
def test_a_constant_column_becomes_zero(constant, dtype):
    table = np.full((1000, 1), constant, dtype=dtype)

    values, mean, scale = standardize(table, centre=True, scale=True)

    np.testing.assert_array_equal(values, 0)
    np.testing.assert_allclose(mean, table[0])
    np.testing.assert_array_equal(scale, 1)


def test_a_column_that_hardly_varies_is_not_constant():
    table = np.full((1000, 1), 0.9)
    table[0] += 1e-9

    values, _, _ = standardize(table, centre=True, scale=True)

    assert np.std(values) == pytest.approx(1)


def test_there_is_one_copy_only(rng, monkeypatch):
    monkeypatch.setattr(_standardize, "BLOCK_VALUES", 10_000)
    table = rng.normal(size=(200, 20_000)).astype(np.float32)

    tracemalloc.start()
    standardize(table, centre=True, scale=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 1.1 * table.nbytes
