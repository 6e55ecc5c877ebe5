"""Tables of xarray, whose names NumPy would drop, are refused wherever tables enter."""

import numpy as np
import pandas as pd
import pytest

from omitrans.baselines import DualRidgeRegressor
from omitrans.comparison import compare_models
from omitrans.datasets import hide_values
from omitrans.inference import predict_frame
from omitrans.metrics import masked_rmse, r2_per_feature, reconstruction_report
from omitrans.pipelines import make_translation_pipeline
from omitrans.preprocessing import beta_to_m, detect_expression_unit
from omitrans.trust import TrustedRegressor
from omitrans.utils.discovery import all_estimators

SAMPLES = [f"s{k}" for k in range(20)]
X = pd.DataFrame(
    np.random.default_rng(0).random((20, 6)), SAMPLES, [f"cg{k:08d}" for k in range(6)]
)
Y = pd.DataFrame(np.random.default_rng(1).random((20, 3)), SAMPLES, list("abc"))


class DataArray:
    """Stands for xarray.DataArray, which need not be installed."""

    def __init__(self, frame):
        self._frame = frame
        self.shape = frame.shape

    dims = ("dim_0", "dim_1")

    @property
    def coords(self):
        return {"dim_0": self._frame.index, "dim_1": self._frame.columns}

    def to_pandas(self):
        return self._frame

    def __array__(self, dtype=None, copy=None):
        return self._frame.to_numpy(dtype=dtype)

    def __len__(self):
        return len(self._frame)


def real(frame):
    xarray = pytest.importorskip("xarray")
    return xarray.DataArray(
        frame.to_numpy(), dims=DataArray.dims, coords=[list(frame.index), list(frame.columns)]
    )


@pytest.fixture(params=[DataArray, real], ids=["stand-in", "xarray"])
def labelled(request):
    return request.param


USES = {
    "fit, X": lambda x, y, fitted: DualRidgeRegressor().fit(x, Y),
    "fit, y": lambda x, y, fitted: DualRidgeRegressor().fit(X, y),
    "predict": lambda x, y, fitted: fitted.predict(x),
    "predict_frame": lambda x, y, fitted: predict_frame(fitted, x),
    "pipeline, X": lambda x, y, fitted: make_translation_pipeline(fitted).fit(x, Y),
    "pipeline, y": lambda x, y, fitted: make_translation_pipeline(fitted).fit(X, y),
    "trusted, X": lambda x, y, fitted: TrustedRegressor(fitted, cv=2).fit(x, Y),
    "trusted, y": lambda x, y, fitted: TrustedRegressor(fitted, cv=2).fit(X, y),
    "compare, X": lambda x, y, fitted: compare_models({"a": fitted}, x, Y, cv=2),
    "compare, y": lambda x, y, fitted: compare_models({"a": fitted}, X, y, cv=2),
    "metrics, true": lambda x, y, fitted: r2_per_feature(y, Y),
    "metrics, predicted": lambda x, y, fitted: reconstruction_report(Y, y),
    "metrics, imputed": lambda x, y, fitted: masked_rmse(Y, y, Y > 0.5),
    "betas": lambda x, y, fitted: beta_to_m(x),
    "units": lambda x, y, fitted: detect_expression_unit(y),
    "holes": lambda x, y, fitted: hide_values(x, 0.5),
}


@pytest.mark.parametrize("use", USES)
def test_refused_with_the_cure(use, labelled):
    fitted = DualRidgeRegressor().fit(X, Y)
    with pytest.raises(TypeError, match=r"is an xarray\.DataArray.*\.to_pandas\(\)"):
        USES[use](labelled(X), labelled(Y), fitted)


def test_the_cure_finds_samples_in_another_order(labelled):
    y = labelled(Y.iloc[::-1])
    with pytest.raises(ValueError, match="the same samples in another order"):
        DualRidgeRegressor().fit(X, y.to_pandas())


@pytest.mark.parametrize("name", [name for name, _ in all_estimators()])
def test_no_estimator_takes_one(name):
    cls = dict(all_estimators())[name]
    needs_model = name in {"AlignedTargetRegressor", "TrustedRegressor"}
    estimator = cls(DualRidgeRegressor()) if needs_model else cls()
    with pytest.raises(TypeError, match=r"xarray\.DataArray"):
        estimator.fit(DataArray(X), Y)
