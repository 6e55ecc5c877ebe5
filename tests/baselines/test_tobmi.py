import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist

from omitrans.baselines import TOBMIRegressor, _tobmi
from omitrans.exceptions import SampleMismatchError


@pytest.fixture
def data(rng):
    return rng.uniform(size=(50, 30)), rng.normal(size=(50, 7)), rng.uniform(size=(12, 30))


def by_hand(X, Y, new, k, eps=1e-9):
    predicted = []
    for distances in cdist(new, X):
        donors = np.argsort(distances)[:k]
        weights = 1 / (distances[donors] + eps)
        predicted.append(weights @ Y[donors] / weights.sum())
    return np.array(predicted)


@pytest.mark.parametrize(("n_neighbors", "k"), [("sqrt", 7), (1, 1), (5, 5), (500, 50)])
def test_weighted_mean_of_the_nearest(data, n_neighbors, k):
    X, Y, new = data

    model = TOBMIRegressor(n_neighbors).fit(X, Y)

    assert model.n_neighbors_ == k
    assert_allclose(model.predict(new), by_hand(X, Y, new, k), rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_duplicate_of_a_training_sample_decides_alone(data, dtype):
    """Far from the origin the quick formula for distances is wrong by more than 1e-9."""
    X, Y, _ = data
    X = (X + 1000).astype(dtype)

    predicted = TOBMIRegressor().fit(X, Y).predict(X)

    assert_allclose(predicted, Y, atol=1e-5 if dtype == np.float32 else 1e-6)


def test_a_sample_alone_gets_the_same_answer(data):
    X, Y, new = data
    model = TOBMIRegressor().fit(X, Y)

    alone = np.vstack([model.predict(row[None]) for row in new])

    assert_allclose(alone, model.predict(new), rtol=1e-12)


def test_distances_are_added_up_over_blocks_of_columns(data, monkeypatch):
    X, Y, new = data
    whole = TOBMIRegressor().fit(X, Y).predict(new)

    monkeypatch.setattr(_tobmi, "BLOCK_VALUES", 40)

    assert_allclose(TOBMIRegressor().fit(X, Y).predict(new), whole, rtol=1e-12)


def test_missing_values_are_refused_with_a_cure(data):
    X, Y, _ = data
    X[3, 4] = np.nan

    with pytest.raises(ValueError, match="SimpleImputer"):
        TOBMIRegressor().fit(X, Y)


def test_other_samples_are_refused(data):
    X, Y = (pd.DataFrame(table) for table in data[:2])

    with pytest.raises(SampleMismatchError, match="another order"):
        TOBMIRegressor().fit(X, Y.iloc[::-1])


@pytest.mark.parametrize("parameters", [{"n_neighbors": 0}, {"n_neighbors": "all"}, {"eps": 0.0}])
def test_unusable_parameters_are_refused(data, parameters):
    with pytest.raises(ValueError, match="parameter of TOBMIRegressor"):
        TOBMIRegressor(**parameters).fit(*data[:2])
