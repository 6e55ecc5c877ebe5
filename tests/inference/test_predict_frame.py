"""`predict_frame` labels the predictions of any regressor."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import omitrans
from omitrans.baselines import LassoRegressor
from omitrans.inference import predict_frame
from omitrans.preprocessing import LocationAligner


@pytest.fixture(name="X")
def source(rng):
    ids = [f"sample{i}" for i in range(30)]
    return pd.DataFrame(rng.uniform(size=(30, 4)), index=ids, columns=["cg1", "cg2", "cg3", "cg4"])


@pytest.fixture(name="Y")
def target(X, rng):
    values = X.to_numpy() @ rng.normal(size=(4, 3))
    return pd.DataFrame(values, index=X.index, columns=["geneC", "geneA", "geneB"])


@pytest.fixture
def genes():
    return pd.DataFrame(
        {
            "gene_id": ["geneC", "geneA", "geneB"],
            "chromosome": ["X", "2", "1"],
            "position": [1, 5, 9],
        }
    )


def lasso():
    return LassoRegressor(alpha=0.01, solver="sklearn")


@pytest.mark.parametrize(
    "model",
    [
        lasso(),
        make_pipeline(StandardScaler(), lasso()),
        GridSearchCV(lasso(), {"alpha": [0.01, 0.1]}, cv=2),
        make_pipeline(StandardScaler(), GridSearchCV(lasso(), {"alpha": [0.1]}, cv=2)),
        GridSearchCV(make_pipeline(lasso()), {"lassoregressor__alpha": [0.1]}, cv=2),
    ],
    ids=["estimator", "pipeline", "search", "search in pipeline", "pipeline in search"],
)
def test_names_come_from_the_model(model, X, Y):
    model.fit(X, Y)

    expected = pd.DataFrame(model.predict(X), index=X.index, columns=Y.columns)
    pd.testing.assert_frame_equal(predict_frame(model, X), expected)


def test_it_is_public():
    assert omitrans.predict_frame is predict_frame


def test_a_single_row_gets_its_label_and_the_same_values(X, Y):
    model = lasso().fit(X, Y)

    one = predict_frame(model, X.iloc[[7]])

    assert list(one.index) == ["sample7"]
    np.testing.assert_allclose(one, predict_frame(model, X).iloc[[7]], rtol=1e-12)


def test_an_array_gets_numbered_rows(X, Y):
    model = lasso().fit(X.to_numpy(), Y)

    frame = predict_frame(model, X.to_numpy()[:3])

    assert frame.index.equals(pd.RangeIndex(3))
    assert list(frame.columns) == list(Y.columns)


def test_targets_without_names_are_numbered(X, Y):
    model = lasso().fit(X, Y.to_numpy())

    assert list(predict_frame(model, X).columns) == ["y0", "y1", "y2"]


def test_one_target_gives_one_column(X, Y):
    model = lasso().fit(X, Y["geneA"])

    frame = predict_frame(model, X)

    assert list(frame.columns) == ["geneA"]
    np.testing.assert_array_equal(frame["geneA"], model.predict(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept(X, Y, dtype):
    model = lasso().fit(X.astype(dtype), Y.astype(dtype))

    assert set(predict_frame(model, X.astype(dtype)).dtypes) == {np.dtype(dtype)}


def test_names_given_serve_models_that_keep_none(X, Y):
    ridge = Ridge().fit(X, Y)

    frame = predict_frame(ridge, X, target_names=Y.columns)

    pd.testing.assert_frame_equal(
        frame, pd.DataFrame(ridge.predict(X), index=X.index, columns=Y.columns)
    )


def test_names_given_win_over_those_of_the_model(X, Y):
    frame = predict_frame(lasso().fit(X, Y), X, target_names=["a", "b", "c"])

    assert list(frame.columns) == ["a", "b", "c"]


def test_a_model_without_names_says_the_cure(X, Y):
    with pytest.raises(ValueError, match=r"Ridge does not keep .* target_names=y\.columns"):
        predict_frame(Ridge().fit(X, Y), X)


@pytest.mark.parametrize("names", [["a", "b"], ["a", "b", "c", "d"], []])
def test_a_wrong_number_of_names_is_refused(X, Y, names):
    model = lasso().fit(X, Y)

    with pytest.raises(ValueError, match=rf"predicts 3 targets, but there are {len(names)} target"):
        predict_frame(model, X, target_names=names)


@pytest.mark.parametrize(
    "model", [LassoRegressor(), make_pipeline(StandardScaler(), Ridge()), GridSearchCV(Ridge(), {})]
)
def test_an_unfitted_model_is_refused(X, model):
    with pytest.raises(NotFittedError):
        predict_frame(model, X, target_names=["a", "b", "c"])


@pytest.mark.parametrize("with_scaler", [False, True])
def test_a_transformed_target_takes_its_names_from_the_annotation(X, Y, genes, with_scaler):
    aligner = LocationAligner(genes)
    transformer = make_pipeline(aligner, StandardScaler()) if with_scaler else aligner
    model = TransformedTargetRegressor(lasso(), transformer=transformer, check_inverse=False)
    model.fit(X, Y)

    frame = predict_frame(model, X)

    assert list(frame.columns) == list(Y.columns)
    np.testing.assert_allclose(frame, lasso().fit(X, Y).predict(X), atol=1e-3)


def test_a_transformed_target_takes_its_names_from_a_transformer_that_saw_them(X, Y):
    class Recorder(FunctionTransformer):
        def fit(self, table, y=None):
            super().fit(table, y)
            self.feature_names_in_ = np.asarray(Y.columns)
            return self

    model = TransformedTargetRegressor(Ridge(), transformer=Recorder()).fit(X, Y)

    assert list(predict_frame(model, X).columns) == list(Y.columns)


def test_a_transformed_target_without_names_says_the_cure(X, Y):
    model = TransformedTargetRegressor(lasso(), transformer=StandardScaler()).fit(X, Y)

    with pytest.raises(ValueError, match=r"TransformedTargetRegressor .* target_names=y\.columns"):
        predict_frame(model, X)
