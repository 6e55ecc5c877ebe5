import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.preprocessing import StandardScaler

from omitrans.exceptions import SampleMismatchError
from omitrans.pipelines import AlignedTargetRegressor
from omitrans.preprocessing import LocationAligner

GENES = pd.DataFrame({"gene_id": ["a", "b", "c"], "chromosome": ["X", "1", None], "position": 1})


class NamedRidge(Ridge):
    """A regressor that remembers the names of its targets."""

    def fit(self, X, y):
        self.targets_ = list(y.columns)
        return super().fit(X, y)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(12, 2)), columns=["p", "q"])
    Y = pd.DataFrame(X.to_numpy() @ rng.normal(size=(2, 3)), columns=["a", "b", "c"])
    return X, Y


def test_regressor_sees_names_in_genomic_order(data):
    X, Y = data
    model = AlignedTargetRegressor(NamedRidge(), transformer=LocationAligner(GENES)).fit(X, Y)
    assert model.regressor_.targets_ == ["b", "a", "c"]
    assert model.target_names_.tolist() == ["a", "b", "c"]
    assert model.feature_names_in_.tolist() == ["p", "q"]
    assert_allclose(model.predict(X), Ridge().fit(X, Y).predict(X))


def test_annotation_may_list_more_genes_in_any_order(data):
    X, Y = data
    genes = pd.concat([GENES[::-1], pd.DataFrame({"gene_id": ["z"], "chromosome": "1"})])
    model = AlignedTargetRegressor(NamedRidge(), transformer=LocationAligner(genes)).fit(X, Y)
    assert model.regressor_.targets_ == ["b", "a", "c"]


def test_dropped_targets_are_nan(data):
    X, Y = data
    aligner = LocationAligner(GENES, unmapped="drop")
    predicted = AlignedTargetRegressor(Ridge(), transformer=aligner).fit(X, Y).predict(X)
    assert np.isnan(predicted).all(axis=0).tolist() == [False, False, True]


@pytest.mark.parametrize("shape", ["1d", "series", "column", "array"])
def test_shapes(data, shape):
    X, Y = data
    y = {"1d": Y["a"].to_numpy(), "series": Y["a"], "column": Y[["a"]], "array": Y.to_numpy()}[
        shape
    ]
    predicted = AlignedTargetRegressor(LinearRegression()).fit(X, y).predict(X)
    assert predicted.shape == y.shape
    assert_allclose(predicted, y, atol=1e-10)


def test_agrees_with_scikit_learn_on_arrays(data):
    X, Y = data
    ours = AlignedTargetRegressor(Ridge(), transformer=StandardScaler())
    theirs = TransformedTargetRegressor(Ridge(), transformer=StandardScaler())
    X, Y = X.to_numpy(), Y.to_numpy()
    assert_allclose(ours.fit(X, Y).predict(X), theirs.fit(X, Y).predict(X))


def test_passes_fit_parameters_on(data):
    X, Y = data
    weights = np.arange(1.0, 13.0)
    Y = Y + np.random.default_rng(1).normal(size=Y.shape)
    model = AlignedTargetRegressor(Ridge()).fit(X, Y, sample_weight=weights)
    assert_allclose(model.predict(X), Ridge().fit(X, Y, sample_weight=weights).predict(X))


def test_parameters_are_left_alone(data):
    X, Y = data
    regressor, aligner = Ridge(), LocationAligner(GENES)
    AlignedTargetRegressor(regressor, transformer=aligner).fit(X, Y)
    assert not hasattr(regressor, "coef_")
    assert not hasattr(aligner, "column_indices_")


def test_other_samples(data):
    X, Y = data
    with pytest.raises(SampleMismatchError, match="different samples"):
        AlignedTargetRegressor().fit(X, Y.set_axis(range(1, 13)))


def test_names_follow_the_last_fit(data):
    X, Y = data
    model = AlignedTargetRegressor(Ridge())
    assert not hasattr(model, "n_features_in_")
    assert model.fit(X, Y).feature_names_in_.tolist() == ["p", "q"]
    assert not hasattr(model.fit(X.to_numpy(), Y), "feature_names_in_")


def test_bad_parameters(data):
    with pytest.raises(ValueError, match="'transformer' parameter"):
        AlignedTargetRegressor(Ridge(), transformer=Ridge()).fit(*data)
    with pytest.raises(ValueError, match="'regressor' parameter"):
        AlignedTargetRegressor("ridge").fit(*data)
