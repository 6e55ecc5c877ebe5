"""A fit gives the same model alone, in threads, in processes, and beside other code that draws."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pandas as pd
import pytest
import torch
from joblib import Parallel, delayed
from sklearn.base import clone
from torch import nn
from torch.nn.functional import dropout

from omitrans import (
    GAINImputer,
    OmiTransRegressor,
    PMIImputer,
    TDimputeRegressor,
    WGANGPGenerator,
)
from omitrans.engine import RowBatches

N_THREADS = 4


class UserNetwork(nn.Module):
    """A network that draws from torch's generator in every way that is common."""

    def __init__(self, n_source, n_target):
        super().__init__()
        self.first = nn.Linear(n_source, 16)
        self.dropout = nn.Dropout(0.3)
        self.last = nn.Linear(16, n_target)

    def forward(self, X):
        hidden = self.dropout(self.first(X))
        if self.training:
            hidden = hidden + 0.1 * torch.randn_like(hidden)
        return self.last(hidden)


class RandomInEvaluation(nn.Module):
    """A network that draws where it is built, and also in evaluation mode."""

    def __init__(self, n_source, n_target):
        super().__init__()
        self.weight = nn.Parameter(0.1 * torch.randn(n_source, n_target))

    def forward(self, X):
        return dropout(X, 0.3, training=True) @ self.weight


SHORT = {"max_epochs": 6, "batch_size": 16, "random_state": 0, "device": "cpu"}
ALONE = SHORT | {"backbone": None}
MODELS = {
    "OmiTrans": OmiTransRegressor(hidden_layer_sizes=(32, 8), decay_epochs=2, **ALONE),
    "with a backbone": OmiTransRegressor(latent_dim=8, lr=1e-2, n_networks=2, **SHORT),
    "hidden probes": OmiTransRegressor(hidden_layer_sizes=(32, 8), probe_dropout=0.3, **ALONE),
    "variational": OmiTransRegressor(generator="variational", latent_dim=8, **ALONE),
    "transformer": OmiTransRegressor(
        generator="transformer",
        generator_params={"n_tokens": 2, "feedforward_width": 16},
        latent_dim=8,
        **ALONE,
    ),
    "network of a user": OmiTransRegressor(generator=UserNetwork, **ALONE),
    "dropout of a user": OmiTransRegressor(generator=RandomInEvaluation, **ALONE),
    "TDimpute": TDimputeRegressor(n_hidden=32, **SHORT),
    "PMI": PMIImputer(hidden_layer_sizes=(16,), **SHORT),
    "GAIN": GAINImputer(hidden_layer_sizes=(16,), adversarial_weight=1.0, **SHORT),
    "WGAN-GP": WGANGPGenerator(hidden_layer_sizes=(16,), augmentation=0.5, **SHORT),
}


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(64, 4))
    X = hidden @ rng.normal(size=(4, 40)) + rng.normal(size=(64, 40))
    Y = hidden @ rng.normal(size=(4, 25)) + rng.normal(size=(64, 25))
    genes = pd.DataFrame(Y).mask(rng.random(Y.shape) < 0.1)
    return X.astype(np.float32), Y.astype(np.float32), genes.to_numpy(np.float32)


def result(model, tables):
    """Return what a new fit of the model gives."""
    X, Y, gaps = tables
    model = clone(model)
    if hasattr(model, "transform"):
        return model.fit(gaps).transform(gaps)
    if hasattr(model, "sample_y") and not hasattr(model, "predict"):
        return model.fit(X[:, :3], Y).sample_y(X[:, :3], random_state=0)
    return model.fit(X, Y).predict(X)


@pytest.mark.parametrize("name", MODELS)
def test_fits_in_threads_equal_the_fit_alone(name, tables):
    alone = result(MODELS[name], tables)
    start = Barrier(N_THREADS)

    def fit(_):
        start.wait()
        return result(MODELS[name], tables)

    with ThreadPoolExecutor(N_THREADS) as pool:
        for one in pool.map(fit, range(N_THREADS)):
            np.testing.assert_array_equal(one, alone)


@pytest.mark.parametrize("name", MODELS)
def test_code_that_draws_meanwhile_changes_nothing(name, tables, monkeypatch):
    """Another user of torch's generator, as a thread beside the fit, in its most harmful order."""
    alone = result(MODELS[name], tables)
    batches = RowBatches.__iter__

    def disturbed(self):
        for batch in batches(self):
            torch.manual_seed(0)
            torch.rand(3)
            yield batch

    monkeypatch.setattr(RowBatches, "__iter__", disturbed)
    with torch.random.fork_rng():
        np.testing.assert_array_equal(result(MODELS[name], tables), alone)
        torch.manual_seed(0)
        torch.rand(3)
        expected = torch.random.get_rng_state()
        result(MODELS[name], tables)
        assert torch.equal(torch.random.get_rng_state(), expected)


@pytest.mark.parametrize("name", ["network of a user", "dropout of a user"])
def test_a_network_of_a_user_can_be_copied(name, tables):
    X, Y, _ = tables
    model = clone(MODELS[name]).fit(X, Y)
    expected = model.predict(X)
    np.testing.assert_array_equal(model.predict(X), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), expected)
    np.testing.assert_array_equal(copy.deepcopy(model).predict(X), expected)


def test_draws_of_an_imputer_in_threads_equal_those_alone(tables):
    *_, gaps = tables
    model = clone(MODELS["GAIN"]).fit(gaps)
    alone = model.transform_samples(gaps, 2, random_state=3)
    with ThreadPoolExecutor(N_THREADS) as pool:
        runs = pool.map(lambda _: model.transform_samples(gaps, 2, random_state=3), range(8))
        for run in runs:
            np.testing.assert_array_equal(run, alone)


def test_deviations_in_threads_equal_those_alone(tables):
    X, Y, _ = tables
    model = clone(MODELS["OmiTrans"]).set_params(dropout=0.3).fit(X, Y)
    _, alone = model.predict(X, return_std=True)
    with ThreadPoolExecutor(N_THREADS) as pool:
        for _, deviation in pool.map(lambda _: model.predict(X, return_std=True), range(8)):
            np.testing.assert_array_equal(deviation, alone)
    assert alone.any()


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_fits_in_processes_equal_the_fit_alone(name, tables):
    alone = result(MODELS[name], tables)
    found = Parallel(n_jobs=4)(delayed(result)(MODELS[name], tables) for _ in range(4))
    for one in found:
        np.testing.assert_array_equal(one, alone)
