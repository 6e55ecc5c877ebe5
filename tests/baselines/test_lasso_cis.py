"""LASSO on the CpGs near to each gene, and its torch solver through the estimator."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from omitrans.baselines import LassoRegressor
from omitrans.exceptions import FeatureMismatchError


@pytest.fixture
def probes():
    positions = [*range(1_000, 11_000, 1_000)] * 2
    return pd.DataFrame(
        {
            "probe_id": [f"cg{i:08d}" for i in range(20)],
            "chromosome": ["1"] * 10 + ["2"] * 10,
            "position": positions,
        }
    )


@pytest.fixture
def genes():
    return pd.DataFrame(
        {
            "gene_id": ["A", "B", "FAR"],
            "chromosome": ["1", "2", "2"],
            "start": [4_500, 9_000, 5_000_000],
            "end": [5_500, 9_500, 5_000_010],
        }
    )


@pytest.fixture
def tables(probes, genes):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.random((60, 20)), columns=probes["probe_id"])
    Y = pd.DataFrame(0.05 * rng.normal(size=(60, 3)), columns=genes["gene_id"])
    Y["A"] += 3 * X["cg00000004"] + 2 * X["cg00000015"]  # one CpG near, one elsewhere
    Y["B"] -= 4 * X["cg00000018"]
    return X, Y


def make(probes, genes, **params):
    return LassoRegressor(0.1, probes=probes, genes=genes, **params)


@pytest.mark.parametrize("solver", ["celer", "sklearn", "torch"])
def test_only_nearby_cpgs_enter(tables, probes, genes, solver):
    model = make(probes, genes, window=1_000, solver=solver).fit(*tables)
    # A: 3,500 to 6,500 on chromosome 1; B: 8,000 to 10,500 on chromosome 2
    assert model.n_nearby_.tolist() == [3, 3, 0]
    assert set(model.coef_.tocoo().col[model.coef_.tocoo().row == 0]) <= {3, 4, 5}
    assert model.coef_.toarray()[0, 4] > 2
    assert model.coef_.toarray()[1, 17] < -3 or model.coef_.toarray()[1, 18] < -3


def test_gene_without_cpgs_is_its_mean(tables, probes, genes):
    X, Y = tables
    model = make(probes, genes, window=1_000).fit(X, Y)
    assert_allclose(model.predict(X)[:, 2], Y["FAR"].mean(), rtol=1e-6)
    assert model.dual_gap_[2] == 0


def test_a_window_over_everything_on_one_chromosome_changes_nothing(tables, probes, genes):
    X, Y = tables
    probes = probes.assign(chromosome="1", position=range(20))
    genes = genes.assign(chromosome="1", start=5, end=6)
    options = {"tol": 1e-10, "solver": "sklearn"}
    everywhere = LassoRegressor(0.1, **options).fit(X, Y)
    near = make(probes, genes, window=100, **options).fit(X, Y)
    assert_allclose(near.coef_.toarray(), everywhere.coef_.toarray(), atol=1e-6)
    assert_allclose(near.alpha_, everywhere.alpha_)


@pytest.mark.parametrize("alpha", ["cv", "cv-common"])
def test_penalty_by_cross_validation_in_windows(tables, probes, genes, alpha):
    X, Y = tables
    model = LassoRegressor(alpha, probes=probes, genes=genes, window=1_000).fit(X[:40], Y[:40])
    assert model.score(X[40:][X.columns], Y[40:]) > 0.2
    assert_array_equal(np.diff(model.coef_.indptr) > 0, [True, True, False])


def test_positions_serve_where_bodies_are_unknown(tables, probes, genes):
    points = genes[["gene_id", "chromosome"]].assign(position=[5_000, 9_000, 5_000_000])
    model = make(probes, points, window=1_000).fit(*tables)
    assert model.n_nearby_.tolist() == [3, 3, 0]


def test_what_windows_need(tables, probes, genes):
    X, Y = tables
    with pytest.raises(ValueError, match="window=10 needs the positions"):
        LassoRegressor(0.1, window=10).fit(X, Y)
    with pytest.raises(FeatureMismatchError, match="X has none"):
        make(probes, genes, window=10).fit(X.to_numpy(), Y.to_numpy())
    with pytest.raises(FeatureMismatchError, match="genes places none of the 3 columns of Y"):
        make(probes, genes, window=10).fit(X, Y.add_suffix(".7"))
    with pytest.raises(FeatureMismatchError, match="probes places none of the 20 columns of X"):
        make(probes, genes, window=10).fit(X.add_prefix("x"), Y)


def test_torch_equals_the_other_solvers():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 50))
    Y = X[:, :10] @ rng.normal(size=(10, 70)) + rng.normal(size=(40, 70))
    found = {
        solver: LassoRegressor("cv-common", solver=solver, tol=1e-8).fit(X, Y)
        for solver in ("sklearn", "torch")
    }
    assert LassoRegressor(0.5).fit(X, Y).solver_ == "torch"
    assert LassoRegressor(0.1).fit(X, Y).solver_ != "torch"
    assert_allclose(found["torch"].alpha_, found["sklearn"].alpha_)
    assert_allclose(found["torch"].predict(X), found["sklearn"].predict(X), atol=1e-3)
    assert found["torch"].dual_gap_.max() <= 1e-8


def test_few_targets_do_not_import_torch():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 5)), rng.normal(size=30)
    assert LassoRegressor().fit(X, y).solver_ in ("celer", "sklearn")
