"""Time and memory beside the metrics, and where the fits run."""

import sys

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.dummy import DummyRegressor

from omitrans import TDimputeRegressor
from omitrans.comparison import compare_models
from omitrans.comparison._outcome import PeakMemory

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


class Hungry(RegressorMixin, BaseEstimator):
    """Touches a table of a given size in fit."""

    def __init__(self, mib=0):
        self.mib = mib

    def fit(self, X, y):
        self.sum_ = np.ones(self.mib * 2**17).sum()
        self.mean_ = np.mean(y, axis=0)
        return self

    def predict(self, X):
        return np.tile(self.mean_, (len(X), 1))


@pytest.fixture
def tables():
    rng = np.random.default_rng(0)
    return rng.normal(size=(40, 5)), rng.normal(size=(40, 3))


@linux_only
def test_peak_memory_is_that_of_the_fit(tables):
    results = compare_models({"big": Hungry(200), "small": Hungry(0)}, *tables, cv=2).results
    peaks = results[results["metric"] == "peak_memory_mib"].groupby("model")["value"].max()
    assert 190 < peaks["big"] < 300
    assert peaks["small"] < 50


def test_peak_memory_where_the_system_does_not_tell(monkeypatch, tmp_path):
    monkeypatch.setattr("omitrans.comparison._outcome._STATM", tmp_path / "absent")
    with PeakMemory() as memory:
        pass
    assert np.isnan(memory.mib)


def test_summary_shows_costs_on_demand(tables):
    comparison = compare_models({"mean": DummyRegressor()}, *tables, cv=2)
    costs = ["fit_seconds", "predict_seconds", "peak_memory_mib"]
    assert list(comparison.summary(costs=True).columns[-3:]) == costs
    assert not set(costs) & set(comparison.summary().columns)


NETWORK = TDimputeRegressor(n_hidden=8, max_epochs=4, batch_size=8, random_state=0)


def assert_same_results(found, expected):
    """Compare to the last digit all that does not depend on the time of day."""
    metrics = ~expected.results["metric"].str.contains("seconds|memory")
    pd.testing.assert_frame_equal(
        found.results[metrics], expected.results[metrics], check_exact=True
    )


def test_fits_in_threads_give_what_they_give_one_after_the_other(tables):
    models = {"network": NETWORK, "again": clone(NETWORK)}
    serial = compare_models(models, *tables, cv=4)
    with parallel_config(backend="threading", n_jobs=4):
        assert_same_results(compare_models(models, *tables, cv=4), serial)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of dask's own start and end
def test_fits_run_on_a_dask_cluster(tables, tmp_path):
    distributed = pytest.importorskip("dask.distributed")
    models = {"mean": DummyRegressor(), "network": NETWORK}
    here = compare_models(models, *tables, cv=4)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=4, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster),
        parallel_config(backend="dask"),
    ):
        there = compare_models(models, *tables, cv=4, cache_dir=tmp_path)
    assert_same_results(there, here)
    assert len(list(tmp_path.iterdir())) == 8
