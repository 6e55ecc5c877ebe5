"""Hidden probes in training, and what a network says of its own doubt."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch

import omitrans
from omitrans import OmiTransRegressor, TDimputeRegressor
from omitrans.datasets import make_paired_omics
from omitrans.engine import PairedRows
from omitrans.engine._probe_dropout import ProbeDropout
from omitrans.metrics import r2_per_feature
from omitrans.pipelines import make_translation_pipeline

# the ids of the simulated samples name patients
pytestmark = pytest.mark.filterwarnings("ignore::omitrans.exceptions.PatientGroupsWarning")


@pytest.fixture(scope="module", name="cohort")
def paired_tables():
    data = make_paired_omics(160, 300, 20, random_state=0)
    return data.X.fillna(data.X.mean()), data.Y.loc[:, data.Y.std() > 0.3]


def make(**params):
    defaults = {"backbone": None, "latent_dim": 64, "max_epochs": 60, "lr": 1e-3, "random_state": 0}
    return OmiTransRegressor(**(defaults | {"device": "cpu"} | params))


# --- probe dropout ---


def test_each_sample_loses_a_share_of_its_own(own_random_numbers):
    X = torch.rand(400, 1000)
    hide = ProbeDropout(0.6)
    hide.learn(X, torch.arange(200))
    shown = hide(X)
    means = X[:200].mean(0)
    hidden = shown != X
    torch.testing.assert_close(shown[hidden], means.expand_as(X)[hidden])
    shares = hidden.float().mean(1)
    assert shares.max() < 0.65
    assert shares.min() < 0.05
    assert shares.mean() == pytest.approx(0.3, abs=0.03)


def test_nothing_is_hidden_by_default():
    X = torch.ones(3, 4)
    hide = ProbeDropout(0.0)
    hide.learn(X, torch.arange(3))
    assert hide(X) is X


@pytest.mark.parametrize("cls", [OmiTransRegressor, TDimputeRegressor])
def test_training_with_hidden_probes_helps_where_probes_are_missing(cls, cohort):
    X, Y = cohort
    params = {"max_epochs": 80, "lr": 1e-2, "random_state": 0, "device": "cpu"}
    if cls is TDimputeRegressor:
        params |= {"n_hidden": 200, "source_scaling": "standard", "lr": 1e-3}
    else:
        params |= {"backbone": None}
    rng = np.random.default_rng(0)
    hidden = rng.random(X[120:].shape) < 0.6
    table = X[120:].mask(hidden, X[:120].mean(), axis=1)
    r2 = [
        r2_per_feature(
            Y[120:], cls(probe_dropout=share, **params).fit(X[:120], Y[:120]).predict(table)
        ).mean()
        for share in (0.0, 0.8)
    ]
    assert r2[1] > r2[0]


@pytest.mark.parametrize("share", [-0.1, 1.0, "half"])
def test_impossible_shares_are_refused(share, cohort):
    with pytest.raises(ValueError, match="probe_dropout"):
        make(probe_dropout=share).fit(*cohort)


def test_validation_hides_nothing(cohort, own_random_numbers):
    X, Y = cohort
    model = make(probe_dropout=0.9, max_epochs=2).fit(X, Y)
    batch = (torch.rand(8, X.shape[1]), torch.rand(8, Y.shape[1]))
    first, second = (model.net_.validation_step(batch)["reconstruction"] for _ in range(2))
    assert first == second


# --- standard deviations ---


def test_deviation_of_a_sample_does_not_depend_on_its_neighbours(cohort):
    X, Y = cohort
    model = make(max_epochs=5).fit(X, Y)
    predicted, deviation = model.predict(X, return_std=True)
    np.testing.assert_array_equal(predicted, model.predict(X))
    assert deviation.shape == Y.shape
    assert (deviation > 0).all()
    alone = [model.predict(X[i : i + 1], return_std=True)[1] for i in (0, 70, 159)]
    np.testing.assert_array_equal(np.concatenate(alone), deviation[[0, 70, 159]])
    np.testing.assert_array_equal(model.predict(X, return_std=True)[1], deviation)


def test_more_draws_change_little_and_dropout_much(cohort):
    X, Y = cohort
    few = make(max_epochs=5).fit(X, Y)
    _, first = few.predict(X, return_std=True, n_draws=100)
    _, second = few.predict(X, return_std=True, n_draws=200)
    np.testing.assert_allclose(first.mean(), second.mean(), rtol=0.1)
    _, less = make(max_epochs=5, dropout=0.05).fit(X, Y).predict(X, return_std=True)
    assert less.mean() < first.mean()


def test_predicting_leaves_dropout_off(cohort):
    X, Y = cohort
    model = make(max_epochs=3).fit(X, Y)
    before = model.predict(X)
    model.predict(X, return_std=True)
    np.testing.assert_array_equal(model.predict(X), before)
    assert not any(layer._forward_hooks for layer in model.net_.module_.modules())


@pytest.mark.parametrize("model", [make(dropout=0.0), TDimputeRegressor(20, random_state=0)])
def test_a_network_without_dropout_names_the_cure(model, cohort):
    X, Y = cohort
    model = model.set_params(max_epochs=2).fit(X, Y)
    with pytest.raises(ValueError, match=r"needs a network with dropout.*ensemble=True"):
        model.predict(X, return_std=True)


def test_one_draw_has_no_deviation(cohort):
    X, Y = cohort
    with pytest.raises(ValueError, match="n_draws"):
        make(max_epochs=2).fit(X, Y).predict(X, return_std=True, n_draws=1)


def test_deviations_come_through_a_pipeline(cohort):
    X, Y = cohort
    genes = pd.DataFrame(
        {"gene_id": Y.columns[::-1], "chromosome": "1", "start": range(Y.shape[1])}
    )
    plain = make_translation_pipeline(make(max_epochs=3), gene_annotation=genes).fit(X, Y)
    predicted, deviation = plain.predict(X, return_std=True)
    np.testing.assert_array_equal(predicted, plain.predict(X))
    inner = plain[-1].regressor_.predict(plain[:-1].transform(X), return_std=True)[1]
    np.testing.assert_array_equal(deviation, inner[:, ::-1])


def test_a_pickle_without_the_new_parameter_still_loads(cohort):
    X, Y = cohort
    model = make(max_epochs=2).fit(X, Y)
    state = model.__getstate__()
    del state["probe_dropout"], state["_training_params"]["probe_dropout"]
    old = OmiTransRegressor.__new__(OmiTransRegressor)
    old.__setstate__(state)
    assert old.probe_dropout == 0.0
    np.testing.assert_array_equal(old.predict(X), model.predict(X))
    assert pickle.loads(pickle.dumps(old)).get_params()["probe_dropout"] == 0.0


def test_saved_model_keeps_its_deviation(cohort, tmp_path):
    X, Y = cohort
    model = make(max_epochs=2, probe_dropout=0.5).fit(X, Y)
    omitrans.save(model, tmp_path / "m.omitrans")
    loaded = omitrans.load(tmp_path / "m.omitrans")
    np.testing.assert_array_equal(
        loaded.predict(X, return_std=True)[1], model.predict(X, return_std=True)[1]
    )


def test_rows_of_the_dataset_are_those_learned_from():
    X = torch.arange(12.0).reshape(4, 3)
    rows = PairedRows(X, X).subset(torch.tensor([0, 2])).rows
    hide = ProbeDropout(0.999)
    hide.learn(X, rows)
    torch.testing.assert_close(hide._means, X[[0, 2]].mean(0))
