"""TranslationPipeline learns, raises and gives exactly what a Pipeline of the same steps does."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import omitrans
from omitrans.exceptions import FeatureMismatchError, LowCoverageError, LowCoverageWarning
from omitrans.pipelines import TranslationPipeline, make_translation_pipeline
from omitrans.preprocessing import (
    ArrayHarmonizer,
    BetaToM,
    LocationAligner,
    MissingRateFilter,
    ProbeFilter,
    _column_view,
)
from omitrans.preprocessing.probes import _survey
from omitrans.utils import _blocks

N_SAMPLES, N_PROBES = 24, 150
POLICIES = ["mean", "group", "knn", "components", "keep", None]


@pytest.fixture(params=["whole", "blocks"])
def _block_size(request, monkeypatch):
    """Let small tables be read in many blocks, too."""
    if request.param == "blocks":
        for module in (_blocks, _column_view, _survey):
            monkeypatch.setattr(module, "CACHE_VALUES", 250)


def make_table(*, order="C", dtype=np.float32, gaps=0.05, framed=True, seed=0):
    """Return betas with constant probes, others that are mostly missing, and their expression."""
    rng = np.random.default_rng(seed)
    hidden = rng.standard_normal((N_SAMPLES, 3))
    noise = 0.3 * rng.standard_normal((N_SAMPLES, N_PROBES))
    values = 1 / (1 + np.exp(-hidden @ rng.standard_normal((3, N_PROBES)) - noise))
    values[:, 20:23] = 0.5
    if gaps:
        values[rng.random(values.shape) < gaps] = np.nan
        values[: N_SAMPLES // 2, 30:33] = np.nan
    Y = np.nan_to_num(values[:, :4], nan=0.5) + hidden[:, :1]
    X = np.array(values, dtype=dtype, order=order)
    if not framed:
        return X, Y
    names = [f"cg{7 * i:08d}" for i in range(N_PROBES - 4)]
    names += ["ch.1.5F", "rs1234", "nv-GRCh38-chr1", "ctl_1_A"]
    samples = [f"s{i}" for i in range(N_SAMPLES)]
    columns = pd.Index(names, name="probe")
    return pd.DataFrame(X, samples, columns, copy=False), pd.DataFrame(Y, samples)


def make_annotation(X):
    rng = np.random.default_rng(5)
    n = X.shape[1]
    return pd.DataFrame(
        {
            "probe_id": X.columns,
            "chromosome": rng.integers(1, 23, n).astype(str),
            "position": rng.integers(1, 1000, n),
            "on_epic": rng.random(n) > 0.1,
            "snp_within_5bp": rng.random(n) < 0.1,
            "multi_mapped": rng.random(n) < 0.05,
        }
    ).sample(frac=0.97, random_state=0)


def make_model(policy="components", annotation=None, regressor=None, **params):
    if policy is None:
        harmonizer = None
    else:
        harmonizer = ArrayHarmonizer(
            missing=policy, n_components=3, n_groups=3, random_state=0, max_missing_rate=0.4
        )
    return make_translation_pipeline(
        Ridge() if regressor is None else regressor,
        harmonizer=harmonizer,
        probe_annotation=annotation,
        **params,
    )


def plain(model):
    """Return a Pipeline of clones of the same steps."""
    return Pipeline(clone(model).steps)


def assert_same(found, expected, where=""):
    """Compare to the last bit, through lists, dicts and estimators."""
    assert type(found) is type(expected), where
    if isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype, where
        np.testing.assert_array_equal(found, expected, err_msg=where)
    elif isinstance(expected, pd.DataFrame):
        if not found.equals(expected) or found.columns.names != expected.columns.names:
            pd.testing.assert_frame_equal(found, expected, check_exact=True)  # says where
            raise AssertionError(where)
    elif isinstance(expected, pd.Series):
        pd.testing.assert_series_equal(found, expected, check_exact=True)
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for key, value in expected.items():
            assert_same(found[key], value, f"{where}.{key}")
    elif hasattr(expected, "get_params"):
        assert_same(vars(found), vars(expected), f"{where}.{type(expected).__name__}")
    else:
        np.testing.assert_equal(found, expected, err_msg=where)


def assert_same_table(found, expected):
    """Compare two tables, with names, samples, and the layout that products round by."""
    assert_same(found, expected)
    found, expected = np.asarray(found), np.asarray(expected)
    for flag in ("C_CONTIGUOUS", "F_CONTIGUOUS"):
        assert found.flags[flag] == expected.flags[flag]


def assert_same_fit(model, oracle):
    for (name, found), (_, expected) in zip(model.steps, oracle.steps, strict=True):
        assert_same(found, expected, name)


def caught(function):
    """Return the outcome of a call: what it gives or raises, and its warnings."""
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        try:
            outcome = function()
        except Exception as error:
            outcome = (type(error), str(error))
    return outcome, sorted({(w.category, str(w.message)) for w in raised}, key=str)


# --- the oracle: a plain Pipeline ---


@pytest.mark.usefixtures("_block_size")
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    ("order", "dtype"), [("C", np.float32), ("F", np.float32), ("C", np.float64)]
)
@pytest.mark.parametrize(("gaps", "framed"), [(0, True), (0.05, True), (0.05, False)])
def test_is_a_plain_pipeline_but_faster(policy, order, dtype, gaps, framed):
    X, Y = make_table(order=order, dtype=dtype, gaps=gaps, framed=framed)
    annotation = make_annotation(X) if framed else None
    model = make_model(policy, annotation, min_variance=0.01)
    oracle = plain(model).fit(X, Y)
    model.fit(X, Y)
    assert_same_fit(model, oracle)
    new, _ = make_table(order=order, dtype=dtype, gaps=gaps, framed=framed, seed=1)
    if framed:
        new = new.rename_axis(columns=None)
    for table in (X, new, new[:1], new[3:7], new[::2]):
        assert_same_table(model[:-1].transform(table), oracle[:-1].transform(table))
        assert_same(model.predict(table), oracle.predict(table))
    assert model.score(new, Y) == oracle.score(new, Y)
    some = range(0, len(new), 5)
    rows = [model[:-1].transform(new[i : i + 1]) for i in some]
    together = np.asarray(model[:-1].transform(new))
    np.testing.assert_array_equal(np.concatenate(rows), together[some])


@pytest.mark.usefixtures("_block_size")
@pytest.mark.parametrize("policy", POLICIES[:-1])
@pytest.mark.parametrize(
    ("replicates", "order"), [("mean", "C"), ("median", "C"), ("first", "F"), ("mean", "F")]
)
def test_tables_of_another_array(policy, replicates, order):
    X, Y = make_table()
    model = make_model(policy, make_annotation(X))
    model.set_params(harmonizer__replicates=replicates, harmonizer__warn_coverage=0)
    model.set_params(harmonizer__min_coverage=0)
    oracle = plain(model).fit(X, Y)
    model.fit(X, Y)
    new, _ = make_table(seed=2, order=order)
    new.columns = [f"{name}_TC21" if name.startswith("cg") else name for name in new]
    again = new.iloc[:, 5:40] ** 2
    again.columns = [name.replace("TC21", "BC22") for name in again]
    other = pd.concat([new.iloc[:, 10:90], again, new.iloc[:, 100:].iloc[:, ::-1]], axis=1)
    other = pd.DataFrame(np.array(other, order=order), other.index, other.columns, copy=False)
    for table in (other, other[2:3], other.astype(np.float64), other.iloc[:, ::-1]):
        assert_same_table(model[:-1].transform(table), oracle[:-1].transform(table))
        assert_same(model.predict(table), oracle.predict(table))


def test_training_on_replicates():
    X, Y = make_table()
    X.columns = [f"{name}_TC21" if name.startswith("cg") else name for name in X]
    twice = (X.iloc[:, :9] ** 2).rename(columns=lambda name: name.replace("TC21", "TC22"))
    X = pd.concat([X, twice], axis=1)
    model = make_model("components")
    oracle = plain(model).fit(X, Y)
    assert_same_fit(model.fit(X, Y), oracle)
    assert_same_table(model[:-1].transform(X), oracle[:-1].transform(X))
    revived = pickle.loads(pickle.dumps(model))
    assert_same(revived.predict(X), oracle.predict(X))


STEPS = {
    "foreign in the middle": lambda a: [
        ArrayHarmonizer(), ProbeFilter(a), BetaToM(), MissingRateFilter(), LocationAligner(a)
    ],
    "arrays behind frames": lambda a: [
        ProbeFilter(a), LocationAligner(a), VarianceThreshold(0.01), SimpleImputer(),
        MissingRateFilter(), LocationAligner(),
    ],
    "medians": lambda a: [
        ArrayHarmonizer(missing="keep"), SimpleImputer(strategy="median"), LocationAligner(a)
    ],
    "imputer alone": lambda a: [ArrayHarmonizer(missing="keep"), SimpleImputer()],
    "constants": lambda a: [MissingRateFilter(), SimpleImputer(strategy="constant")],
    "indicators": lambda a: [MissingRateFilter(0.3), SimpleImputer(add_indicator=True)],
    "standardised": lambda a: [
        ArrayHarmonizer(missing="components"), LocationAligner(a, unmapped="drop"), StandardScaler()
    ],
    "passed through": lambda a: [
        "passthrough", ProbeFilter(a), None, "passthrough", LocationAligner(a), SimpleImputer()
    ],
    "sorted first": lambda a: [
        LocationAligner(a), ProbeFilter(a, unit="beta"), MissingRateFilter(0.3),
        VarianceThreshold(), SimpleImputer(),
    ],
    "unit unknown to the harmonizer": lambda a: [
        ArrayHarmonizer(unit=None), ProbeFilter(a, unit="beta"), LocationAligner(a)
    ],
    "one column left": lambda a: [
        ArrayHarmonizer(), VarianceThreshold(0.0), MissingRateFilter(0.0), LocationAligner()
    ],
}  # fmt: skip


@pytest.mark.usefixtures("_block_size")
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("output", ["default", "pandas"])
@pytest.mark.parametrize("name", STEPS)
def test_any_steps(name, output, order):
    X, Y = make_table(order=order)
    steps = STEPS[name](make_annotation(X))
    if name == "one column left":
        X = X.iloc[:, :1].fillna(0.2)
    regressor = ("regressor", LinearRegression())
    model = TranslationPipeline([*((f"s{i}", step) for i, step in enumerate(steps)), regressor])
    model.set_output(transform=output)
    oracle = plain(model)

    def outcome(pipeline):
        pipeline.fit(X, Y)
        return pipeline[:-1].transform(X[:9]), pipeline.predict(X[:9])

    (found, raised), (expected, expected_raised) = (
        caught(lambda: outcome(model)), caught(lambda: outcome(oracle))
    )  # fmt: skip
    assert_same(raised, expected_raised)
    assert_same_table(found[0], expected[0]) if isinstance(expected[0], np.ndarray | pd.DataFrame) \
        else assert_same(found, expected)  # fmt: skip
    if not isinstance(expected[0], type):
        assert_same(found[1], expected[1])
        assert_same_fit(model, oracle)


def test_output_that_is_set_for_all_is_respected():
    X, Y = make_table()
    harmonizer = ArrayHarmonizer(warn_coverage=0)
    steps = [("a", harmonizer), ("b", LocationAligner()), ("c", VarianceThreshold())]
    with config_context(transform_output="pandas"):
        model = TranslationPipeline(clone(Pipeline(steps)).steps).fit(X, Y)
        assert_same(model.transform(X), Pipeline(steps).fit(X, Y).transform(X))


@pytest.mark.parametrize(
    "change",
    {
        "transposed": lambda X: X.T,
        "M-values": lambda X: X * 9 - 5,
        "percentages": lambda X: X * 100,
        "infinity": lambda X: X.assign(**{X.columns[40]: np.inf, X.columns[8]: np.inf}),
        "a column twice": lambda X: pd.concat([X, X.iloc[:, -2:]], axis=1),
        "probes twice": lambda X: pd.concat([X, X.iloc[:, :2]], axis=1),
        "no rows": lambda X: X[:0],
        "no columns": lambda X: X.iloc[:, :0],
        "text": lambda X: X.assign(tissue="lung"),
        "half of the names": lambda X: X.rename(columns={X.columns[3]: 3}),
        "numbers for names": lambda X: X.set_axis(range(X.shape[1]), axis=1),
        "few probes": lambda X: X.iloc[:, :90],
        "some probes": lambda X: X.iloc[:, :120],
        "other probes": lambda X: X.rename(columns=lambda name: f"x{name}"),
        "levels": lambda X: X.set_axis(pd.MultiIndex.from_product([["a"], X.columns]), axis=1),
        "array": lambda X: X.to_numpy(),
        "fewer columns of an array": lambda X: X.to_numpy()[:, :5],
        "list": lambda X: X.to_numpy().tolist(),
        "all missing": lambda X: X * np.nan,
        "one sample all missing": lambda X: X.where(
            np.arange(len(X))[:, None] + np.zeros(X.shape) != 3
        ),
        "wide numbers": lambda X: X.astype({X.columns[0]: np.float64}),
        "half precision": lambda X: X.astype(np.float16),
        "pandas numbers": lambda X: X.astype("Float32"),
    }.items(),
    ids=lambda pair: pair[0],
)
@pytest.mark.parametrize("policy", ["components", "keep", None])
def test_bad_and_odd_tables(policy, change):
    change = change[1]
    X, Y = make_table()
    model = make_model(policy, make_annotation(X))
    oracle = plain(model)
    odd = change(X.copy())
    targets = Y if len(odd) == len(X) else Y[: len(odd)]

    def learnt(pipeline):
        return pipeline.fit(odd, targets.to_numpy()).predict(odd)

    assert_same(caught(lambda: learnt(clone(model))), caught(lambda: learnt(clone(oracle))))
    model.fit(X, Y)
    oracle.fit(X, Y)
    assert_same(caught(lambda: model.predict(odd)), caught(lambda: oracle.predict(odd)))


def test_steps_that_leave_nothing_say_so():
    X, Y = make_table()
    for params in ({"min_variance": 0.9}, {"max_missing_rate": 0.0}):
        model = make_model("keep", **params)
        X.iloc[0] = np.nan
        found = caught(lambda model=model: clone(model).fit(X, Y))
        assert_same(found, caught(lambda model=model: plain(model).fit(X, Y)))
        assert found[0][0] is ValueError


# --- nothing is kept that may grow old ---


def test_parameters_are_read_at_prediction():
    X, Y = make_table()
    model = make_model().fit(X, Y)
    few = X.iloc[:, :60]
    with pytest.raises(LowCoverageError, match="24 of 24 samples"):
        model.predict(few)
    model[0].set_params(min_coverage=0, warn_coverage=0)
    assert np.isfinite(model.predict(few)).all()
    model.set_params(harmonizer__warn_coverage=1)
    with pytest.warns(LowCoverageWarning):
        model.predict(few)


def test_a_step_fitted_anew_is_used_anew():
    X, Y = make_table(gaps=0)
    model = make_model(regressor=Ridge()).fit(X, Y)
    behind = model[:4].transform(X)
    model.set_params(location_aligner=LocationAligner(make_annotation(X)))
    model["location_aligner"].fit(behind)
    with pytest.raises(ValueError, match="order"):  # the regressor saw another
        model.predict(X)
    model["probe_filter"].fit(X.iloc[:, :9])
    with pytest.raises(FeatureMismatchError, match="columns seen in fit"):
        model.predict(X)


# --- it is a Pipeline ---


def test_is_a_pipeline_in_all_else(tmp_path):
    X, Y = make_table()
    annotation = make_annotation(X)
    model = make_model("components", annotation).fit(X, Y)
    assert isinstance(model, Pipeline)
    assert type(model[:-1]) is type(clone(model)) is TranslationPipeline
    expected = model.predict(X)
    for copy in (pickle.loads(pickle.dumps(model)), TranslationPipeline(model.steps)):
        assert_same(copy.predict(X), expected)
    omitrans.save(model, tmp_path / "model.omitrans")
    loaded = omitrans.load(tmp_path / "model.omitrans")
    assert type(loaded) is TranslationPipeline
    assert_same(loaded.predict(X), expected)
    assert_same(loaded[:-1].transform(X), model[:-1].transform(X))
    assert_same(model[:-1].fit_transform(X), model[:-1].transform(X))
    assert list(model.feature_names_in_) == list(X.columns)
    assert not hasattr(model, "predict_proba")
    assert not hasattr(model, "transform")


def test_search_and_cross_validation():
    X, Y = make_table()
    model = make_model("components", make_annotation(X)).set_params(harmonizer__warn_coverage=0)
    grid = {"probe_filter__drop_off_epic": [True, False], "variance_filter__threshold": [0, 0.02]}
    found = GridSearchCV(model, grid, cv=3).fit(X, Y)
    expected = GridSearchCV(plain(model), grid, cv=3).fit(X, Y)
    assert_same(found.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"])
    scores = cross_val_score(model, X, Y, cv=3)
    np.testing.assert_array_equal(scores, cross_val_score(plain(model), X, Y, cv=3))


def test_memory_and_routing_take_the_long_way(tmp_path):
    X, Y = make_table()
    model = make_model().fit(X, Y)
    cached = clone(model).set_params(memory=str(tmp_path)).fit(X, Y)
    assert_same(cached.predict(X), model.predict(X))
    assert any(tmp_path.iterdir())
    with config_context(enable_metadata_routing=True):
        assert_same(clone(model).fit(X, Y).predict(X), model.predict(X))


def test_parameters_of_fit_reach_their_step():
    X, Y = make_table()
    groups = np.arange(len(X)) % 2
    model = make_model("group")
    oracle = plain(model).fit(X, Y, harmonizer__groups=groups, regressor__sample_weight=1 + groups)
    model.fit(X, Y, harmonizer__groups=groups, regressor__sample_weight=1 + groups)
    assert_same_fit(model, oracle)
    with pytest.raises(TypeError, match="color"):
        model.fit(X, Y, probe_filter__color="red")


def test_verbose_names_every_step(capsys):
    X, Y = make_table()
    model = make_model(verbose=True).fit(X, Y)
    printed = capsys.readouterr().out
    for i, name in enumerate(model.named_steps, start=1):
        assert f"(step {i} of 7) Processing {name}" in printed


def test_invalid_steps_raise_as_in_a_pipeline():
    X, Y = make_table()
    for steps in (
        [],
        [("a", MissingRateFilter()), ("a", LocationAligner())],
        [("a", Ridge()), ("b", 3)],
    ):
        found = caught(lambda steps=steps: TranslationPipeline(steps).fit(X, Y))
        assert_same(found, caught(lambda steps=steps: Pipeline(steps).fit(X, Y)))
    unfitted = make_model()
    assert_same(
        caught(lambda: unfitted.predict(X))[0][0], caught(lambda: plain(unfitted).predict(X))[0][0]
    )


def test_the_table_is_left_as_it_was():
    for order in "CF":
        X, Y = make_table(order=order)
        before = X.copy()
        model = make_model("keep").fit(X, Y)
        out = model[:-1].transform(X)
        out.iloc[:] = 9
        pd.testing.assert_frame_equal(X, before)
