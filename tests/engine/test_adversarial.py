"""The training step against one written out by hand from the paper's equations 3-6."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from omitrans.engine import AdversarialNet, OmicsNet, PairedRows, RowBatches
from omitrans.engine._adversarial import frozen
from omitrans.engine._net import penalty_of_noise
from omitrans.exceptions import TrainingDivergedError
from omitrans.losses import ADVERSARIAL_LOSSES, RECONSTRUCTION_LOSSES
from omitrans.networks import get_discriminator, get_generator

N_SOURCE, N_TARGET, N_SAMPLES, LAMBDA = 7, 5, 12, 10.0


@pytest.fixture
def dataset(rng):
    X = torch.from_numpy(rng.random((N_SAMPLES, N_SOURCE), dtype=np.float32))
    return PairedRows(X, torch.from_numpy(rng.random((N_SAMPLES, N_TARGET), dtype=np.float32)))


def make_net(**options):
    options = {
        "module__n_source": N_SOURCE,
        "module__n_target": N_TARGET,
        "module__hidden_layer_sizes": (6,),
        "module__latent_dim": 4,
        "module__dropout": 0.0,
        "discriminator": get_discriminator("fc"),
        "discriminator__n_target": N_TARGET,
        "discriminator__n_source": N_SOURCE,
        "adversarial_loss": ADVERSARIAL_LOSSES["vanilla"],
        "reconstruction_weight": LAMBDA,
        "optimizer": torch.optim.Adam,
        "discriminator_optimizer__lr": 3e-3,
        "lr": 1e-3,
        "iterator_train": RowBatches,
        "batch_size": 4,
        "max_epochs": 3,
        "train_split": None,
        **options,
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return AdversarialNet(
            get_generator("fc"), RECONSTRUCTION_LOSSES["l1"], **options
        ).initialize()


def train_by_hand(net, dataset, weight=LAMBDA):
    """Take the net's weights through the same batches with nothing but torch."""
    G = get_generator("fc")(N_SOURCE, N_TARGET, hidden_layer_sizes=(6,), latent_dim=4, dropout=0.0)
    D = get_discriminator("fc")(N_TARGET, N_SOURCE)
    G.load_state_dict(net.module_.state_dict())
    D.load_state_dict(net.discriminator_.state_dict())
    step_G = torch.optim.Adam(G.parameters(), lr=1e-3)
    step_D = torch.optim.Adam(D.parameters(), lr=3e-3)
    ones, zeros = torch.ones(4, 16), torch.zeros(4, 16)
    for _ in range(3):
        for start in range(0, N_SAMPLES, 4):
            x, y = dataset.X[start : start + 4], dataset.Y[start : start + 4]
            bce = F.binary_cross_entropy_with_logits
            loss_D = (bce(D(y, x), ones) + bce(D(G(x).detach(), x), zeros)) / 2
            step_D.zero_grad()
            loss_D.backward()
            step_D.step()
            loss_G = bce(D(G(x), x), ones) + weight * (y - G(x)).abs().mean()
            step_G.zero_grad()
            loss_G.backward()
            step_G.step()
    return G, D


@pytest.mark.parametrize("weight", [LAMBDA, 0.0])  # 0 is the plain conditional GAN
def test_training_follows_the_equations(dataset, weight):
    with torch.random.fork_rng():
        net = make_net(reconstruction_weight=weight)
        G, D = train_by_hand(net, dataset, weight)
        net.partial_fit(dataset)
    for ours, theirs in ((net.module_, G), (net.discriminator_, D)):
        for weight, expected in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(weight, expected, rtol=1e-4, atol=1e-6)


def test_history_holds_the_losses_of_every_epoch(dataset):
    net = make_net().partial_fit(dataset)
    for name in ("train_reconstruction", "train_adversarial", "train_discriminator"):
        assert len(net.history[:, name]) == 3
        assert np.isfinite(net.history[:, name]).all()


@pytest.mark.parametrize(("weight", "same"), [(0.0, True), (LAMBDA, False)])
def test_with_weight_zero_no_distance_reaches_the_generator(dataset, weight, same):
    """With λ = 0 the real target reaches the generator only through the discriminator."""
    distances = ("l1", "mse")
    nets = [make_net(reconstruction_weight=weight) for _ in distances]
    for net, distance in zip(nets, distances, strict=True):
        net.criterion_ = RECONSTRUCTION_LOSSES[distance]
        net.partial_fit(dataset)
    first, second = (torch.cat([w.flatten() for w in net.module_.parameters()]) for net in nets)
    assert torch.equal(first, second) is same


def test_discriminator_learns_to_tell_real_from_generated(rng):
    X = torch.from_numpy(rng.random((64, N_SOURCE), dtype=np.float32))
    data = PairedRows(X, 5 + X[:, :N_TARGET])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        # a generator that hardly moves
        net = make_net(max_epochs=60, lr=1e-8, batch_size=16).partial_fit(data)
    losses = net.history[:, "train_discriminator"]
    assert losses[0] > 0.6
    assert losses[-1] < 0.1


def test_steps_compute_no_gradient_of_the_other_network(dataset):
    """Each backward pass leaves the other network's gradients as they are."""
    net = make_net()
    seen = []
    for network in (net.module_, net.discriminator_):
        counted = {"n": 0}
        for weight in network.parameters():
            weight.register_post_accumulate_grad_hook(
                lambda _, counted=counted: counted.update(n=counted["n"] + 1)
            )
        seen.append((counted, len(list(network.parameters()))))
    net.train_step((dataset.X, dataset.Y))
    for counted, n_weights in seen:
        assert counted["n"] == n_weights  # once each, in its own step


def test_frozen_restores_what_was_trainable(dataset):
    network = make_net().discriminator_
    network.output.bias.requires_grad_(False)
    with frozen(network):
        assert not any(weight.requires_grad for weight in network.parameters())
    trainable = [name for name, weight in network.named_parameters() if weight.requires_grad]
    assert "output.weight" in trainable
    assert "output.bias" not in trainable


def test_a_loss_that_is_not_finite_says_what_to_do(dataset):
    dataset.X[0, 0] = float("nan")
    with pytest.raises(TrainingDivergedError, match=r"train_\w+ became nan in epoch 1.*Lower lr"):
        make_net().partial_fit(dataset)


def test_bf16_products_keep_float32_weights_and_losses(dataset):
    net = make_net(compute_dtype=torch.bfloat16).partial_fit(dataset)
    assert {weight.dtype for weight in net.module_.parameters()} == {torch.float32}
    exact = make_net().partial_fit(dataset)
    ours, theirs = (n.history[-1, "train_reconstruction"] for n in (net, exact))
    assert ours != theirs
    assert ours == pytest.approx(theirs, rel=0.05)


def test_net_without_discriminator_is_an_ordinary_regression(dataset):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = OmicsNet(
            get_generator("fc"),
            RECONSTRUCTION_LOSSES["mse"],
            module__n_source=N_SOURCE,
            module__n_target=N_TARGET,
            module__hidden_layer_sizes=(32,),
            module__dropout=0.0,
            optimizer=torch.optim.Adam,
            lr=1e-2,
            iterator_train=RowBatches,
            batch_size=12,
            max_epochs=300,
            train_split=None,
        ).partial_fit(dataset)
    assert net.history[-1, "train_reconstruction"] < 0.05 * net.history[0, "train_reconstruction"]


@pytest.mark.parametrize("shape", [(300, 100, 50), (400, 40, 200)])
def test_penalty_is_the_size_of_what_noise_explains(rng, shape):
    """The largest singular value of uncorrelated features times noise, by simulation."""
    n_samples, n_source, n_target = shape
    X = np.sqrt(n_samples) * np.linalg.qr(rng.normal(size=(n_samples, n_source)))[0]
    noise = rng.normal(size=(n_samples, n_target))
    largest = np.linalg.svd(X.T @ noise, compute_uv=False)[0]
    penalty = penalty_of_noise(*shape) * n_samples * n_target
    assert penalty == pytest.approx(largest, rel=0.1)


def test_penalty_reaches_the_generator_only_and_follows_the_weight(dataset):
    net = make_net(alpha=2.0)
    net.prepare(dataset)
    expected = LAMBDA * 2.0 * penalty_of_noise(N_SAMPLES, N_SOURCE, N_TARGET)
    assert net.optimizer_.param_groups[0]["weight_decay"] == pytest.approx(expected)
    assert net.discriminator_optimizer_.param_groups[0]["weight_decay"] == 0
