"""R's NA is a NaN that signals, on which NumPy warns: it is a missing value like any other."""

import numpy as np
import pandas as pd
import pytest

from omitrans.baselines import DualRidgeRegressor
from omitrans.io import read_h5ad, read_matrix, write_h5ad
from omitrans.metrics import masked_rmse
from omitrans.pipelines import make_translation_pipeline
from omitrans.preprocessing import beta_to_m, detect_expression_unit, m_to_beta, to_log2
from omitrans.utils.discovery import all_estimators

NA = 0x7FF00000000007A2


def table(names, bits):
    values = np.random.default_rng(0).uniform(0.1, 0.9, (30, len(names)))
    for row in range(0, 30, 4):
        values.view(np.uint64)[row, row % len(names)] = bits
    return pd.DataFrame(values, [f"s{k}" for k in range(30)], names)


PROBES = [f"cg{k:08d}" for k in range(25)]
OF_R = table(PROBES, NA)
USUAL = table(PROBES, np.array(np.nan).view(np.uint64))
Y = pd.DataFrame(np.random.default_rng(1).random((30, 4)), OF_R.index, list("abcd"))
# Their default is a model of scikit-learn, which warns by itself.
WRAPPERS = {"AlignedTargetRegressor", "TrustedRegressor"}


def result(cls, X):
    """Return what a fitted estimator makes of X; the message if it takes no missing values."""
    estimator = cls() if cls.__name__ not in WRAPPERS else cls(DualRidgeRegressor())
    if hasattr(estimator, "max_epochs"):
        estimator.set_params(max_epochs=1)
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    try:
        estimator.fit(X, Y)
        if hasattr(estimator, "sample_y") and not hasattr(estimator, "predict"):
            return estimator.sample_y(X, random_state=0).to_numpy()
        use = estimator.transform if hasattr(estimator, "transform") else estimator.predict
        return np.asarray(use(X))
    except ValueError as error:
        return str(error)


def test_it_signals():
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        OF_R.to_numpy().astype(np.float32)


@pytest.mark.parametrize("kind", [pd.DataFrame, np.asarray], ids=["frame", "array"])
@pytest.mark.parametrize("name", [name for name, _ in all_estimators()])
def test_estimators_treat_it_as_missing(name, kind):
    cls = dict(all_estimators())[name]
    np.testing.assert_equal(result(cls, kind(OF_R)), result(cls, kind(USUAL)))


FUNCTIONS = {
    "beta_to_m": beta_to_m,
    "m_to_beta": m_to_beta,
    "to_log2": lambda X: to_log2(X, "linear", check=False),
    "unit": lambda X: [detect_expression_unit(X).unit],
    "pipeline": lambda X: make_translation_pipeline(DualRidgeRegressor()).fit(X, Y).predict(X),
    "masked_rmse": lambda X: [masked_rmse(X, USUAL.fillna(0), USUAL.notna())],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_treat_it_as_missing(name):
    use = FUNCTIONS[name]
    np.testing.assert_equal(np.asarray(use(OF_R)), np.asarray(use(USUAL)))


def test_files_keep_it_as_missing(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {"id": pa.array(list(OF_R.index))}
    columns |= {name: pa.array(OF_R[name].to_numpy()) for name in OF_R}
    parquet.write_table(pa.table(columns), tmp_path / "table.parquet")
    found = read_matrix(tmp_path / "table.parquet", samples="rows", min_variance=0.0)
    np.testing.assert_array_equal(found.isna(), USUAL.isna())


def test_anndata_files_keep_it_as_missing(tmp_path):
    pytest.importorskip("anndata")
    write_h5ad(OF_R, tmp_path / "table.h5ad")
    np.testing.assert_array_equal(read_h5ad(tmp_path / "table.h5ad").isna(), USUAL.isna())
