"""Draws of translators with networks: held-out errors, noise z, dropout."""

import pickle

import numpy as np
import pandas as pd
import pytest

import omitrans
from omitrans import OmiTransRegressor, TDimputeRegressor
from omitrans.datasets import make_paired_omics
from omitrans.metrics import interval_coverage

SHORT = {"max_epochs": 8, "early_stopping": False, "device": "cpu", "random_state": 0}
NOISY = {"backbone": None, "noise_dim": 3, "reconstruction_weight": 1.0, **SHORT}


def cohort(n_samples=90):
    """Return X and Y whose samples have unrelated names."""
    data = make_paired_omics(n_samples, 40, 12, missing_rate=0, random_state=0)
    samples = [f"s{i}" for i in range(n_samples)]
    return data.X.set_axis(samples), data.Y.set_axis(samples)


@pytest.fixture(scope="module", name="noisy")
def fitted_with_noise():
    return OmiTransRegressor(**NOISY).fit(*cohort())


def test_the_default_draws_after_fit(tmp_path):
    """The errors are those of the folds of the networks, and cost no further fit."""
    X, Y = cohort(190)
    model = OmiTransRegressor(n_networks=2, **SHORT).fit(X[:130], Y[:130])
    drawn = model.sample_y(X[130:], 39, random_state=0)
    assert interval_coverage(Y[130:], drawn, 0.8).mean() == pytest.approx(0.8, abs=0.07)
    errors = drawn.to_numpy().reshape(39, 60, 12) - model.predict(X[130:])
    real = Y[130:] - model.predict(X[130:])
    np.testing.assert_allclose(errors.std(axis=(0, 1)), real.std(), rtol=0.35)
    for again in (pickle.loads(pickle.dumps(model)), saved(model, tmp_path)):
        pd.testing.assert_frame_equal(again.sample_y(X[130:], 39, random_state=0), drawn)


def saved(model, folder):
    omitrans.save(model, folder / "model.omitrans")
    return omitrans.load(folder / "model.omitrans")


def test_held_out_errors_of_an_ensemble_with_a_share():
    """Linear targets that the backbone cannot see leave the work to the networks."""
    from sklearn.dummy import DummyRegressor

    X, Y = cohort()
    options = SHORT | {"max_epochs": 30}
    model = OmiTransRegressor(backbone=DummyRegressor(), n_networks=2, **options).fit(X, Y)
    assert model.network_share_.mean() > 0.1
    drawn = model.sample_y(X, 20, random_state=0, dropout=True, residuals=False).to_numpy()
    center, deviation = drawn.reshape(20, *Y.shape).mean(0), drawn.reshape(20, *Y.shape).std(0)
    assert np.abs(center - model.predict(X)).mean() < deviation.mean()
    assert deviation.mean() > 0
    with_errors = model.sample_y(X, 20, random_state=0).to_numpy().reshape(20, *Y.shape)
    assert with_errors.std(0).mean() > deviation.mean()


@pytest.mark.parametrize(
    "model",
    [OmiTransRegressor(speed="fast"), TDimputeRegressor(n_hidden=8, max_epochs=2, device="cpu")],
    ids=["fast", "tdimpute"],
)
def test_others_learn_their_residuals(model):
    X, Y = cohort()
    model.set_params(random_state=0).fit(X, Y)
    with pytest.raises(ValueError, match="learn_residuals"):
        model.sample_y(X)
    drawn = model.learn_residuals(X, Y, cv=2, random_state=0).sample_y(X, 2, random_state=0)
    assert drawn.shape == (180, 12)


# --- noise z ---


def test_noise_is_drawn_for_each_row_and_draw(noisy):
    X, _ = cohort()
    drawn = noisy.sample_y(X, 3, random_state=0, residuals=False)
    values = drawn.to_numpy().reshape(3, 90, 12)
    assert (values.std(axis=0).mean(axis=1) > 0).all()
    pd.testing.assert_frame_equal(
        noisy.sample_y(X, random_state=0, residuals=False),
        drawn[:90].droplevel("draw").rename_axis(X.index.name),
    )
    part = noisy.sample_y(X[:4], 3, random_state=0, residuals=False).to_numpy()
    np.testing.assert_array_equal(part.reshape(3, 4, 12), values[:, :4])


def test_prediction_is_that_without_noise(noisy):
    X, _ = cohort()
    predicted = noisy.predict(X)
    np.testing.assert_array_equal(noisy.predict(X), predicted)
    np.testing.assert_array_equal(noisy.predict(X[:1]), predicted[:1])
    assert predicted.shape == (90, 12)
    assert noisy.n_features_in_ == 40


def test_a_model_with_noise_is_saved_and_tuned(noisy, tmp_path):
    X, Y = cohort()
    drawn = noisy.sample_y(X, 2, random_state=0, residuals=False)
    again = saved(noisy, tmp_path)
    pd.testing.assert_frame_equal(again.sample_y(X, 2, random_state=0, residuals=False), drawn)
    # the noise keeps its weights where the cohort has other features
    tuned = noisy.fine_tune(X.iloc[:, 5:], Y, max_epochs=1, lr=1e-12)
    before = noisy.net_.module_.state_dict()
    after = tuned.net_.module_.state_dict()
    first = next(name for name, weight in before.items() if weight.shape[-1] == 43)
    np.testing.assert_allclose(after[first][:, 35:], before[first][:, 40:], atol=1e-6)
    np.testing.assert_allclose(after[first][:, :35], before[first][:, 5:40], atol=1e-6)


def test_a_checkpoint_goes_on_with_the_same_noise(tmp_path):
    X, Y = cohort()
    options = NOISY | {"checkpoint_dir": tmp_path, "checkpoint_every": 4}
    whole = OmiTransRegressor(**options).fit(X, Y).predict(X)
    resumed = OmiTransRegressor(**options, resume=True).fit(X, Y).predict(X)
    np.testing.assert_array_equal(resumed, whole)


def test_no_noise_is_the_model_as_it_was():
    """Without noise, networks have the weights and the random numbers that they had."""
    X, Y = cohort()
    model = OmiTransRegressor(**NOISY | {"noise_dim": 0}).fit(X, Y)
    assert all(40 in w.shape or 43 not in w.shape for w in model.net_.module_.state_dict().values())
    plain = {name: value for name, value in NOISY.items() if name != "noise_dim"}
    np.testing.assert_array_equal(OmiTransRegressor(**plain).fit(X, Y).predict(X), model.predict(X))


def test_what_cannot_be_drawn_is_said(noisy):
    X, Y = cohort()
    with pytest.raises(ValueError, match="residuals=False draws noise"):
        noisy.sample_y(X)
    silent = OmiTransRegressor(**NOISY | {"noise_dim": 0, "dropout": 0.0}).fit(X, Y)
    with pytest.raises(ValueError, match="nothing to draw"):
        silent.sample_y(X, residuals=False)
    with pytest.raises(ValueError, match="networks with dropout"):
        silent.sample_y(X, residuals=False, dropout=True)
    with pytest.raises(ValueError, match="column_groups"):
        OmiTransRegressor(**NOISY, column_groups=[20, 20]).fit(X, Y)
