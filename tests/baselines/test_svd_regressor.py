import numpy as np
import pytest
from numpy.testing import assert_allclose

from omitrans.baselines import SVDImputer, SVDRegressor


@pytest.fixture
def data(rng):
    factors = rng.normal(size=(80, 4))
    X = factors @ rng.normal(size=(4, 40)) + 0.05 * rng.normal(size=(80, 40)) + 3
    return X, factors @ rng.normal(size=(4, 6)) - 5


def test_targets_of_the_same_factors_are_predicted(data):
    X, Y = data

    model = SVDRegressor(rank=4, random_state=0).fit(X[:60], Y[:60])

    assert model.score(X[60:], Y[60:]) > 0.99


@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("scale", ["max", 2.5])
def test_projection_by_hand(data, center, scale):
    X, Y = data
    model = SVDRegressor(rank=4, target_scale=scale, center=center, random_state=0).fit(X, Y)

    divisor = np.abs(Y).max() if scale == "max" else scale
    joint = np.hstack([Y / divisor, X])
    mean = joint.mean(axis=0) * center
    right = np.linalg.svd(joint - mean)[2][:4]
    scores = np.linalg.lstsq(right[:, 6:].T, (X - mean[6:]).T, rcond=None)[0].T
    assert model.target_scale_ == divisor
    assert_allclose(model.predict(X), (scores @ right[:, :6] + mean[:6]) * divisor, rtol=1e-6)


def test_it_is_the_imputer_of_the_joint_table(data):
    X, Y = data
    model = SVDRegressor(4, target_scale=1.0, center=False, random_state=0).fit(X[:60], Y[:60])
    imputer = SVDImputer(4, random_state=0).fit(np.hstack([Y, X])[:60])

    holes = np.hstack([np.full_like(Y, np.nan), X])[60:]

    assert_allclose(model.predict(X[60:]), imputer.transform(holes)[:, :6], atol=1e-6)


def test_a_large_scale_gives_principal_component_regression(data):
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline

    X, Y = data
    oracle = make_pipeline(PCA(3, svd_solver="full"), LinearRegression()).fit(X, Y)

    model = SVDRegressor(3, target_scale=1e5, random_state=0).fit(X, Y)

    assert_allclose(model.predict(X), oracle.predict(X), atol=1e-4)


def test_targets_of_zero_are_predicted_as_zero(data):
    X, Y = data

    assert_allclose(SVDRegressor(random_state=0).fit(X, 0 * Y).predict(X), 0 * Y, atol=1e-12)


def test_unusable_scale_is_refused(data):
    with pytest.raises(ValueError, match="'target_scale' parameter of SVDRegressor"):
        SVDRegressor(target_scale=0.0).fit(*data)
