"""Training steps of the imputers against ones written out by hand, and what masks promise."""

import copy

import numpy as np
import pytest
import torch
from torch.nn.functional import softplus

from omitrans.engine import (
    GAINNet,
    MaskedNet,
    PairedRows,
    RowBatches,
    impute_profiles,
    residual_deviation,
)
from omitrans.engine._masked import draw_bernoulli
from omitrans.losses import masked_mse_loss
from omitrans.networks.imputers import MaskedMLP

pytestmark = pytest.mark.usefixtures("own_random_numbers")

N_SAMPLES, N_GENES = 12, 9
CPU = torch.device("cpu")


@pytest.fixture
def dataset(rng):
    Y = torch.from_numpy(rng.normal(3, 2, size=(N_SAMPLES, N_GENES)).astype(np.float32))
    Y[torch.from_numpy(rng.random((N_SAMPLES, N_GENES)) < 0.2)] = torch.nan
    X = torch.ones(N_SAMPLES, 2)
    X[:, 0] = torch.arange(N_SAMPLES) % 3 + 1
    return PairedRows(X, Y)


def make_net(cls, dataset, n_profiles, **options):
    options = {
        "module__n_source": 2,
        "module__n_target": N_GENES,
        "module__n_categories": (3,),
        "module__n_profiles": n_profiles,
        "module__hidden_layer_sizes": (8,),
        "module__norm": "none",
        "target_scaling": "standard",
        "optimizer": torch.optim.Adam,
        "lr": 1e-2,
        "iterator_train": RowBatches,
        "batch_size": 4,
        "train_split": None,
        **options,
    }
    net = cls(MaskedMLP, masked_mse_loss, **options).initialize()
    net.prepare(dataset)
    return net


def make_gain(dataset, **options):
    discriminator = {
        "discriminator": MaskedMLP,
        "discriminator__n_covariates": 2,
        "discriminator__n_features": N_GENES,
        "discriminator__n_categories": (3,),
        "discriminator__hidden_layer_sizes": (8,),
        "discriminator__norm": "none",
        "discriminator_optimizer__lr": 3e-3,
    }
    return make_net(GAINNet, dataset, 3, **discriminator, **options)


def as_batch(dataset):
    return dataset.X, dataset.Y


# --- masks ---


def test_draws_have_the_rate_of_each_sample():
    draws = draw_bernoulli(torch.empty(200, 5000), (0.2, 0.8)).float().mean(1)
    assert 0.19 < draws.min() < 0.25
    assert 0.75 < draws.max() < 0.81
    assert abs(draws.mean() - 0.5) < 0.05


def test_a_fixed_rate_is_that_of_all_samples():
    draws = draw_bernoulli(torch.empty(50, 5000), (0.3, 0.3)).float().mean(1)
    torch.testing.assert_close(draws, torch.full((50,), 0.3), atol=0.04, rtol=0)


def test_masks_are_drawn_anew_for_every_batch(dataset):
    net = make_net(MaskedNet, dataset, 2)
    first, second = (net.masked_batch(as_batch(dataset), (0.5, 0.5))[3] for _ in range(2))
    assert not torch.equal(first, second)


def test_only_observed_values_are_shown(dataset):
    net = make_net(MaskedNet, dataset, 2)
    _, profiles, observed, shown = net.masked_batch(as_batch(dataset), (0.5, 0.9))
    assert torch.equal(observed, ~dataset.Y.isnan())
    assert not (shown & ~observed).any()
    assert torch.isfinite(profiles).all()


def test_validation_draws_the_same_masks_in_every_epoch(dataset):
    net = make_net(MaskedNet, dataset, 2)
    batches = RowBatches(dataset, 4)
    for _ in range(2):
        net.history.new_epoch()
        net.run_single_epoch(batches, training=False, prefix="valid", step_fn=net.validation_step)
    assert net.history[0, "valid_reconstruction"] == net.history[1, "valid_reconstruction"]


def test_validation_of_gain_tests_values_that_are_not_shown(dataset):
    """With every observed value shown, reproducing them would look like success."""
    net = make_gain(dataset, observed_rate=(1.0, 1.0))
    net.history.new_epoch()
    batches = RowBatches(dataset, 4)
    net.run_single_epoch(batches, training=False, prefix="valid", step_fn=net.validation_step)
    assert net.history[0, "valid_reconstruction"] > 0.1


def test_scaling_leaves_missing_values_out(dataset):
    net = make_net(MaskedNet, dataset, 2)
    Y = dataset.Y.numpy()
    np.testing.assert_allclose(net.target_scaling_.shift, np.nanmean(Y, axis=0), rtol=1e-6)
    np.testing.assert_allclose(net.target_scaling_.scale, np.nanstd(Y, axis=0), rtol=1e-6)


# --- steps ---


def test_pmi_step_descends_the_error_of_pseudo_missing_values(dataset):
    net = make_net(MaskedNet, dataset, 2, optimizer=torch.optim.SGD)
    module = copy.deepcopy(net.module_)
    state = torch.random.get_rng_state()
    losses = net.train_step(as_batch(dataset))

    torch.random.set_rng_state(state)
    scaled = (dataset.Y - net.target_scaling_.shift) / net.target_scaling_.scale
    mask = ~dataset.Y.isnan()
    shown = mask & (torch.rand(mask.shape) < 0.5)
    scaled = scaled.nan_to_num()
    output = module(dataset.X, scaled * shown, shown.float())
    hidden = mask & ~shown
    per_sample = ((output - scaled) ** 2 * hidden).sum(1) / hidden.sum(1).clamp_min(1)
    loss = per_sample.mean()
    loss.backward()
    torch.testing.assert_close(losses["reconstruction"], loss.detach())
    for now, before in zip(net.module_.parameters(), module.parameters(), strict=True):
        torch.testing.assert_close(now.detach(), before.detach() - 1e-2 * before.grad)


def test_gain_step_is_equations_8_to_13(dataset):
    weights = {"adversarial_weight": 0.7, "reconstruction_weight": 3.0}
    sgd = {"optimizer": torch.optim.SGD, "discriminator_optimizer": torch.optim.SGD}
    net = make_gain(dataset, **weights, **sgd)
    G, D = copy.deepcopy(net.module_), copy.deepcopy(net.discriminator_)
    state = torch.random.get_rng_state()
    losses = net.train_step(as_batch(dataset))

    torch.random.set_rng_state(state)
    c = dataset.X
    x = ((dataset.Y - net.target_scaling_.shift) / net.target_scaling_.scale).nan_to_num()
    m = ~dataset.Y.isnan() & (torch.rand(x.shape) < 0.5)
    b = torch.rand(x.shape) < 0.5
    hint = b * m.float() + 0.5 * (1 - b.float())

    def completed(z):
        output = G(c, x * m, m.float(), z * ~m)
        return output, m * x + ~m * output

    def log_odds_loss(logits, real):
        return softplus(-logits) if real else softplus(logits)

    with torch.no_grad():
        _, filled = completed(torch.randn(x.shape))
    logits = D(c, filled, hint)
    terms = torch.where(m, log_odds_loss(logits, True), log_odds_loss(logits, False)) * ~b
    loss_D = (terms.sum(1) / (1 + (~b).sum(1))).mean()
    loss_D.backward()
    with torch.no_grad():
        for weight in D.parameters():
            weight -= 3e-3 * weight.grad

    output, filled = completed(torch.randn(x.shape))
    on_missing = log_odds_loss(D(c, filled, hint), True) * (~b & ~m)
    adversarial = (on_missing.sum(1) / (1 + (~b).sum(1))).mean()
    error = (((x - output) ** 2 * m).sum(1) / m.sum(1)).mean()
    (0.7 * adversarial + 3.0 * error).backward()

    torch.testing.assert_close(losses["discriminator"], loss_D.detach())
    torch.testing.assert_close(losses["adversarial"], adversarial.detach())
    torch.testing.assert_close(losses["reconstruction"], error.detach())
    for now, mine in zip(net.discriminator_.parameters(), D.parameters(), strict=True):
        torch.testing.assert_close(now.detach(), mine.detach())
    for now, mine in zip(net.module_.parameters(), G.parameters(), strict=True):
        torch.testing.assert_close(now.detach(), mine.detach() - 1e-2 * mine.grad)


def test_gain_without_discriminator_trains_the_imputer_alone(dataset):
    net = make_net(GAINNet, dataset, 3, discriminator=None)
    assert set(net.train_step(as_batch(dataset))) == {"reconstruction"}
    assert not hasattr(net, "discriminator_")


# --- filling ---


@pytest.mark.parametrize("n_samples", [1, 63, 64, 65, 130])
def test_a_sample_is_filled_alone_as_in_company(dataset, n_samples, rng):
    net = make_net(MaskedNet, dataset, 2)
    net.module_.eval()
    profiles = rng.normal(size=(n_samples, N_GENES)).astype(np.float32)
    profiles[:, ::2] = np.nan
    covariates = np.ones((n_samples, 2), dtype=np.float32)
    together = impute_profiles(net, profiles, covariates)
    alone = [impute_profiles(net, profiles[i : i + 1], covariates[:1]) for i in (0, n_samples - 1)]
    np.testing.assert_array_equal(together[[0, -1]], np.concatenate(alone))


def test_observed_values_are_not_touched(dataset, rng):
    net = make_net(MaskedNet, dataset, 2)
    profiles = rng.normal(size=(10, N_GENES))
    profiles[rng.random(profiles.shape) < 0.5] = np.nan
    before = profiles.copy()
    filled = impute_profiles(net, profiles, np.ones((10, 2), dtype=np.float32))
    np.testing.assert_array_equal(profiles, before)
    observed = ~np.isnan(profiles)
    np.testing.assert_array_equal(filled[observed], profiles[observed])
    assert filled.dtype == np.float64
    assert np.isfinite(filled).all()


def test_residual_deviation_is_the_error_at_values_not_shown(dataset):
    """A network that always gives the mean is off by the standard deviation of each gene."""
    net = make_net(MaskedNet, dataset, 2)
    for weight in net.module_.parameters():
        weight.data.zero_()
    rows = torch.arange(N_SAMPLES).repeat(400)  # many masks of the same samples
    spread = residual_deviation(net, PairedRows(dataset.X, dataset.Y, rows))
    expected = torch.sqrt(((dataset.Y - net.target_scaling_.shift) ** 2).nanmean(0))
    np.testing.assert_allclose(spread, expected, rtol=0.05)
