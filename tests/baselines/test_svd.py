import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from omitrans.baselines import SVDImputer
from omitrans.solvers import _low_rank


@pytest.fixture
def table(rng):
    return rng.normal(size=(60, 3)) @ rng.normal(size=(3, 25)) + 0.01 * rng.normal(size=(60, 25))


@pytest.fixture
def holes(rng, table):
    return np.where(rng.uniform(size=table.shape) < 0.2, np.nan, table)


def by_hand(table, rank, tol):
    """The published iteration with a full decomposition."""
    missing = np.isnan(table)
    filled = np.where(missing, np.nanmean(table, axis=0), table)
    for i in range(1000):
        used = min(2**i, rank)
        left, values, right = np.linalg.svd(filled, full_matrices=False)
        new = ((left[:, :used] * values[:used]) @ right[:used])[missing]
        change = np.sum((new - filled[missing]) ** 2) / np.sum(filled[missing] ** 2)
        filled[missing] = new
        if used == rank and change < tol:
            return filled, i + 1
    raise AssertionError("does not settle")


def test_the_published_iteration(holes):
    imputer = SVDImputer(rank=3, random_state=0)

    filled = imputer.fit_transform(holes)

    expected, n_iter = by_hand(holes, rank=3, tol=1e-7)
    assert_allclose(filled, expected, atol=1e-6)
    assert imputer.n_iter_ == n_iter


def test_low_rank_tables_are_recovered(holes, table):
    imputed = SVDImputer(rank=3, random_state=0).fit_transform(holes)

    missing = np.isnan(holes)
    assert_array_equal(imputed[~missing], table[~missing])
    assert np.sqrt(np.mean((imputed - table)[missing] ** 2)) < 0.02 * table.std()


def test_training_samples_are_filled_alike_both_ways(holes):
    imputer = SVDImputer(rank=3, tol=1e-12, random_state=0)

    settled = imputer.fit_transform(holes)

    assert_allclose(imputer.transform(holes), settled, atol=1e-4)


def test_new_samples_are_filled_one_by_one(holes, table):
    imputer = SVDImputer(rank=3, random_state=0).fit(holes[:40])

    filled = imputer.transform(holes[40:])

    alone = np.vstack([imputer.transform(row[None]) for row in holes[40:]])
    assert_array_equal(filled, alone)
    assert np.sqrt(np.mean((filled - table[40:]) ** 2)) < 0.03 * table.std()
    assert np.isnan(holes[40:]).any(), "the input is left as it is"


def test_a_sample_without_any_value_gets_the_means(holes):
    imputer = SVDImputer(rank=3, random_state=0).fit(holes)

    filled = imputer.transform(np.full((1, 25), np.nan))

    assert_allclose(filled[0], np.nanmean(holes, axis=0))


def test_blocks_of_rows_change_nothing(holes, monkeypatch):
    whole = SVDImputer(rank=3, random_state=0).fit_transform(holes)

    monkeypatch.setattr(_low_rank, "BLOCK_VALUES", 100)

    assert_allclose(SVDImputer(rank=3, random_state=0).fit_transform(holes), whole, atol=1e-10)


def test_a_complete_table_needs_one_decomposition(table):
    imputer = SVDImputer(rank=3, random_state=0).fit(table)

    assert imputer.n_iter_ == 1
    right = np.linalg.svd(table)[2][:3]
    assert_allclose(np.abs(imputer.components_), np.abs(right), atol=1e-6)


def test_rank_is_bounded_by_the_table(table):
    assert SVDImputer(rank=100, random_state=0).fit(table[:8]).components_.shape == (8, 25)


def test_frames_and_dtypes_are_kept(holes):
    frame = pd.DataFrame(holes.astype(np.float32)).add_prefix("cg")

    filled = SVDImputer(rank=3, random_state=0).set_output(transform="pandas").fit_transform(frame)

    assert list(filled.columns) == list(frame.columns)
    assert (filled.dtypes == np.float32).all()


def test_not_settled(holes):
    with pytest.warns(ConvergenceWarning, match="max_iter=3 decompositions"):
        SVDImputer(rank=3, max_iter=3, random_state=0).fit(holes)


def test_empty_columns_are_named(holes):
    frame = pd.DataFrame(holes).add_prefix("cg")
    frame["cg7"] = np.nan

    with pytest.raises(ValueError, match=r"1 columns of X hold no value at all \(first: cg7\)"):
        SVDImputer().fit(frame)


def test_infinite_values_are_refused(holes):
    holes[0, 0] = np.inf

    with pytest.raises(ValueError, match="infinity"):
        SVDImputer().fit(holes)
