"""Every public estimator keeps scikit-learn's contract; they are found by walking the package."""

import pickle
from unittest import SkipTest

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_outlier_detector, is_regressor
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

import omitrans
from omitrans.utils.discovery import all_estimators

# Class -> parameters other than the defaults, where the checks would take long; the slow test
# below runs them on the defaults too.
CHEAPER = {
    "GAINImputer": {"hidden_layer_sizes": (32,), "max_epochs": 10},
    "OmiEmbedClassifier": {
        "hidden_layer_sizes": (32, 16),
        "latent_dim": 8,
        "head_layer_sizes": (),
        "lr": 1e-2,
        "embedding_epochs": 1,
        "head_epochs": 1,
        "max_epochs": 15,
        "decay_epochs": 0,
    },
    "OmiTransRegressor": {"speed": "fast"},
    "PMIImputer": {"hidden_layer_sizes": (32,), "max_epochs": 10},
    "TDimputeRegressor": {"n_hidden": 500, "lr": 1e-3, "max_epochs": 40},
    "WGANGPGenerator": {"hidden_layer_sizes": (16,), "n_critic": 1, "max_epochs": 2},
}
# Further parameters, with which a class does something else. Their tests are slow ones.
OTHERS = [
    omitrans.OmiTransRegressor(backbone=None, lr=2e-3, n_iter_no_change=3),
]
# Class -> {check: reason}. Empty: nothing is known to fail.
EXPECTED_FAILURES: dict[str, dict[str, str]] = {}
# They find columns by name, so that a table may lack some: what they do then has its own tests.
ALIGN_BY_NAME = {"ArrayHarmonizer"}
# Guards against a discovery that finds nothing and against tags that switch checks off.
MIN_ESTIMATORS = 8
MIN_CHECKS = 45
MIN_CHECKS_OF_GENERATORS = 40  # fewer apply without predict and transform


def build(cls):
    return cls(**CHEAPER.get(cls.__name__, {}))


def expected_failures(estimator):
    return EXPECTED_FAILURES.get(type(estimator).__name__, {})


def run_check(check, estimator):
    """Run a check; one that skips itself has checked nothing, so it fails."""
    state = np.random.get_state()  # noqa: NPY002
    try:
        check(estimator)
    except SkipTest as reason:
        pytest.fail(f"The check was skipped: {reason}")
    finally:  # some checks draw from the global generator themselves
        np.random.set_state(state)  # noqa: NPY002


ESTIMATORS = [build(cls) for _, cls in all_estimators()]
every_estimator = pytest.mark.parametrize(
    "estimator",
    [*ESTIMATORS, *(pytest.param(estimator, marks=pytest.mark.slow) for estimator in OTHERS)],
    ids=lambda estimator: type(estimator).__name__,
)


@pytest.fixture(autouse=True)
def array_api_can_be_enabled(monkeypatch):
    """Let scikit-learn check NumPy input under array API dispatch instead of skipping that."""
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_scikit_learn_check(estimator, check):
    run_check(check, estimator)


@pytest.mark.slow
@parametrize_with_checks(OTHERS, expected_failed_checks=expected_failures)
def test_scikit_learn_check_with_further_parameters(estimator, check):
    run_check(check, estimator)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(CHEAPER))
def test_scikit_learn_checks_with_default_parameters(name):
    """All defaults but the length of training, which is that of minutes."""
    estimator = dict(all_estimators())[name]()
    if "max_epochs" in estimator.get_params():
        estimator.set_params(max_epochs=100)
    for _, check in estimator_checks_generator(estimator):
        if check.func.__name__ not in expected_failures(estimator):
            run_check(check, estimator)


def test_all_estimators_are_found():
    assert len(ESTIMATORS) >= MIN_ESTIMATORS
    assert "OmiTransRegressor" in {type(estimator).__name__ for estimator in ESTIMATORS}


def test_expected_failures_name_estimators():
    assert {*EXPECTED_FAILURES, *CHEAPER} <= {type(e).__name__ for e in ESTIMATORS}


@every_estimator
def test_no_tag_switches_the_checks_off(estimator):
    checks = list(estimator_checks_generator(estimator, mark=None))
    assert len(checks) >= (MIN_CHECKS_OF_GENERATORS if is_generator(estimator) else MIN_CHECKS)


# --- what scikit-learn does not check ---


@pytest.fixture
def paired():
    """Betas and expression of the same samples, as frames with names."""
    rng = np.random.default_rng(0)
    samples = [f"sample{i}" for i in range(24)]
    X = pd.DataFrame(rng.random((24, 6)), samples, [f"cg{i:08d}" for i in range(6)])
    Y = pd.DataFrame(X.to_numpy()[:, :3] * 2 + 1, samples, ["gene_c", "gene_a", "gene_b"])
    return X, Y


def seeded(estimator):
    """Return an unfitted copy that draws from no global generator."""
    copy = clone(estimator)
    return copy.set_params(random_state=0) if "random_state" in copy.get_params() else copy


def is_generator(estimator):
    """Whether an estimator only draws samples: an imputer with draws is judged by its transform."""
    return hasattr(estimator, "sample_y") and not (
        hasattr(estimator, "predict") or hasattr(estimator, "transform")
    )


def tables_for(estimator, paired):
    """Return X and what the estimator learns of it: classes of samples for a classifier."""
    X, Y = paired
    if is_classifier(estimator):
        Y = (Y["gene_c"] > Y["gene_c"].median()).map({True: "high", False: "low"})
    return X, Y


def apply(estimator, X):
    if is_classifier(estimator):  # labels say little, and have a dtype of their own
        return estimator.predict_proba(X)
    if is_generator(estimator):
        return estimator.sample_y(X, random_state=0).to_numpy()
    if is_outlier_detector(estimator):  # its verdicts have a dtype of their own
        return estimator.distance(X).astype(np.asarray(X).dtype)
    return estimator.predict(X) if hasattr(estimator, "predict") else estimator.transform(X)


@every_estimator
def test_parameters_survive_clone_and_round_trip(estimator):
    params = estimator.get_params(deep=False)
    assert clone(estimator).get_params(deep=False) == params
    assert type(estimator)().set_params(**params).get_params(deep=False) == params


every_regressor = pytest.mark.parametrize(
    "estimator", [e for e in ESTIMATORS if is_regressor(e)], ids=lambda e: type(e).__name__
)


@every_regressor
def test_targets_are_called_y(estimator, paired):
    """They are in scikit-learn, whatever the tables of this field are called."""
    X, y = paired
    by_name, by_place = seeded(estimator), seeded(estimator)
    by_name.fit(X=X, y=y)
    np.testing.assert_array_equal(by_name.predict(X=X), by_place.fit(X, y).predict(X))


@every_regressor
def test_the_former_name_of_the_targets_works_for_a_while(estimator, paired):
    X, y = paired
    renamed = {"OmiTransRegressor", "TDimputeRegressor", "TrustedRegressor"}
    if type(estimator).__name__ in renamed:
        with pytest.warns(FutureWarning, match="'Y' was renamed to 'y' in omitrans 0.1"):
            seeded(estimator).fit(X, Y=y)
    else:
        with pytest.raises(TypeError):
            seeded(estimator).fit(X, Y=y)


@every_estimator
def test_names_of_a_frame_are_kept(estimator, paired):
    X, Y = tables_for(estimator, paired)
    fitted = seeded(estimator).fit(X, Y)
    assert list(fitted.feature_names_in_) == list(X.columns)
    if hasattr(fitted, "predict") and not (is_outlier_detector(fitted) or is_classifier(fitted)):
        assert list(fitted.target_names_) == list(Y.columns)
        assert list(omitrans.predict_frame(fitted, X).columns) == list(Y.columns)
    if type(estimator).__name__ in ALIGN_BY_NAME:
        return
    with pytest.raises(ValueError, match="cg00000005"):
        apply(fitted, X.rename(columns={"cg00000005": "cg99999999"}))


@every_estimator
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_of_the_input_is_that_of_the_output(estimator, dtype, paired):
    X, Y = tables_for(estimator, [table.astype(dtype) for table in paired])
    assert np.asarray(apply(seeded(estimator).fit(X, Y), X)).dtype == dtype


@every_estimator
def test_set_output_gives_labelled_frames(estimator, paired):
    X, Y = tables_for(estimator, paired)
    if not hasattr(estimator, "transform"):
        assert not hasattr(estimator, "set_output")
        return
    fitted = seeded(estimator).set_output(transform="pandas").fit(X, Y)
    transformed = fitted.transform(X)
    assert list(transformed.index) == list(X.index)
    assert list(transformed.columns) == list(fitted.get_feature_names_out())


@every_estimator
def test_frames_and_arrays_give_the_same_numbers(estimator, paired):
    X, Y = tables_for(estimator, paired)
    from_frames = np.asarray(apply(seeded(estimator).fit(X, Y), X))
    X, Y = X.to_numpy(), Y.to_numpy()
    from_arrays = np.asarray(apply(seeded(estimator).fit(X, Y), X))
    np.testing.assert_array_equal(from_frames, from_arrays)


@every_estimator
@pytest.mark.parametrize("way", ["pickle", "omitrans"])
def test_a_stored_estimator_answers_identically(estimator, way, paired, tmp_path):
    X, Y = tables_for(estimator, paired)
    fitted = seeded(estimator).fit(X, Y)
    if way == "pickle":
        again = pickle.loads(pickle.dumps(fitted))
    else:
        omitrans.save(fitted, tmp_path / "model.omitrans")
        again = omitrans.load(tmp_path / "model.omitrans")
    assert type(again) is type(fitted)
    np.testing.assert_array_equal(np.asarray(apply(again, X)), np.asarray(apply(fitted, X)))
