"""The fully connected networks against the published layer tables and parameter counts."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from omitrans.networks import get_discriminator, get_generator

pytestmark = pytest.mark.usefixtures("own_random_numbers")


def widths(network):
    return [(m.in_features, m.out_features) for m in network.modules() if isinstance(m, nn.Linear)]


def test_generator_has_the_published_layers_and_count():
    generator = get_generator("fc")(2000, 1500)
    layers = [2000, 4096, 1024, 512, 256, 512, 1024, 4096, 1500]
    assert widths(generator) == list(pairwise(layers))
    assert sum(weight.numel() for weight in generator.parameters()) == 24_048_348


def test_discriminator_has_the_published_layers_and_count():
    discriminator = get_discriminator("fc")(1500, 2000)
    assert widths(discriminator) == [(1500, 128), (2000, 128), (128, 64), (64, 32), (32, 16)]
    assert sum(weight.numel() for weight in discriminator.parameters()) == 458_992


def test_block_order_is_linear_norm_dropout_activation():
    block = get_generator("fc")(10, 10, hidden_layer_sizes=(8,), latent_dim=4).hidden[0]
    kinds = [type(module).__name__ for module in block.modules() if not list(module.children())]
    assert kinds == ["Linear", "LayerNorm", "Dropout", "LeakyReLU"]


def test_norm_standardises_each_sample_without_learned_parameters():
    block = get_generator("fc")(10, 10, hidden_layer_sizes=(64,), latent_dim=4).hidden[0]
    norm = block[1][0]
    assert list(norm.parameters()) == []
    out = norm(torch.randn(5, 64) * 7 + 3)
    torch.testing.assert_close(out.mean(1), torch.zeros(5), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.std(1, correction=0), torch.ones(5), atol=1e-4, rtol=0)


def test_discriminator_output_is_not_normalised():
    logits = get_discriminator("fc")(30, 20)(torch.randn(50, 30), torch.randn(50, 20))
    assert logits.mean(1).abs().max() > 1e-3


def test_initialisation_is_normal_with_sd_002_and_zero_bias():
    generator = get_generator("fc")(300, 200)
    named = {name: p.detach() for name, p in generator.named_parameters()}
    weights = torch.cat([p.flatten() for name, p in named.items() if "weight" in name])
    assert abs(float(weights.mean())) < 1e-4
    assert float(weights.std()) == pytest.approx(0.02, rel=0.01)
    assert all((p == 0).all() for name, p in named.items() if "bias" in name)


def test_folded_concatenation_equals_a_linear_layer_on_the_concatenation():
    discriminator = get_discriminator("fc")(30, 20)
    Y, X = torch.randn(4, 30), torch.randn(4, 20)
    pair = discriminator.pair
    whole = nn.Linear(50, 128)
    with torch.no_grad():
        whole.weight.copy_(torch.cat([pair.first.weight, pair.second.weight], dim=1))
        whole.bias.copy_(pair.first.bias)
    torch.testing.assert_close(pair(Y, X), whole(torch.cat([Y, X], dim=1)))


def test_unknown_norm_is_refused():
    with pytest.raises(ValueError, match=r"must be one of .*'sample'.* Got 'batch'"):
        get_generator("fc")(5, 5, norm="batch")


@pytest.mark.parametrize("n_target", [1, 2, 3, 5, 8, 9, 17])
@pytest.mark.parametrize("n_source", [9, 33, 101])
def test_a_sample_has_the_same_result_at_every_place_of_a_batch(n_source, n_target):
    network = get_generator("fc")(n_source, n_target, hidden_layer_sizes=(7,), latent_dim=3).eval()
    sample = torch.randn(n_source)
    with torch.inference_mode():
        results = []
        for place in range(64):
            batch = torch.randn(64, n_source)
            batch[place] = sample
            results.append(network(batch)[place])
    assert all(torch.equal(result, results[0]) for result in results)
