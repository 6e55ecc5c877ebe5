import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.cross_decomposition import PLSRegression
from sklearn.model_selection import GridSearchCV, KFold

from omitrans.baselines import PLSRegressor


@pytest.fixture
def data(rng):
    factors = rng.normal(size=(60, 5))
    X = factors @ rng.normal(size=(5, 80)) + rng.normal(size=(60, 80))
    return X, factors @ rng.normal(size=(5, 8)) + 2 * rng.normal(size=(60, 8)) + 4


def test_components_are_chosen_as_by_a_grid_search(data):
    X, Y = data
    folds = KFold(4, shuffle=True, random_state=0)

    model = PLSRegressor(max_components=7, cv=folds).fit(X, Y)

    oracle = GridSearchCV(
        PLSRegression(),
        {"n_components": range(1, 8)},
        cv=folds,
        scoring="neg_mean_squared_error",
    ).fit(X, Y)
    assert model.n_components_ == oracle.best_params_["n_components"]
    assert_allclose(model.cv_mse_, -oracle.cv_results_["mean_test_score"], rtol=1e-4)
    assert_allclose(model.predict(X), oracle.predict(X), atol=1e-2)


def test_more_components_than_the_data_have(data):
    X, Y = data

    model = PLSRegressor(cv=3).fit(X[:12, :4], Y[:12])

    assert len(model.cv_mse_) == 4
    assert model.rotations_.shape == (4, model.n_components_)


def test_constant_columns_do_no_harm(data):
    X, Y = data
    X, Y = X.copy(), Y.copy()
    X[:, 3], Y[:, 2] = 1.0, 7.0

    predicted = PLSRegressor().fit(X, Y).predict(X)

    assert_allclose(predicted[:, 2], 7.0)


def test_groups_reach_the_splitter(data):
    from sklearn.model_selection import GroupKFold

    X, Y = data
    with pytest.raises(ValueError, match="groups"):
        PLSRegressor(cv=GroupKFold(3)).fit(X, Y)

    model = PLSRegressor(cv=GroupKFold(3)).fit(X, Y, groups=np.arange(60) // 2)

    assert model.score(X, Y) > 0.3
