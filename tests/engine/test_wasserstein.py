"""Training steps of the WGAN-GP against ones written out by hand, and when it is validated."""

import copy

import numpy as np
import pytest
import torch

from omitrans.engine import PairedRows, ProfileNoise, RowBatches, WassersteinNet, generate_profiles
from omitrans.losses import wasserstein_loss
from omitrans.networks.wasserstein import ConditionalMLP

pytestmark = pytest.mark.usefixtures("own_random_numbers")

N_SAMPLES, N_GENES, NOISE_DIM = 24, 12, 3


@pytest.fixture
def dataset(rng):
    Y = torch.from_numpy(rng.normal(3, 2, size=(N_SAMPLES, N_GENES)).astype(np.float32))
    X = torch.ones(N_SAMPLES, 2)
    X[:, 0] = torch.arange(N_SAMPLES) % 3 + 1
    return PairedRows(X, Y)


def make_net(dataset, *, augmentation=0.0, frozen=False, **options):
    networks = {"n_categories": (3,), "hidden_layer_sizes": (8, 6)}
    generator = {"n_source": 2, "n_target": N_GENES, "n_inputs": NOISE_DIM, **networks}
    critic = {"n_covariates": 2, "n_outputs": 1, "n_inputs": N_GENES, **networks}
    options = {
        "n_critic": 2,
        "gp_weight": 10.0,
        "target_scaling": "standard",
        "optimizer": torch.optim.SGD,
        "discriminator_optimizer": torch.optim.SGD,
        "discriminator_optimizer__lr": 3e-3,
        "lr": 1e-2,
        "iterator_train": RowBatches,
        "batch_size": 8,
        "train_split": None,
        "max_epochs": 7,
        **options,
    }
    net = WassersteinNet(
        ConditionalMLP,
        wasserstein_loss,
        discriminator=ConditionalMLP,
        noise=ProfileNoise(augmentation, 0.5, frozen),
        **{f"module__{name}": value for name, value in generator.items()},
        **{f"discriminator__{name}": value for name, value in critic.items()},
        **options,
    ).initialize()
    net.prepare(dataset)
    return net


def test_a_round_is_equation_3(dataset):
    net = make_net(dataset)
    G, D = copy.deepcopy(net.module_), copy.deepcopy(net.discriminator_)
    batch = dataset.X[:8], dataset.Y[:8]
    state = torch.random.get_rng_state()
    losses = net.train_step(batch)

    torch.random.set_rng_state(state)
    c, x = batch
    x = (x - net.target_scaling_.shift) / net.target_scaling_.scale
    for _ in range(2):
        z, alpha = torch.randn(8, NOISE_DIM), torch.rand(8, 1)
        fake = G(c, z).detach()
        mixed = (alpha * x + (1 - alpha) * fake).requires_grad_(True)
        (slope,) = torch.autograd.grad(D(c, mixed).sum(), mixed, create_graph=True)
        penalty = ((slope.norm(dim=1) - 1) ** 2).mean()
        distance = D(c, fake).mean() - D(c, x).mean()
        D.zero_grad()
        (distance + 10 * penalty).backward()
        with torch.no_grad():
            for weight in D.parameters():
                weight -= 3e-3 * weight.grad
    deceived = -D(c, G(c, torch.randn(8, NOISE_DIM))).mean()
    deceived.backward()
    with torch.no_grad():
        for weight in G.parameters():
            weight -= 1e-2 * weight.grad

    torch.testing.assert_close(losses["critic"], distance.detach())
    torch.testing.assert_close(losses["critic_penalty"], penalty.detach())
    torch.testing.assert_close(losses["adversarial"], deceived.detach())
    for network, mine in ((net.module_, G), (net.discriminator_, D)):
        for now, expected in zip(network.parameters(), mine.parameters(), strict=True):
            torch.testing.assert_close(now.detach(), expected.detach(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("n_critic", [1, 4])
def test_steps_are_counted(dataset, n_critic):
    net = make_net(dataset, n_critic=n_critic)
    steps = {"critic": 0, "generator": 0}

    def count(player):
        def add(*_):
            steps[player] += 1

        return add

    net.discriminator_optimizer_.register_step_post_hook(count("critic"))
    net.optimizer_.register_step_post_hook(count("generator"))
    net.train_step((dataset.X, dataset.Y))
    assert steps == {"critic": n_critic, "generator": 1}


def test_players_have_embeddings_of_their_own(dataset):
    net = make_net(dataset)
    weights = [net_.covariates.embeddings[0].weight for net_ in (net.module_, net.discriminator_)]
    assert not torch.equal(*weights)


def test_the_mean_of_the_generators(dataset):
    net = make_net(dataset, weight_averaging=0.75, n_critic=1)
    expected = net.module_.output.weight.detach().clone()
    for _ in range(3):
        net.train_step((dataset.X, dataset.Y))
        expected = 0.75 * expected + 0.25 * net.module_.output.weight.detach()
    torch.testing.assert_close(net.average_.output.weight, expected)
    assert net.result_network() is net.average_
    net.on_train_end(net)
    torch.testing.assert_close(net.module_.output.weight.detach(), expected)


# --- noise on what the critic sees ---


def test_noise_is_drawn_anew_for_a_share_of_the_samples():
    noise = ProfileNoise(0.25, 0.5, False)
    zeros = torch.zeros(4000, 20)
    real, generated = noise.before_critic(zeros, zeros)
    noisy = (real != 0).any(1)
    assert 0.2 < noisy.float().mean() < 0.3
    assert torch.equal(noisy, (generated != 0).any(1))
    assert real[noisy].std() == pytest.approx(0.5, rel=0.05)
    assert not torch.equal(real, noise.before_critic(zeros, zeros)[0])
    assert not torch.equal(real, generated)


def test_frozen_noise_is_that_of_the_authors_code():
    noise = ProfileNoise(0.5, 0.5, True)
    noise.prepare(32, 20, torch.device("cpu"))
    zeros = torch.zeros(32, 20)
    real, generated = noise.before_critic(zeros, zeros)
    again, generated_again = noise.before_critic(zeros, zeros)
    assert torch.equal(real, again)
    assert torch.equal(generated, generated_again)
    assert torch.equal(noise.before_generator(zeros), noise.before_generator(zeros))
    noisy = (real != 0).any(1)
    assert 0 < noisy.sum() < 32
    assert len(torch.unique(generated[noisy], dim=0)) == 1  # one vector for all samples
    assert len(torch.unique(real[noisy], dim=0)) == noisy.sum()
    shorter, _ = noise.before_critic(zeros[:5], zeros[:5])  # the last batch of an epoch
    assert torch.equal(shorter, real[:5])


def test_without_noise_profiles_are_as_they_were():
    noise = ProfileNoise(0.0, 0.5, False)
    profiles = torch.ones(3, 4)
    assert noise.before_critic(profiles, profiles)[0] is profiles
    assert noise.before_generator(profiles) is profiles


# --- validation ---


def validated_epochs(net, dataset, name):
    batches = RowBatches(dataset, 8)
    for _ in range(net.max_epochs):
        net.history.new_epoch()
        net.run_single_epoch(batches, False, "valid", net.validation_step)
    return [epoch for epoch, row in enumerate(net.history, 1) if name in row]


def test_validation_comes_every_few_epochs_and_last(dataset):
    net = make_net(dataset, validate_every=3)
    net.monitor = "valid_structure"
    assert validated_epochs(net, dataset, "valid_structure") == [3, 6, 7]
    values = [row["valid_structure"] for row in net.history if "valid_structure" in row]
    assert len(set(values)) == 1  # the same noise each time


@pytest.mark.parametrize(
    ("n_validation", "score", "column"),
    [
        (10, "s_dist", "valid_structure"),
        (9, "s_dist", "valid_energy"),
        (10, "energy", "valid_energy"),
    ],
)
def test_few_samples_are_compared_by_energy(dataset, n_validation, score, column):
    net = make_net(dataset, validation_score=score)
    net.prepare(dataset.subset(torch.arange(N_SAMPLES - n_validation)))
    assert net.monitor == column


def test_rows_do_not_depend_on_those_after_them(dataset):
    net = make_net(dataset)
    net.trim_for_prediction()
    covariates = np.tile(dataset.X.numpy(), (6, 1))

    def draw(n_rows):
        return generate_profiles(net, covariates[:n_rows], np.random.default_rng(3), np.float32)

    whole = draw(len(covariates))
    for n_rows in (1, 63, 64, 65, 130):
        np.testing.assert_array_equal(draw(n_rows), whole[:n_rows])
