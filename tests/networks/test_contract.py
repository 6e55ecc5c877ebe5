"""What every registered network must do; a new one is tested without an edit here."""

import inspect

import pytest
import torch
from torch import nn

from omitrans.exceptions import UnknownNameError
from omitrans.networks import (
    DiscriminatorNet,
    GeneratorNet,
    get_discriminator,
    get_generator,
    list_discriminators,
    list_generators,
    register_generator,
)

N_SOURCE, N_TARGET, N_SAMPLES = 37, 23, 6
# Convolutions with the published 64 filters would take most of the tests' time.
CONVOLUTIONAL = ("unet-in", "unet-de", "unet-small", "cnn", "cnn-small")
NARROW = {name: {"n_filters": 4} for name in CONVOLUTIONAL}
NETWORKS = [("generator", name) for name in list_generators()] + [
    ("discriminator", name) for name in list_discriminators()
]


def build(kind, name):
    """Return the network in evaluation mode, and a function that applies it to rows of a pair."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if kind == "generator":
            network = get_generator(name)(N_SOURCE, N_TARGET, **NARROW.get(name, {})).eval()
            return network, lambda X, Y: network(X)
        network = get_discriminator(name)(N_TARGET, N_SOURCE, **NARROW.get(name, {})).eval()
        return network, lambda X, Y: network(Y, X)


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(1)
    X = torch.rand(N_SAMPLES, N_SOURCE, generator=generator)
    return X, torch.rand(N_SAMPLES, N_TARGET, generator=generator)


def test_registries_hold_the_published_networks():
    assert set(list_generators()) >= {
        "chromosome-fc",
        "chromosome-variational",
        "fc",
        "linear",
        "single-hidden",
        "transformer",
        "unet-de",
        "unet-in",
        "unet-small",
        "variational",
    }
    assert set(list_discriminators()) >= {
        "chromosome-fc",
        "cnn",
        "cnn-small",
        "fc",
        "single-hidden",
        "transformer",
    }


@pytest.mark.parametrize(("kind", "name"), NETWORKS)
class TestEveryNetwork:
    def test_shape_and_dtype(self, kind, name, pair):
        network, apply = build(kind, name)
        output = apply(*pair)
        assert output.dtype == torch.float32
        assert output.ndim == 2
        assert len(output) == N_SAMPLES
        if kind == "generator":
            assert output.shape[1] == N_TARGET
            assert isinstance(network, GeneratorNet)
        else:
            assert isinstance(network, DiscriminatorNet)

    def test_every_weight_gets_a_gradient(self, kind, name, pair):
        network, apply = build(kind, name)
        loss = apply(*pair).square().sum()
        if hasattr(network, "forward_with_penalty"):
            loss = loss + network.forward_with_penalty(pair[0])[1]
        loss.backward()
        for label, weight in network.named_parameters():
            assert weight.grad is not None, label
            assert torch.isfinite(weight.grad).all(), label
            assert (weight.grad != 0).any(), label

    def test_a_sample_does_not_depend_on_its_batch(self, kind, name, pair):
        X, Y = pair
        _, apply = build(kind, name)
        together = apply(X, Y).detach()
        close = {"rtol": 1e-4, "atol": 1e-4 * float(together.abs().max())}  # outputs may be tiny
        for i in range(N_SAMPLES):
            torch.testing.assert_close(apply(X[i : i + 1], Y[i : i + 1])[0], together[i], **close)

    def test_same_seed_same_weights(self, kind, name, pair):
        first, second = build(kind, name)[1](*pair), build(kind, name)[1](*pair)
        assert torch.equal(first, second)

    def test_state_dict_round_trip(self, kind, name, pair):
        network, apply = build(kind, name)
        other, apply_other = build(kind, name)
        for weight in other.parameters():
            nn.init.constant_(weight, 0.5)
        assert not torch.equal(apply(*pair), apply_other(*pair))
        other.load_state_dict(network.state_dict())
        assert torch.equal(apply(*pair), apply_other(*pair))

    def test_parameters_after_the_widths_are_keywords_with_defaults(self, kind, name, pair):
        cls = get_generator(name) if kind == "generator" else get_discriminator(name)
        first, second, *others = inspect.signature(cls).parameters.values()
        expected = ["n_source", "n_target"] if kind == "generator" else ["n_target", "n_source"]
        assert [first.name, second.name] == expected
        for parameter in others:
            assert parameter.kind is parameter.KEYWORD_ONLY, parameter
            assert parameter.default is not parameter.empty, parameter


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(
        UnknownNameError, match=r"Unknown generator 'fcc'. Available: .*fc.*mean 'fc'"
    ):
        get_generator("fcc")


def test_taken_name_is_refused():
    with pytest.raises(ValueError, match="'fc' is taken by FCGenerator"):
        register_generator("fc")(nn.Linear)
