"""save, load and read_summary as a user meets them."""

import contextlib
import json
import os
import pickle
import subprocess
import sys
import zipfile
from importlib.metadata import version

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin, clone, is_classifier
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA
from sklearn.ensemble import StackingRegressor, VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest, VarianceThreshold, f_regression
from sklearn.frozen import FrozenEstimator
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LassoCV, MultiTaskLasso, Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.utils import all_estimators

import omitrans
from omitrans.exceptions import ModelFileError
from omitrans.persistence import read_summary
from omitrans.utils.discovery import all_estimators as all_own_estimators


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(0)
    samples = [f"TCGA-{i:02d}" for i in range(30)]
    X = pd.DataFrame(
        rng.uniform(0.05, 0.95, (30, 12)), index=samples, columns=[f"cg{i:08d}" for i in range(12)]
    )
    Y = pd.DataFrame(
        X.to_numpy() @ rng.normal(size=(12, 3)) + 5, index=samples, columns=["TP53", "MYC", "β1"]
    )
    return X, Y


def save_and_load(model, folder):
    omitrans.save(model, folder / "model.omitrans")
    return omitrans.load(folder / "model.omitrans")


def pipeline():
    return Pipeline(
        [
            ("filter", VarianceThreshold(1e-6).set_output(transform="pandas")),
            ("impute", SimpleImputer().set_output(transform="pandas")),
            (
                "features",
                FeatureUnion(
                    [("pca", PCA(2, random_state=0)), ("best", SelectKBest(f_regression, k=3))]
                ),
            ),
            ("scale", StandardScaler()),
            (
                "predict",
                TransformedTargetRegressor(
                    Ridge(alpha=np.float64(0.1)), transformer=MinMaxScaler()
                ),
            ),
        ]
    )


def columns_model():
    columns = ColumnTransformer(
        [
            ("scale", StandardScaler(), ["cg00000000", "cg00000003"]),
            ("one", OneHotEncoder(handle_unknown="ignore", dtype=np.float32), slice(4, 6)),
            ("drop", "drop", [6]),
        ],
        remainder="passthrough",
        sparse_threshold=0,
    )
    return make_pipeline(columns, MultiOutputRegressor(Ridge()))


LASSO = LassoCV(alphas=(0.1, 0.05), cv=3, random_state=0)
MODELS = {
    "columns": columns_model(),
    "knn": KNeighborsRegressor(algorithm="brute"),
    "lasso": MultiTaskLasso(alpha=0.01, random_state=0),
    "log": make_pipeline(FunctionTransformer(np.log1p, inverse_func=np.expm1), RidgeCV()),
    "pls": PLSRegression(2),
    "chain": RegressorChain(LASSO),
    "quantile": make_pipeline(
        QuantileTransformer(n_quantiles=10, random_state=0), KNNImputer(), Ridge()
    ),
    "nested": make_pipeline(make_pipeline(StandardScaler(), "passthrough"), Ridge()),
    "averaged": VotingRegressor([("ridge", Ridge()), ("lasso", LASSO)]),
    "stacked": StackingRegressor([("ridge", Ridge()), ("lasso", LASSO)]),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_predict_the_same_to_the_last_bit(name, tables, tmp_path):
    X, Y = tables
    model = clone(MODELS[name]).fit(X, Y["MYC"] if name in ("averaged", "stacked") else Y)
    loaded = save_and_load(model, tmp_path)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert str(loaded) == str(model)


def test_a_pipeline_keeps_all_it_is_asked_for(tables, tmp_path):
    X, Y = tables
    model = pipeline().fit(X, Y["TP53"])
    loaded = save_and_load(model, tmp_path)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    np.testing.assert_array_equal(loaded.feature_names_in_, X.columns)
    np.testing.assert_array_equal(
        loaded[:-1].get_feature_names_out(), model[:-1].get_feature_names_out()
    )
    pd.testing.assert_frame_equal(loaded[:2].transform(X), model[:2].transform(X))
    assert str(clone(loaded)) == str(clone(model))
    with pytest.raises(ValueError, match="feature names should match"):
        loaded.predict(X.iloc[:, ::-1])
    np.testing.assert_array_equal(
        loaded.fit(X, Y["MYC"]).predict(X), model.fit(X, Y["MYC"]).predict(X)
    )


def test_a_loaded_model_can_be_saved_again(tables, tmp_path):
    loaded = save_and_load(pipeline().fit(tables[0], tables[1]["MYC"]), tmp_path)
    first = (tmp_path / "model.omitrans").read_bytes()
    save_and_load(loaded, tmp_path)
    assert (tmp_path / "model.omitrans").read_bytes() == first


def test_pickle_and_joblib_work_too(tables, tmp_path):
    X, Y = tables
    loaded = save_and_load(pipeline().fit(X, Y["MYC"]), tmp_path)
    joblib.dump(loaded, tmp_path / "model.joblib")
    for again in (pickle.loads(pickle.dumps(loaded)), joblib.load(tmp_path / "model.joblib")):
        np.testing.assert_array_equal(again.predict(X), loaded.predict(X))


def test_an_unfitted_model_stays_unfitted(tables, tmp_path):
    loaded = save_and_load(make_pipeline(StandardScaler(), Ridge()), tmp_path)
    with pytest.raises(NotFittedError):
        loaded.predict(tables[0])
    assert read_summary(tmp_path / "model.omitrans")["n_features_in"] is None


def test_saving_changes_nothing_in_the_model(tables, tmp_path):
    model = pipeline().fit(tables[0], tables[1]["MYC"])
    before = joblib.hash(model)
    omitrans.save(model, tmp_path / "m")
    assert joblib.hash(model) == before


# --- every estimator there is ---


def own_models(X):
    """Yield every estimator of this package, small enough to fit at once."""
    probes = pd.DataFrame(
        {
            "probe_id": X.columns,
            "chromosome": "1",
            "position": range(12, 0, -1),
            "on_epic": True,
            "snp_within_5bp": False,
            "multi_mapped": False,
        }
    )
    given = {"annotation": probes, "max_epochs": 3, "random_state": 0}
    given |= {"embedding_epochs": 1, "head_epochs": 1, "decay_epochs": 0}
    for _, cls in all_own_estimators():
        if cls.__module__.startswith("omitrans.engine."):
            continue  # parts of estimators, which save their weights
        known = cls().get_params()
        yield cls(**{name: value for name, value in given.items() if name in known})


def test_every_estimator_of_this_package(tables, tmp_path):
    X, Y = tables
    for model in own_models(X):
        y = (Y.iloc[:, 0] > Y.iloc[:, 0].median()) if is_classifier(model) else Y
        loaded = save_and_load(model.fit(X, y), tmp_path)
        assert_same_output(loaded, model, X)
        assert str(loaded) == str(model)


def assert_same_output(loaded, model, X):
    method = next((name for name in ("predict", "transform") if hasattr(model, name)), None)
    if method is None:  # TSNE has only what it found in fit
        return
    found, expected = (getattr(one, method)(X) for one in (loaded, model))
    if sparse.issparse(expected):
        found, expected = found.toarray(), expected.toarray()
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected), err_msg=str(model))


# compiled trees, losses and loops, and what is built of them
REFUSED = {
    "AdaBoostRegressor", "BaggingRegressor", "Birch", "BisectingKMeans", "DecisionTreeRegressor",
    "ExtraTreeRegressor", "ExtraTreesRegressor", "FeatureAgglomeration", "GammaRegressor",
    "GaussianProcessRegressor", "GradientBoostingRegressor", "HashingVectorizer",
    "HistGradientBoostingRegressor", "Isomap", "IterativeImputer", "KNeighborsRegressor",
    "KNeighborsTransformer", "LocallyLinearEmbedding", "MLPRegressor", "PatchExtractor",
    "PoissonRegressor", "RadiusNeighborsRegressor", "RadiusNeighborsTransformer",
    "RandomForestRegressor", "RandomTreesEmbedding", "SplineTransformer", "TfidfTransformer",
    "TweedieRegressor",
}  # fmt: skip
NEED_OTHER_DATA = {"FeatureHasher", "IsotonicRegression"}


def sklearn_models():
    """Return a regressor or transformer of each class of scikit-learn that needs no other one."""
    classes = {*all_estimators("regressor"), *all_estimators("transformer")}
    models = []
    for name, cls in sorted(classes, key=lambda pair: pair[0]):
        if name not in NEED_OTHER_DATA:
            with contextlib.suppress(TypeError):  # raised by those that need another estimator
                known = cls().get_params()
                models.append(cls(random_state=0) if "random_state" in known else cls())
    return models


def is_fitted_to_any(model, X, Y):
    """Fit `model` on the first kind of target that it takes; tell whether there was one."""
    classes = (Y[:, 0] > np.median(Y[:, 0])).astype(int)
    for target in (np.abs(Y[:, 0]) + 0.1, Y, classes):
        with contextlib.suppress(TypeError, ValueError, AttributeError):
            model.fit(X, target)
            return True
    return False


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_sklearn_model_is_saved_whole_or_refused(
    tables, tmp_path, record_property, monkeypatch
):
    # parts of some models draw from the global generator, which other tests want untouched
    monkeypatch.setattr(np.random.mtrand, "_rand", np.random.RandomState(0))
    X, Y = (table.to_numpy() for table in tables)
    saved, refused = [], []
    for model in sklearn_models():
        if not is_fitted_to_any(model, X, Y):
            continue
        try:
            loaded = save_and_load(model, tmp_path)
        except ModelFileError:
            refused.append(type(model).__name__)
        else:
            saved.append(type(model).__name__)
            assert_same_output(loaded, model, X)
    record_property("saved", len(saved))
    record_property("refused", len(refused))
    assert set(refused) <= REFUSED
    assert len(saved) > 80


# --- what cannot be saved ---


class OwnModel(RegressorMixin, BaseEstimator):
    """A user's class."""


@pytest.mark.parametrize("model", [OwnModel(), make_pipeline(StandardScaler(), OwnModel())])
def test_a_class_of_the_user_is_refused(model, tmp_path):
    with pytest.raises(ModelFileError, match=r"OwnModel. omitrans\.save stores data only.*joblib"):
        omitrans.save(model, tmp_path / "m")


def test_a_function_is_refused_with_its_place(tmp_path):
    model = make_pipeline(StandardScaler(), FunctionTransformer(np.cbrt), Ridge())
    model.steps[1][1].func = len
    with pytest.raises(
        ModelFileError, match=r"Pipeline\.steps\[1\]\[1\]\.func is the function len"
    ):
        omitrans.save(model, tmp_path / "m")


def test_a_search_tree_has_a_cure(tables, tmp_path):
    model = KNeighborsRegressor(algorithm="kd_tree").fit(*tables)
    with pytest.raises(ModelFileError, match=r"_tree is an object of .*Fit with algorithm='brute'"):
        omitrans.save(model, tmp_path / "m")


def test_a_search_points_to_its_best_estimator(tables, tmp_path):
    X, Y = tables
    search = GridSearchCV(pipeline(), {"predict__regressor__alpha": [0.1, 1.0]}, cv=KFold(3))
    search.fit(X, Y["TP53"])
    with pytest.raises(ModelFileError, match="Or save its best_estimator_"):
        omitrans.save(search, tmp_path / "m")
    loaded = save_and_load(search.best_estimator_, tmp_path)
    np.testing.assert_array_equal(loaded.predict(X), search.predict(X))


@pytest.mark.parametrize("model", [None, "model", Ridge, {"a": Ridge()}, np.zeros(3)])
def test_only_estimators_are_models(model, tmp_path):
    with pytest.raises(ValueError, match="'model' parameter of save must be an instance of"):
        omitrans.save(model, tmp_path / "m")


def test_paths_are_paths(tmp_path):
    with pytest.raises(ValueError, match="'path' parameter of save"):
        omitrans.save(Ridge(), 3)
    with pytest.raises(ValueError, match="'path' parameter of load"):
        omitrans.load(None)
    omitrans.save(Ridge(), str(tmp_path / "any.ending"))
    assert isinstance(omitrans.load(str(tmp_path / "any.ending")), Ridge)


# --- summary and versions ---


class Named(Ridge):
    """A stand-in for a regressor with target names."""

    target_names_ = np.array(["TP53", "MYC", "β1"], dtype=object)


def test_summary(tables, tmp_path, monkeypatch):
    X, Y = tables
    monkeypatch.setattr(Ridge, "target_names_", Named.target_names_, raising=False)
    model = make_pipeline(StandardScaler(), FrozenEstimator(Ridge().fit(X, Y))).fit(X, Y)
    omitrans.save(model, tmp_path / "m")
    summary = read_summary(tmp_path / "m")
    versions = summary.pop("versions")
    assert summary == {
        "format": 1,
        "class": "sklearn.pipeline.Pipeline",
        "n_features_in": 12,
        "n_feature_names": 12,
        "target_names": ["TP53", "MYC", "β1"],
    }
    assert versions["scikit-learn"] == version("scikit-learn")
    assert {"python", "omitrans", "numpy", "scipy", "pandas", "torch"} < set(versions)


def test_a_summary_needs_no_arrays(tables, tmp_path):
    omitrans.save(Ridge().fit(*tables), tmp_path / "m")
    content = (tmp_path / "m").read_bytes()
    with zipfile.ZipFile(tmp_path / "m") as archive:
        info = archive.getinfo("arrays.safetensors")
    start = info.header_offset + 100
    (tmp_path / "m").write_bytes(
        content[:start] + bytes(info.file_size - 100) + content[start + info.file_size - 100 :]
    )
    assert read_summary(tmp_path / "m")["class"] == "sklearn.linear_model.Ridge"
    with pytest.raises(ModelFileError):
        omitrans.load(tmp_path / "m")


def test_another_version_of_sklearn_warns_once(tables, tmp_path, monkeypatch):
    X, Y = tables
    with monkeypatch.context() as patch:
        patch.setattr("omitrans.persistence._model_file.installed_version", lambda package: "0.99")
        omitrans.save(pipeline().fit(X, Y["MYC"]), tmp_path / "m")
    with pytest.warns(UserWarning, match=r"saved with scikit-learn 0\.99") as record:
        omitrans.load(tmp_path / "m")
    assert len(record) == 1
    assert record[0].filename == __file__


def test_the_document_is_for_reading(tables, tmp_path):
    omitrans.save(Ridge().fit(*tables), tmp_path / "m")
    with zipfile.ZipFile(tmp_path / "m") as archive:
        document = json.loads(archive.read("model.json"))
    assert document["kind"] == "omitrans model"
    assert document["format"] == 1
    state = document["model"]["estimator"]["state"]
    assert state["alpha"] == 1.0
    assert state["coef_"]["array"]["key"] == "Ridge.coef_"


def test_a_fresh_process_loads_without_torch(tables, tmp_path):
    omitrans.save(pipeline().fit(tables[0], tables[1]["MYC"]), tmp_path / "m")
    code = (
        "import sys, omitrans; model = omitrans.load(sys.argv[1]); "
        "print(type(model).__name__, 'torch' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "m")],
        capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert result.stdout.split() == ["Pipeline", "False"]
