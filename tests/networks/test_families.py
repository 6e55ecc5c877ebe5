"""What single families of networks promise beyond the common contract."""

import pytest
import torch
from torch import nn

from omitrans.networks import get_discriminator, get_generator

N_SOURCE, N_TARGET = 30, 12

pytestmark = pytest.mark.usefixtures("own_random_numbers")


@pytest.mark.parametrize("name", ["chromosome-fc", "chromosome-variational"])
def test_every_chromosome_is_read_by_its_own_block(name):
    network = get_generator(name)(N_SOURCE, N_TARGET, groups=[20, 9, 1]).eval()
    X = torch.rand(2, N_SOURCE)
    changed = X.clone()
    changed[:, -1] += 1  # the last group, such as a single probe of chromosome Y
    before, after = network.chromosomes(X), network.chromosomes(changed)
    width = before.shape[1] // 3
    assert torch.equal(before[:, : 2 * width], after[:, : 2 * width])
    assert len(network.chromosomes.blocks) == 3
    assert not torch.equal(network.chromosomes.blocks[2][0](X[:, -1:]), before[:, -width:])


@pytest.mark.parametrize("groups", [[20, 9], [30, 0], []])
def test_groups_must_add_up(groups):
    with pytest.raises(ValueError, match="add up to the 30 source features"):
        get_generator("chromosome-fc")(N_SOURCE, N_TARGET, groups=groups)
    with pytest.raises(ValueError, match="add up to the 30 source features"):
        get_discriminator("chromosome-fc")(N_TARGET, N_SOURCE, groups=groups)


def test_published_chromosome_discriminator_cannot_beat_chance():
    network = get_discriminator("chromosome-fc")(N_TARGET, N_SOURCE, normalize_logits=True)
    for weight in network.parameters():
        nn.init.normal_(weight, 0, 3)
    logits = network(torch.randn(500, N_TARGET), torch.randn(500, N_SOURCE))
    for real in (True, False):
        loss = nn.functional.softplus(-logits if real else logits).mean()
        assert loss >= 0.6931  # ln 2
    free = get_discriminator("chromosome-fc")(N_TARGET, N_SOURCE)
    nn.init.constant_(free.output[0].bias, 10.0)
    logits = free(torch.randn(5, N_TARGET), torch.randn(5, N_SOURCE))
    assert nn.functional.softplus(-logits).mean() < 0.01


@pytest.mark.parametrize("name", ["variational", "chromosome-variational"])
def test_variational_networks_draw_in_training_only(name):
    network = get_generator(name)(N_SOURCE, N_TARGET, dropout=0.0, kl_weight=2.0)
    X = torch.rand(4, N_SOURCE)
    assert not torch.equal(network(X), network(X))
    network.eval()
    assert torch.equal(network(X), network(X))
    output, penalty = network.forward_with_penalty(X)
    assert torch.equal(output, network(X))
    assert penalty.ndim == 0
    assert penalty > 0


def test_divergence_is_that_of_normal_distributions():
    network = get_generator("variational")(N_SOURCE, N_TARGET, hidden_layer_sizes=()).eval()
    X = torch.rand(4, N_SOURCE)
    _, penalty = network.forward_with_penalty(X)
    mean, log_variance = network.bottleneck.mean(X), network.bottleneck.log_variance(X)
    drawn = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    expected = torch.distributions.kl_divergence(drawn, torch.distributions.Normal(0.0, 1.0))
    torch.testing.assert_close(penalty, expected.mean())


@pytest.mark.parametrize("name", ["unet-in", "unet-de", "unet-small"])
@pytest.mark.parametrize(("n_source", "n_target"), [(1, 1), (5, 300), (700, 20), (257, 257)])
def test_unets_reach_any_width(name, n_source, n_target):
    network = get_generator(name)(n_source, n_target, n_filters=2)
    assert network(torch.rand(1, n_source)).shape == (1, n_target)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("unet-in", [0.0, 0.3, 0.0, 0.3]),
        ("unet-de", [0.0, 0.3, 0.0, 0.3]),
        ("unet-small", [0.3, 0.3]),
    ],
)
def test_unets_drop_at_the_published_places(name, expected):
    network = get_generator(name)(N_SOURCE, N_TARGET, n_filters=2, dropout=0.3)
    assert [layer.p for layer in network.dropouts] == expected
    calls = []
    for layer in network.dropouts:
        layer.register_forward_hook(lambda layer, inputs, output: calls.append(layer.p))
    network(torch.rand(2, N_SOURCE))
    assert calls == expected * 2  # on the way down, and on the way up


def test_scales_of_batch_normalisation_are_drawn():
    network = get_generator("unet-small")(N_SOURCE, N_TARGET)
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm1d)]
    scales = torch.cat([layer.weight.detach() for layer in norms])
    assert abs(float(scales.mean()) - 1) < 0.002
    assert float(scales.std()) == pytest.approx(0.02, rel=0.1)
    assert all((layer.bias == 0).all() for layer in norms)


@pytest.mark.parametrize(("name", "reads_all"), [("unet-in", False), ("unet-de", True)])
def test_published_unet_does_not_read_the_end_of_the_source(name, reads_all):
    n_source, n_target = 4_096, 6_000
    network = get_generator(name)(n_source, n_target, n_filters=2).eval()
    for weight in network.parameters():
        nn.init.uniform_(weight, 0.1, 0.2)  # positive, so that nothing cancels
    X = torch.rand(1, n_source, requires_grad=True)
    network(X).sum().backward()
    read = X.grad[0] != 0
    assert read[: n_target // 2].all()
    assert read[n_target // 2 + 500 :].any() == reads_all


@pytest.mark.parametrize("name", ["cnn", "cnn-small"])
@pytest.mark.parametrize("crop_source", [False, True])
def test_cropping_hides_the_end_of_the_source(name, crop_source):
    n_source, n_target = 4_000, 5_000  # made twice as long, 3,000 of 8,000 positions are left over
    network = get_discriminator(name)(n_target, n_source, n_filters=2, crop_source=crop_source)
    X = torch.rand(2, n_source, requires_grad=True)
    network.eval()(torch.rand(2, n_target), X).sum().backward()
    read = X.grad.abs().amax(0) > 0
    assert read[:2_000].float().mean() > 0.5
    assert read[3_000:].any() == (not crop_source)


def test_unet_needs_odd_kernels():
    with pytest.raises(ValueError, match=r"kernel_size must be odd\. Got 8"):
        get_generator("unet-in")(N_SOURCE, N_TARGET, kernel_size=8)


def test_attention_runs_among_the_tokens_of_a_sample():
    network = get_generator("transformer")(
        N_SOURCE, N_TARGET, latent_dim=6, n_tokens=3, dropout=0.0
    )
    assert network.attention.layer.self_attn.num_heads == 6  # 8 does not divide 6
    h = torch.rand(2, 18)
    changed = h.clone()
    changed[0, :6] += 1
    before, after = network.attention(h), network.attention(changed)
    assert not torch.allclose(before[0, 6:], after[0, 6:])
    assert torch.equal(before[1], after[1])


def test_single_hidden_layer_as_tdimpute_has_it():
    network = get_generator("single-hidden")(
        N_SOURCE, N_TARGET, n_hidden=50, output_sigmoid=True, init="glorot"
    )
    output = network(100 * torch.randn(20, N_SOURCE))
    assert 0 <= output.min() <= output.max() <= 1
    bound = (6 / (N_SOURCE + 50)) ** 0.5
    assert 0.9 * bound < network.hidden.weight.abs().max() <= bound
    with pytest.raises(ValueError, match=r"init of a network must be one of .* Got 'he'"):
        get_generator("single-hidden")(N_SOURCE, N_TARGET, init="he")
