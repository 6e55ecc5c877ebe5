"""Every registered network through its estimator: train, save, load, and the contract."""

from unittest import SkipTest

import numpy as np
import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

import omitrans
from omitrans import OmiTransRegressor
from omitrans.networks import list_discriminators, list_generators

# small, so that convolutions and wide layers train in a blink
PARAMS = {
    "chromosome-fc": {"hidden_layer_sizes": (8,), "group_width": 8, "decoder_width": 8},
    "chromosome-variational": {"hidden_layer_sizes": (8,), "group_width": 8, "decoder_width": 8},
    "single-hidden": {"n_hidden": 8},
    "transformer": {"n_tokens": 2, "feedforward_width": 8},
    "unet-de": {"n_filters": 4},
    "unet-in": {"n_filters": 4},
    "unet-small": {"n_filters": 4},
}
DISCRIMINATOR_PARAMS = {
    "chromosome-fc": {"group_width": 8},
    "cnn": {"n_filters": 2},
    "cnn-small": {"n_filters": 2},
    "transformer": {"token_width": 8, "n_tokens": 2, "feedforward_width": 8},
}


def make(generator="fc", discriminator="fc", **params):
    defaults = {
        "backbone": None,
        "latent_dim": 8,
        "max_epochs": 3,
        "batch_size": 16,
        "early_stopping": False,
        "random_state": 0,
        "generator_params": PARAMS.get(generator),
        "discriminator_params": DISCRIMINATOR_PARAMS.get(discriminator),
    }
    return OmiTransRegressor(generator, discriminator, **defaults | params)


MODELS = {f"generator {name}": lambda n=name, **p: make(n, **p) for name in list_generators()} | {
    f"discriminator {name}": lambda n=name, **p: make(discriminator=n, **p)
    for name in list_discriminators()
}
every_network = pytest.mark.parametrize("name", MODELS)


@every_network
def test_trains_saves_and_loads(name, frames, tmp_path):
    X, Y = frames
    model = MODELS[name]().fit(X, Y)
    losses = model.history_[[c for c in model.history_ if c.startswith("train_")]]
    assert np.isfinite(losses.to_numpy()).all()
    predicted = model.predict(X)
    assert predicted.shape == Y.shape
    omitrans.save(model, tmp_path / "model.omitrans")
    np.testing.assert_array_equal(omitrans.load(tmp_path / "model.omitrans").predict(X), predicted)


# The other U-Nets are built of the same blocks, and train long.
LONG = {"generator unet-in", "generator unet-small", "discriminator cnn", "discriminator cnn-small"}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in LONG else n for n in MODELS]
)
def test_learns(name, frames):
    """Untrained networks stay at 1 and predict nearly alike; trained ones are far from both."""
    X, Y = frames
    n_epochs = 60 if name.startswith("generator") else 25  # the others train the same generator
    model = MODELS[name](max_epochs=n_epochs, lr=0.01, alpha=0.0, dropout=0.0).fit(X, Y)
    losses = model.history_["train_reconstruction"]
    assert losses.iloc[-5:].mean() < 0.8 * losses.iloc[0]
    assert np.ptp(model.predict(X), axis=0).max() > 1


@every_network
def test_a_sample_alone_is_a_sample_in_a_batch(name, frames):
    X, Y = frames
    model = MODELS[name]().fit(X, Y)
    together = model.predict(X)
    np.testing.assert_array_equal(model.predict(X.iloc[[7]]), together[[7]])


@pytest.mark.parametrize("name", ["variational", "chromosome-variational"])
def test_divergence_is_part_of_the_loss(name, frames):
    free, tied = (
        make(name, generator_params={**(PARAMS.get(name) or {}), "kl_weight": weight}).fit(*frames)
        for weight in (0.0, 10.0)
    )
    assert "train_penalty" in tied.history_
    assert (free.history_["train_penalty"] == 0).all()
    assert not np.array_equal(free.predict(frames[0]), tied.predict(frames[0]))


# It wants a good fit, for which these short trainings are too short; test_learns is about that.
NOT_CHECKED = {"check_regressors_train"}


@pytest.mark.slow
@every_network
def test_keeps_the_contract(name):
    estimator = MODELS[name](max_epochs=2)
    state = np.random.get_state()  # noqa: NPY002
    n_checks = 0
    try:
        for _, check in estimator_checks_generator(estimator):
            if check.func.__name__ in NOT_CHECKED:
                continue
            try:
                check(estimator)
                n_checks += 1
            except SkipTest:
                continue
    finally:  # some checks draw from the global generator themselves
        np.random.set_state(state)  # noqa: NPY002
    assert n_checks >= 44
