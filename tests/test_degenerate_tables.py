"""Degenerate but valid tables: every estimator answers within bounds, or says what is wrong."""

import warnings
import zlib

import numpy as np
import pytest
from scipy.linalg import LinAlgWarning
from sklearn.base import is_classifier, is_outlier_detector, is_regressor
from sklearn.exceptions import ConvergenceWarning, UndefinedMetricWarning

from omitrans import OmiTransRegressor
from omitrans.baselines import DualRidgeRegressor, LassoRegressor, MultiKernelRidgeRegressor
from omitrans.exceptions import OmiTransError
from omitrans.utils.discovery import all_estimators

N_SAMPLES, N_PROBES, N_GENES = 24, 12, 4


# --- tables: the first half of the rows is for fit, the second is held out ---


def paired(rng, n=N_SAMPLES, p=N_PROBES, q=N_GENES, rank=None):
    X = rng.normal(size=(2 * n, rank or p))
    if rank:
        X = X @ rng.normal(size=(rank, p))
    Y = X @ rng.normal(size=(p, q)) / np.sqrt(p) + 0.5 * rng.normal(size=(2 * n, q)) + 5
    return X, Y


def sizes(**options):
    return lambda rng: paired(rng, **options)


def changed(change):
    """Return a maker of ordinary tables that are then changed."""

    def make(rng):
        X, Y = paired(rng)
        return change(X, Y)

    return make


def with_columns(table, columns, value):
    table[:, columns] = value
    return table


def one_sample_differs(X, Y):
    X[: N_SAMPLES - 1] = X[0]
    return X, Y


def probes_of_other_sizes(X, Y):
    X[:, 0], X[:, 1] = 1 + 1e-7 * X[:, 0], 1e6 + X[:, 1]
    return X, Y


COPIES = np.arange(2 * N_SAMPLES) // 4 * 4
SCENARIOS = {
    "rank 1": sizes(rank=1),
    "rank 2": sizes(rank=2),
    "rank 2 of 60 probes": sizes(rank=2, p=60),
    "one probe": sizes(p=1),
    "one gene": sizes(q=1),
    "one probe and one gene": sizes(p=1, q=1),
    "copies of samples": changed(lambda X, Y: (X[COPIES], Y[COPIES])),
    "all samples but one are copies": changed(one_sample_differs),
    "copies of probes": changed(lambda X, Y: (X[:, np.arange(N_PROBES) // 3 * 3], Y)),
    "constant genes": changed(lambda X, Y: (X, with_columns(Y, [0, 1], [0.0, 7.3]))),
    "only constant genes": changed(lambda X, Y: (X, with_columns(Y, slice(None), [0, 7, -2, 0.1]))),
    "constant probes": changed(lambda X, Y: (with_columns(X, slice(0, 12, 2), 0.37), Y)),
    "only constant probes": changed(lambda X, Y: (with_columns(X, slice(None), 0.37), Y)),
    "no methylation": changed(lambda X, Y: (0 * X, Y)),
    "no expression": changed(lambda X, Y: (X, 0 * Y)),
    "zeros": changed(lambda X, Y: (0 * X, 0 * Y)),
    "nearly constant probe, large probe": changed(probes_of_other_sizes),
    "large offset": changed(lambda X, Y: (X + 1e5, Y + 1e5)),
    "scales from 1e-20 to 1e20": changed(
        lambda X, Y: (X * np.logspace(-20, 20, N_PROBES), Y * np.logspace(-20, 20, N_GENES))
    ),
}
for n in (2, 3, 4, 5):
    SCENARIOS[f"{n} samples"] = sizes(n=n)
    SCENARIOS[f"{n} samples of 60 probes"] = sizes(n=n, p=60)
for x in (1e-20, 1.0, 1e20):
    for y in (1e-20, 1.0, 1e20):
        if (x, y) != (1, 1):
            SCENARIOS[f"X times {x:g}, Y times {y:g}"] = changed(
                lambda X, Y, x=x, y=y: (x * X, y * Y)
            )


def tables(scenario, dtype):
    rng = np.random.default_rng(zlib.crc32(scenario.encode()))
    X, Y = (table.astype(dtype) for table in SCENARIOS[scenario](rng))
    half = len(X) // 2
    return X[:half], Y[:half], X[half:], Y[half:]


# --- models, with parameters that make them fast ---

QUICK = {
    "GAINImputer": {"hidden_layer_sizes": (16,), "max_epochs": 5},
    "OmiEmbedClassifier": {
        "hidden_layer_sizes": (16, 8),
        "latent_dim": 4,
        "lr": 1e-2,
        "embedding_epochs": 2,
        "head_epochs": 2,
        "max_epochs": 8,
        "decay_epochs": 0,
    },
    "OmiTransRegressor": {"n_networks": 2, "max_epochs": 15},
    "PMIImputer": {"hidden_layer_sizes": (16,), "max_epochs": 5},
    "TDimputeRegressor": {"n_hidden": 50, "lr": 1e-3, "max_epochs": 40},
    "WGANGPGenerator": {"hidden_layer_sizes": (16,), "n_critic": 1, "max_epochs": 2},
}
MODELS = {name: cls(**QUICK.get(name, {})) for name, cls in all_estimators()}
MODELS |= {
    f"LassoRegressor, {solver}": LassoRegressor(alpha=0.02, solver=solver, device="cpu")
    for solver in ("celer", "sklearn", "torch")
}
MODELS |= {
    "LassoRegressor, unscaled": LassoRegressor(alpha=0.1, standardize=False),
    "OmiTransRegressor, network": OmiTransRegressor(backbone=None, lr=1e-3, max_epochs=15),
    "OmiTransRegressor, fast": OmiTransRegressor(speed="fast"),
    "DualRidgeRegressor, least squares": DualRidgeRegressor(alpha=0),
    "DualRidgeRegressor, kernel": DualRidgeRegressor(kernel="rbf"),
    "MultiKernelRidgeRegressor, gene": MultiKernelRidgeRegressor(penalties="gene"),
    "MultiKernelRidgeRegressor, component": MultiKernelRidgeRegressor(penalties="component"),
}
for name, model in MODELS.items():
    if "random_state" in model.get_params():
        MODELS[name] = model.set_params(random_state=0)

# Where nothing can be learned, or a cross-validation is impossible, an error may say so.
CONSTANT = {"no methylation", "zeros", "only constant probes"}
FEW = {f"{n} samples{more}" for n in (2, 3, 4) for more in ("", " of 60 probes")}
REFUSED = {
    "DomainShiftDetector": CONSTANT | FEW | {"all samples but one are copies"},
    "LassoRegressor": FEW,
    "OmiEmbedClassifier": FEW,  # of a class with one sample none can be held out
    "OmiTransRegressor": CONSTANT,
    "OmiTransRegressor, fast": CONSTANT,
    "OmiTransRegressor, network": CONSTANT,
    "PLSRegressor": FEW,
    "TDimputeRegressor": CONSTANT | {"scales from 1e-20 to 1e20"},
    "TrustedRegressor": CONSTANT | FEW | {"all samples but one are copies"},
}


# --- judges ---


def rounding(name, dtype, table):
    """Return an absolute error of each column that rounding may cause."""
    single = name in {
        "GAINImputer",
        "PMIImputer",
        "WGANGPGenerator",
    }  # their networks compute in float32
    eps = np.finfo(np.float32 if single else dtype).eps
    return 1000 * eps * np.nanmax(np.abs(table.astype(float)), axis=0)


def judge_regressor(name, model, dtype, X, Y, new_X, new_Y):
    model.fit(X, Y)
    truth, mean, slack = Y.astype(float), Y.mean(axis=0, dtype=float), rounding(name, dtype, Y)
    fitted = model.predict(X).astype(float).reshape(Y.shape)
    worst = np.mean((mean - truth) ** 2, axis=0)
    assert np.all(np.mean((fitted - truth) ** 2, axis=0) <= 10 * worst + slack**2)
    predicted = model.predict(new_X).reshape(new_Y.shape)
    span = np.ptp(truth, axis=0)
    assert np.isfinite(predicted).all()
    if len(np.unique(X, axis=0)) >= 5:  # fewer samples may allow of any slope
        error = np.sum((predicted - new_Y.astype(float)) ** 2, axis=0)
        worst = np.sum((mean - new_Y.astype(float)) ** 2, axis=0)
        assert error.sum() <= 10 * worst.sum() + len(new_Y) * np.sum(slack**2)
        far = np.abs(predicted - mean).max(axis=0)
        assert np.all(far <= 20 * span + slack)
    for i in range(min(3, len(new_X))):
        alone = model.predict(new_X[i : i + 1]).reshape(-1)
        unit = np.maximum(np.abs(truth).max(axis=0), np.finfo(dtype).tiny)
        assert np.all(np.abs(alone.astype(float) - predicted[i]) <= 1e-6 * unit)


def judge_imputer(name, model, dtype, X, Y, new_X, new_Y):
    table, new = np.hstack([Y, X]), np.hstack([new_Y, new_X])
    rng = np.random.default_rng(0)
    for part in (table, new):
        holes = rng.random(part.shape) < 0.15
        holes[0] = False  # every column has a value
        part[holes] = np.nan
    low, high = np.nanmin(table, axis=0).astype(float), np.nanmax(table, axis=0).astype(float)
    reach = 10 * (high - low) + rounding(name, dtype, table)
    model.fit(table)
    for part in (table, new):
        filled = np.asarray(model.transform(part))
        seen = ~np.isnan(part)
        np.testing.assert_array_equal(filled[seen], part[seen])
        assert np.all((filled >= low - reach) & (filled <= high + reach) | seen)


def judge_generator(name, model, dtype, X, Y, new_X, new_Y):
    """The probes are numeric covariates here."""
    draws = model.fit(X, Y).sample_y(X, random_state=0).to_numpy()
    low, high = Y.min(axis=0).astype(float), Y.max(axis=0).astype(float)
    reach = 10 * (high - low) + rounding(name, dtype, Y)
    assert draws.dtype == dtype
    assert np.all((draws >= low - reach) & (draws <= high + reach))
    alone = model.sample_y(X[:1], random_state=0).to_numpy()
    unit = np.maximum(np.abs(Y.astype(float)).max(axis=0), np.finfo(dtype).tiny)
    assert np.all(np.abs(alone[0].astype(float) - draws[0]) <= 1e-6 * unit)
    drawn = model.sample_y(new_X, random_state=0).to_numpy()
    assert np.isfinite(drawn).all()
    if len(np.unique(X, axis=0)) >= 5:  # fewer samples may allow of any slope
        assert np.all((drawn >= low - reach) & (drawn <= high + reach))
    constant = low == high
    np.testing.assert_array_equal(drawn[:, constant], np.tile(Y[0, constant], (len(new_X), 1)))


def judge_detector(name, model, dtype, X, Y, new_X, new_Y):
    report = model.fit(X).report(new_X)
    assert np.isfinite(report["distance"]).all()
    assert report["p_value"].between(0, 1).all()


def judge_classifier(name, model, dtype, X, Y, new_X, new_Y):
    """Every other sample is of one class, whatever the expression."""
    labels = np.resize(["normal", "tumour"], len(X))
    probabilities = model.fit(X, labels).predict_proba(new_X)
    assert probabilities.dtype == dtype
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert np.isfinite(model.transform(new_X)).all()
    for i in range(min(3, len(new_X))):
        np.testing.assert_array_equal(model.predict_proba(new_X[i : i + 1])[0], probabilities[i])


def judge_transformer(name, model, dtype, X, Y, new_X, new_Y):
    transformed = np.asarray(model.fit(X, Y).transform(new_X))
    assert np.isfinite(transformed.astype(float)).all()


def judge(name, scenario, dtype):
    model = MODELS[name]
    judges = [
        (is_regressor(model), judge_regressor),
        (is_outlier_detector(model), judge_detector),
        (is_classifier(model), judge_classifier),
        (hasattr(model, "sample_y"), judge_generator),
        ("Imputer" in name, judge_imputer),
        (True, judge_transformer),
    ]
    check = next(check for applies, check in judges if applies)
    with warnings.catch_warnings():
        # they say in words that the table is degenerate
        for category in (ConvergenceWarning, UndefinedMetricWarning, LinAlgWarning):
            warnings.simplefilter("ignore", category)
        try:
            check(name, model, dtype, *tables(scenario, dtype))
        except (ValueError, OmiTransError) as error:
            if scenario not in REFUSED.get(name, ()):
                raise
            assert len(str(error)) > 60, "the error does not explain itself"  # noqa: PT017


# --- tests ---


def sampled():
    """Return five cases of each estimator, which together meet every scenario."""
    names, dtypes = list(SCENARIOS), (np.float32, np.float64)
    return [
        (name, names[j % len(names)], dtypes[(i + j) % 2])
        for i, name in enumerate(MODELS)
        for j in range(5 * i, 5 * i + 5)
    ]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("name", "scenario", "dtype"), sampled())
def test_sampled_tables(name, scenario, dtype):
    judge(name, scenario, dtype)


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("name", MODELS)
def test_all_tables(name, scenario, dtype):
    judge(name, scenario, dtype)


def test_refusals_name_models_and_scenarios():
    assert set(REFUSED) <= set(MODELS)
    assert set().union(*REFUSED.values()) <= set(SCENARIOS)
