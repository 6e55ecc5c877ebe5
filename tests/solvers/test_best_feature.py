"""The best source column of each target is that of a float64 computation with all correlations."""

import numpy as np
import pytest

from omitrans.solvers import _best_feature
from omitrans.solvers._best_feature import best_features, correlations_with, permuted_maxima


def all_correlations(X, Y):
    """np.corrcoef in float64, one row per target; NaN for constant columns."""
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = np.corrcoef(X.astype(np.float64), Y.astype(np.float64), rowvar=False)
    return whole[X.shape[1] :, : X.shape[1]]


@pytest.fixture(name="tables", params=[np.float32, np.float64])
def make_tables(rng, request):
    """Sixty samples; a part of the columns goes together, and large means hide small spreads."""
    factors = rng.normal(size=(60, 4))
    X = factors @ rng.normal(size=(4, 300)) + rng.normal(size=(60, 300)) + rng.normal(size=300) * 30
    Y = factors @ rng.normal(size=(4, 70)) + rng.normal(size=(60, 70))
    return X.astype(request.param), Y.astype(request.param)


def small_blocks(monkeypatch):
    monkeypatch.setattr(_best_feature, "_MAX_COLUMNS", 37)
    monkeypatch.setattr(_best_feature, "BLOCK_VALUES", 37 * 11)
    monkeypatch.setattr(_best_feature, "CACHE_VALUES", 300)


@pytest.mark.parametrize("blocks", ["whole", "small"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_winners_are_those_of_corrcoef(tables, blocks, order, monkeypatch):
    X, Y = (np.asarray(table, order=order) for table in tables)
    if blocks == "small":
        small_blocks(monkeypatch)
    r = all_correlations(X, Y)
    best = best_features(X, Y)
    np.testing.assert_array_equal(best.column, np.abs(r).argmax(axis=1))
    np.testing.assert_allclose(best.r, r[np.arange(70), best.column], atol=1e-13)


def test_columns_too_close_for_float32_are_told_apart(rng, monkeypatch):
    """Every column is the same up to 1e-8, which float32 cannot rank."""
    Y = rng.normal(size=(200, 20))
    X = np.repeat(rng.normal(size=(200, 1)), 400, axis=1) + 1e-8 * rng.normal(size=(200, 400))
    r = all_correlations(X, Y)
    in_float32 = np.abs(all_correlations(X.astype(np.float32), Y)).argmax(axis=1)
    winners = np.abs(r).argmax(axis=1)
    assert (in_float32 != winners).any()
    np.testing.assert_array_equal(best_features(X, Y).column, winners)
    small_blocks(monkeypatch)
    np.testing.assert_array_equal(best_features(X, Y).column, winners)


@pytest.mark.parametrize("blocks", ["whole", "small"])
def test_the_first_of_tied_columns_wins(rng, blocks, monkeypatch):
    if blocks == "small":
        small_blocks(monkeypatch)
    X, Y = rng.normal(size=(50, 100)), rng.normal(size=(50, 8))
    X = np.hstack([X, X, 1 - 3 * X])  # copies, and columns of the opposite sign
    np.testing.assert_array_equal(
        best_features(X, Y).column, np.abs(all_correlations(X[:, :100], Y)).argmax(axis=1)
    )


def test_constant_columns_never_win(rng):
    X, Y = rng.normal(size=(30, 6)), rng.normal(size=(30, 4))
    X[:, [0, 3]] = 0.1, 1e9
    Y[:, 2] = 7.3
    best = best_features(X, Y)
    assert not set(best.column) & {0, 3}
    assert best.column[2] == -1
    assert np.isnan(best.r[2])
    only = best_features(X[:, [0, 3]], Y)
    assert (only.column == -1).all()
    assert np.isnan(only.r).all()


def test_only_candidates_win(tables, rng):
    X, Y = tables
    candidates = [np.sort(rng.choice(300, size, replace=False)) for size in range(70)]
    r = np.abs(all_correlations(X, Y))
    best = best_features(X, Y, candidates)
    assert best.column[0] == -1
    for target in range(1, 70):
        among = candidates[target]
        assert best.column[target] == among[r[target, among].argmax()]
    everything = best_features(X, Y, [np.arange(300)] * 70)
    np.testing.assert_array_equal(everything.column, best_features(X, Y).column)


@pytest.mark.parametrize("restricted", [False, True])
def test_maxima_of_permuted_samples(tables, rng, restricted, monkeypatch):
    X, Y = tables
    Y[:, 5] = 1
    candidates = [np.arange(t, t + 20) for t in range(70)] if restricted else None
    orders = np.array([rng.permutation(60) for _ in range(3)])
    expected = [best_features(X[order], Y, candidates).r ** 2 for order in orders]
    found = permuted_maxima(X, Y, orders, candidates)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    small_blocks(monkeypatch)
    np.testing.assert_allclose(permuted_maxima(X, Y, orders, candidates), found, atol=1e-6)


def test_correlations_with_given_columns(tables, rng):
    X, Y = tables
    columns = rng.integers(0, 300, 70)
    expected = all_correlations(X, Y)[np.arange(70), columns]
    columns[3], expected[3] = -1, np.nan
    np.testing.assert_allclose(correlations_with(X, Y, columns), expected, atol=1e-12)
