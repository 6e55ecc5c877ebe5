"""Draws around predictions, of every regressor that learns residuals."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import omitrans
from omitrans.baselines import (
    DualRidgeRegressor,
    LassoRegressor,
    MultiKernelRidgeRegressor,
    PLSRegressor,
    SVDRegressor,
    TOBMIRegressor,
)
from omitrans.metrics import gene_set_coverage, interval_coverage
from omitrans.pipelines import AlignedTargetRegressor, TranslationPipeline
from omitrans.trust import TrustedRegressor

REGRESSORS = (
    DualRidgeRegressor(alpha=0.01),
    LassoRegressor(0.1),
    MultiKernelRidgeRegressor(),
    PLSRegressor(2),
    SVDRegressor(rank=4, random_state=0),
    TOBMIRegressor(),
)
every_regressor = pytest.mark.parametrize(
    "model", REGRESSORS, ids=lambda model: type(model).__name__
)
GENES = [f"gene{i}" for i in range(20)]


def covariance_of_noise():
    """One factor moves the first ten genes, and another two genes against each other."""
    factors = np.zeros((2, 20))
    factors[0, :10] = 1.0
    factors[1, [15, 16]] = 1.5, -1.5
    return factors.T @ factors + np.diag(np.full(20, 0.25))


def cohort(n_samples, seed=0):
    """Return X, and Y that is linear in X plus normal noise of known covariance."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n_samples, 5))
    noise = random.multivariate_normal(np.zeros(20), covariance_of_noise(), n_samples)
    Y = X @ np.random.default_rng(99).normal(size=(5, 20)) + noise
    samples = [f"s{i}" for i in range(n_samples)]
    probes = [f"cg{i:08d}" for i in range(5)]
    return pd.DataFrame(X, samples, probes), pd.DataFrame(Y, samples, GENES)


@pytest.fixture(scope="module", name="ridge")
def fitted_ridge():
    X, Y = cohort(400)
    return DualRidgeRegressor(alpha=0.01).fit(X, Y).learn_residuals(X, Y, random_state=0)


def test_covariance_of_draws_is_that_of_the_noise(ridge):
    X, _ = cohort(1, seed=1)
    drawn = ridge.sample_y(X, 4000, random_state=0).to_numpy()
    np.testing.assert_allclose(np.cov(drawn.T), covariance_of_noise(), atol=0.4)
    np.testing.assert_allclose(drawn.mean(axis=0), ridge.predict(X)[0], atol=0.1)


def test_what_is_drawn_has_few_factors(ridge):
    """The noise has two; a full covariance of 400 samples would take the rest from chance."""
    X, _ = cohort(1, seed=1)
    drawn = ridge.sample_y(X, 4000, random_state=0).to_numpy()
    assert np.corrcoef(drawn[:, 0], drawn[:, 5])[0, 1] == pytest.approx(0.8, abs=0.06)
    assert np.corrcoef(drawn[:, 15], drawn[:, 16])[0, 1] == pytest.approx(-0.9, abs=0.06)
    assert np.corrcoef(drawn[:, 18], drawn[:, 19])[0, 1] == pytest.approx(0.0, abs=0.1)


def test_intervals_hold_on_new_samples(ridge):
    X, Y = cohort(300, seed=2)
    drawn = ridge.sample_y(X, 39, random_state=0)
    for level in (0.8, 0.9):
        assert interval_coverage(Y, drawn, level).mean() == pytest.approx(level, abs=0.03)
        assert gene_set_coverage(Y, drawn, level, set_size=10) == pytest.approx(level, abs=0.04)


def test_a_model_that_interpolates_knows_its_errors():
    """The training residuals of this model are zero, and those of its draws are not."""
    X, Y = cohort(60)
    model = MultiKernelRidgeRegressor(penalties="gene", n_selected=0)
    drawn = model.fit(X, Y).learn_residuals(X, Y, random_state=0).sample_y(X, 30, random_state=0)
    deviation = drawn.to_numpy().reshape(30, 60, 20).std(axis=0).mean(axis=0)
    assert (deviation > 0.8 * np.sqrt(np.diag(covariance_of_noise()))).all()


@every_regressor
def test_every_regressor_draws(model):
    X, Y = cohort(40)
    model = clone(model).fit(X, Y)
    before = model.predict(X)
    drawn = model.learn_residuals(X, Y, cv=3, random_state=0).sample_y(X, 3, random_state=0)
    np.testing.assert_array_equal(model.predict(X), before)
    assert list(drawn.columns) == GENES
    assert drawn.index.names == ["sample_id", "draw"]
    assert list(drawn.index[:40]) == [(sample, 0) for sample in X.index]
    assert list(drawn.index[-1]) == ["s39", 2]
    # the errors belong to the row and the draw, and neither to X nor to the other rows
    first = model.sample_y(X, random_state=0)
    pd.testing.assert_index_equal(first.index, X.index)
    np.testing.assert_array_equal(first, drawn[:40])
    pd.testing.assert_frame_equal(model.sample_y(X[:3], random_state=0), first[:3])
    other = model.sample_y(X[::-1], random_state=0).to_numpy() - model.predict(X[::-1])
    np.testing.assert_allclose(other, first.to_numpy() - before, atol=1e-9)
    assert not np.array_equal(model.sample_y(X, random_state=1), first)


def test_what_is_not_known_is_said():
    X, Y = cohort(40)
    model = DualRidgeRegressor().fit(X, Y)
    with pytest.raises(ValueError, match="learn_residuals"):
        model.sample_y(X)
    model.learn_residuals(X, Y, random_state=0)
    with pytest.raises(ValueError, match="n_samples"):
        model.sample_y(X, 0)
    with pytest.raises(ValueError, match="19 targets"):
        model.learn_residuals(X, Y.iloc[:, :19])
    with pytest.raises(ValueError, match="learn_residuals"):
        model.fit(X, Y).sample_y(X)  # of another fit


def test_constant_genes_and_one_target():
    X, Y = cohort(40)
    model = MultiKernelRidgeRegressor().fit(X, Y.assign(gene3=7.0))
    drawn = model.learn_residuals(X, Y.assign(gene3=7.0), random_state=0).sample_y(
        X, 2, random_state=0
    )
    assert (drawn["gene3"] == 7.0).all()
    model = DualRidgeRegressor().fit(X, Y["gene0"])
    model.learn_residuals(X, Y["gene0"], random_state=0)
    assert model.sample_y(X, 2, random_state=0).shape == (80, 1)


def test_float32_stays_float32():
    X, Y = (table.astype(np.float32) for table in cohort(40))
    drawn = DualRidgeRegressor().fit(X, Y).learn_residuals(X, Y, random_state=0).sample_y(X, 2, 0)
    assert set(drawn.dtypes) == {np.dtype(np.float32)}


def test_groups_are_held_out_together():
    """Copies of a sample on both sides of a fold would make the errors look small."""
    X, Y = cohort(40)
    X, Y = (pd.concat([table, table.set_axis(table.index + "b")]) for table in (X, Y))
    groups = np.tile(np.arange(40), 2)
    model = TOBMIRegressor(n_neighbors=1).fit(X, Y)
    loose = model.learn_residuals(X, Y, None, cv=10, random_state=0).sample_y(X, 20, 0)
    strict = model.learn_residuals(X, Y, groups, cv=10, random_state=0).sample_y(X, 20, 0)
    spread = [np.std(t.to_numpy().reshape(20, 80, 20), axis=0).mean() for t in (loose, strict)]
    assert spread[1] > 1.5 * spread[0]


def test_trusted_regressors_draw_with_any_model(tmp_path):
    X, Y = cohort(300)
    model = TrustedRegressor(
        make_pipeline(StandardScaler(), Ridge(0.1)), detect_shift=False, random_state=0
    ).fit(X, Y)
    new, truth = cohort(200, seed=1)
    drawn = model.sample_y(new, 39, random_state=0)
    assert interval_coverage(truth, drawn, 0.9).mean() == pytest.approx(0.9, abs=0.03)
    assert gene_set_coverage(truth, drawn, 0.9, set_size=10) == pytest.approx(0.9, abs=0.05)
    omitrans.save(model, tmp_path / "model.omitrans")
    again = omitrans.load(tmp_path / "model.omitrans")
    pd.testing.assert_frame_equal(again.sample_y(new, 2, 0), model.sample_y(new, 2, 0))


def test_pipelines_draw_with_their_last_step():
    X, Y = cohort(60)
    inner = TrustedRegressor(Ridge(), detect_shift=False, random_state=0)
    steps = [("scale", StandardScaler()), ("regressor", AlignedTargetRegressor(inner))]
    model = TranslationPipeline(steps).fit(X, Y)
    drawn = model.sample_y(X, 2, random_state=0)
    assert list(drawn.columns) == GENES
    assert list(drawn.index[:60].get_level_values(0)) == list(X.index)
    alone = model[-1].regressor_.sample_y(model[:-1].transform(X), 2, random_state=0)
    np.testing.assert_array_equal(drawn, alone[GENES])
    assert not hasattr(TranslationPipeline([("regressor", Ridge())]), "sample_y")
