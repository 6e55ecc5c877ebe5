"""The perceptron of both players of the WGAN-GP: shapes, sizes, and slopes against autograd."""

import pytest
import torch

from omitrans.losses import gradient_penalty
from omitrans.networks.wasserstein import ConditionalMLP

pytestmark = pytest.mark.usefixtures("own_random_numbers")


def make_critic(sizes=(17, 16, 15), n_categories=(3,)):
    return ConditionalMLP(
        1 + len(n_categories), 1, n_inputs=9, n_categories=n_categories, hidden_layer_sizes=sizes
    ).double()


@pytest.fixture
def batch():
    """Covariates, real and generated profiles, and shares of the real one."""
    covariates = torch.tensor([[1.0, 0.5], [3.0, -1.0], [2.0, 0.1], [1.0, 0.0]]).double()
    return covariates, *torch.randn(2, 4, 9).double(), torch.rand(4, 1).double()


def test_published_sizes():
    """15 tissues, 2 sexes and 2 conditions with age, 18,154 genes."""
    with torch.device("meta"):
        options = {"n_categories": (15, 2, 2), "hidden_layer_sizes": (256, 256)}
        generator = ConditionalMLP(4, 18_154, n_inputs=64, **options)
        critic = ConditionalMLP(4, 1, n_inputs=18_154, **options)
    context = 4 + 2 + 2 + 1
    embeddings = 16 * 4 + 3 * 2 + 3 * 2  # one more row than categories: the missing category
    hidden = 256 * 256 + 256
    for network, n_in, n_out in ((generator, 64, 18_154), (critic, 18_154, 1)):
        count = sum(weight.numel() for weight in network.parameters())
        dense = (n_in + context + 1) * 256 + hidden + 257 * n_out
        assert count == embeddings + dense


def test_the_first_layer_is_that_of_the_concatenation(batch):
    covariates, profiles, *_ = batch
    network = make_critic((4,))
    embedded = network.covariates.embeddings[0].weight[covariates[:, 0].long()]
    inputs = torch.cat([profiles, embedded, covariates[:, 1:]], dim=1)
    weight = torch.cat([network.from_values.weight, network.from_covariates.weight], dim=1)
    hidden = (inputs @ weight.T + network.from_values.bias).relu()
    torch.testing.assert_close(network(covariates, profiles), network.output(hidden))


@pytest.mark.parametrize("sizes", [(16,), (17, 16), (17, 16, 15)])
@pytest.mark.parametrize("n_categories", [(3,), ()])
def test_slopes_and_their_gradients_are_those_of_autograd(batch, sizes, n_categories):
    """The penalised loss and all its gradients, against a double backward."""
    covariates, real, generated, share = batch
    covariates = covariates[:, 1 - len(n_categories) :]
    critic = make_critic(sizes, n_categories)
    on_real, on_generated, slopes = critic.compare(covariates, real, generated, share)
    loss = on_generated.mean() - on_real.mean() + 10 * gradient_penalty(slopes)
    found = torch.autograd.grad(loss, list(critic.parameters()))

    mixed = (share * real + (1 - share) * generated).requires_grad_(True)
    score = critic(covariates, mixed).sum()
    (expected_slopes,) = torch.autograd.grad(score, mixed, create_graph=True)
    penalty = ((expected_slopes.square().sum(1).sqrt() - 1) ** 2).mean()
    distance = critic(covariates, generated).mean() - critic(covariates, real).mean()
    expected = torch.autograd.grad(distance + 10 * penalty, list(critic.parameters()))
    torch.testing.assert_close(slopes, expected_slopes)
    torch.testing.assert_close(found, expected)


def test_a_critic_without_active_units_has_no_slope():
    critic = make_critic((4,), ())
    torch.nn.init.constant_(critic.from_values.bias, -1e6)
    covariates, (real, generated) = torch.zeros(3, 1).double(), torch.randn(2, 3, 9).double()
    *_, slopes = critic.compare(covariates, real, generated, torch.rand(3, 1))
    penalty = gradient_penalty(slopes)
    penalty.backward()
    assert penalty == 1
    gradients = [weight.grad for weight in critic.parameters() if weight.grad is not None]
    assert gradients
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


def test_every_weight_gets_a_gradient(batch):
    covariates, *_ = batch
    generator = ConditionalMLP(2, 9, n_inputs=5, n_categories=(3,), hidden_layer_sizes=(16, 16))
    generator(covariates.float(), torch.randn(4, 5)).square().sum().backward()
    assert all(weight.grad is not None for weight in generator.parameters())
