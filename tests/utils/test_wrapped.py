"""What a model wraps is found in any nesting."""

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_selection import RFE
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import omitrans
from omitrans.baselines import PLSRegressor
from omitrans.displays import HistoryDisplay
from omitrans.inference import describe_model
from omitrans.inference._frame import predict_and_judge
from omitrans.persistence import read_summary
from omitrans.pipelines import AlignedTargetRegressor
from omitrans.preprocessing import ArrayHarmonizer, LocationAligner
from omitrans.trust import TrustedRegressor
from omitrans.utils._wrapped import as_seen_by, find_attribute, find_layer, layers, parts

PROBES = [f"cg{i:08d}" for i in range(12)]
GENES = ["geneC", "geneA", "geneB"]


class Trained(Ridge):
    """A regressor that keeps target names and a history."""

    def fit(self, X, y):
        super().fit(X, y)
        self.history_ = pd.DataFrame({"epoch": [1], "train_distance": [1.0]})
        self.target_names_ = list(getattr(y, "columns", ["y0", "y1", "y2"]))
        return self


def pipeline():
    return make_pipeline(
        ArrayHarmonizer(), StandardScaler().set_output(transform="pandas"), Trained()
    )


def search(model):
    return GridSearchCV(model, {}, cv=2)


def target(model):
    return TransformedTargetRegressor(model, transformer=StandardScaler())


def aligned(model):
    table = pd.DataFrame({"gene_id": GENES, "chromosome": ["3", "1", "2"], "position": [1, 2, 3]})
    return AlignedTargetRegressor(model, transformer=LocationAligner(table))


def trusted(model):
    return TrustedRegressor(model, cv=2, random_state=0)


class Frozen:
    """Freeze a model when it is fitted."""

    def __init__(self, model):
        self.model = model

    def fit(self, X, y):
        return FrozenEstimator(self.model.fit(X, y)).fit(X, y)


# how to wrap -> the names of the layers
NESTINGS = {
    "pipeline": (pipeline, "Pipeline Trained"),
    "search": (lambda: search(pipeline()), "GridSearchCV Pipeline Trained"),
    "randomized search": (
        lambda: RandomizedSearchCV(pipeline(), {"trained__alpha": [1.0]}, n_iter=1, cv=2),
        "RandomizedSearchCV Pipeline Trained",
    ),
    "target": (lambda: target(pipeline()), "TransformedTargetRegressor Pipeline Trained"),
    "aligned": (lambda: aligned(pipeline()), "AlignedTargetRegressor Pipeline Trained"),
    "trusted": (lambda: trusted(pipeline()), "TrustedRegressor Pipeline Trained"),
    "frozen": (lambda: Frozen(pipeline()), "FrozenEstimator Pipeline Trained"),
    "trusted target": (
        lambda: trusted(target(pipeline())),
        "TrustedRegressor TransformedTargetRegressor Pipeline Trained",
    ),
    "target of a search": (
        lambda: target(search(pipeline())),
        "TransformedTargetRegressor GridSearchCV Pipeline Trained",
    ),
    "search of trusted targets": (
        lambda: search(trusted(aligned(pipeline()))),
        "GridSearchCV TrustedRegressor AlignedTargetRegressor Pipeline Trained",
    ),
    "pipelines in a pipeline": (
        lambda: make_pipeline(make_pipeline(ArrayHarmonizer()), make_pipeline(Trained())),
        "Pipeline Pipeline Trained",
    ),
    "pipeline of a target": (
        lambda: make_pipeline(ArrayHarmonizer(), target(Trained())),
        "Pipeline TransformedTargetRegressor Trained",
    ),
    "trusted and frozen": (
        lambda: Frozen(trusted(pipeline())),
        "FrozenEstimator TrustedRegressor Pipeline Trained",
    ),
    "everything": (
        lambda: make_pipeline("passthrough", search(trusted(target(aligned(pipeline()))))),
        (
            "Pipeline GridSearchCV TrustedRegressor TransformedTargetRegressor "
            "AlignedTargetRegressor Pipeline Trained"
        ),
    ),
}
WITHOUT_TARGET_NAMES = {"target", "target of a search", "pipeline of a target"}


@pytest.fixture(scope="module", name="tables")
def make_tables():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.uniform(size=(24, 12)), columns=PROBES)
    Y = pd.DataFrame(X.to_numpy() @ rng.normal(size=(12, 3)), columns=GENES)
    return X, Y


@pytest.fixture(scope="module", name="fitted")
def fit_all(tables):
    return {name: make().fit(*tables) for name, (make, _) in NESTINGS.items()}


every_nesting = pytest.mark.parametrize("name", NESTINGS)


@every_nesting
def test_layers_from_the_outermost_to_the_innermost(fitted, name):
    found = layers(fitted[name])
    assert " ".join(type(layer.model).__name__ for layer in found) == NESTINGS[name][1]
    assert found[0].model is fitted[name]
    assert found[0].where == ""
    for outer, inner in itertools.pairwise(found):
        held = dict(outer.model.steps) if isinstance(outer.model, Pipeline) else None
        seen = held[inner.where] if held else getattr(outer.model, inner.where)
        assert seen is inner.model


@every_nesting
def test_the_harmonizer_is_among_the_parts(fitted, name):
    found = [part for part in parts(fitted[name]) if isinstance(part, ArrayHarmonizer)]
    assert len(found) == 1
    assert hasattr(found[0], "platform_")


@every_nesting
def test_what_speaks_of_the_source_is_found_in_any_nesting(fitted, name):
    model = fitted[name]
    assert find_attribute(model, "coef_").shape == (3, 12)
    assert describe_model(model)["model"] == "Trained"
    assert describe_model(model)["platform"] is not None
    assert len(HistoryDisplay.from_estimator(model).history) == 1


@every_nesting
def test_what_speaks_of_the_targets_is_not_taken_from_inside_a_transformed_target(fitted, name):
    names = find_attribute(fitted[name], "target_names_", of_targets=True)
    expected = None if name in WITHOUT_TARGET_NAMES else GENES
    assert (None if names is None else list(names)) == expected
    assert describe_model(fitted[name])["targets"] == expected


def test_target_names_of_a_model_file(tables, tmp_path):
    X, Y = tables
    inner = PLSRegressor(2)
    for model, expected in (
        (FrozenEstimator(make_pipeline(inner).fit(X, Y)).fit(X, Y), GENES),
        (trusted(target(inner)).fit(X, Y), GENES),
        (target(inner).fit(X, Y), None),  # its regressor knows y0, y1 and y2
    ):
        omitrans.save(model, tmp_path / "model")
        assert read_summary(tmp_path / "model")["target_names"] == expected


@every_nesting
def test_x_as_the_innermost_sees_it(fitted, tables, name):
    X = tables[0]
    seen = as_seen_by(layers(fitted[name])[-1].model, fitted[name], X)
    scaled = any(isinstance(part, StandardScaler) for part in parts(fitted[name]))
    expected = (X - X.mean()) / X.std(ddof=0) if scaled else X
    np.testing.assert_allclose(seen, expected)
    pd.testing.assert_frame_equal(as_seen_by(fitted[name], fitted[name], X), X)


@pytest.mark.parametrize("name", [name for name in NESTINGS if "trusted" in name])
def test_samples_are_judged_in_any_nesting(fitted, tables, name):
    X = tables[0].copy()
    X.iloc[0] = [0.0, 1.0] * 6
    detector = find_attribute(fitted[name], "shift_detector_")
    seen = as_seen_by(layers(fitted[name])[-1].model, fitted[name], X)
    predicted, shift = predict_and_judge(fitted[name], X, target_names=GENES)
    np.testing.assert_array_equal(shift["distance"], detector.distance(seen))
    np.testing.assert_allclose(predicted, fitted[name].predict(X))


@pytest.mark.filterwarnings("ignore::omitrans.exceptions.DomainShiftWarning")
@pytest.mark.parametrize("wrap", [target, aligned])
def test_a_card_inside_a_transformed_target_is_not_that_of_the_model(tables, wrap):
    X, Y = tables
    model = wrap(trusted(pipeline())).fit(X, Y)
    predicted, shift = predict_and_judge(model, X, target_names=GENES)
    np.testing.assert_allclose(predicted, model.predict(X))
    assert len(shift) == len(X)
    assert describe_model(model)["trust"] is None
    with pytest.raises(ValueError, match="carries none"):
        omitrans.predict_frame(model, X, target_names=GENES, intervals=0.5)


def test_what_is_not_fitted_has_the_layers_that_it_knows():
    model = search(pipeline())
    assert [layer.model for layer in layers(model)] == [model]
    inner = pipeline()
    assert [layer.model for layer in layers(inner)] == [inner, inner[-1]]
    assert find_layer(inner, "coef_") is None
    ends_in_nothing = make_pipeline(StandardScaler(), "passthrough")
    assert len(layers(ends_in_nothing)) == 1


def test_the_pattern_of_a_forest_is_no_layer(tables):
    X, Y = tables
    model = RandomForestRegressor(2, random_state=0).fit(X, Y)
    assert describe_model(model)["layers"] == ["RandomForestRegressor"]


def test_a_selector_is_no_layer(tables):
    X, Y = tables
    model = RFE(Ridge(), n_features_to_select=3).fit(X, Y["geneA"])
    assert [layer.model for layer in layers(model)] == [model]
