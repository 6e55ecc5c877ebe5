"""Layers and numbers of weights of the published networks, at 2,000 source and 1,500 targets.

The counts were measured on the authors' own networks. Everything is built on the meta device,
which knows shapes and holds no memory.
"""

from itertools import pairwise

import pytest
import torch

from omitrans.networks import (
    get_discriminator,
    get_generator,
    list_discriminators,
    list_generators,
)

N_SOURCE, N_TARGET = 2_000, 1_500
PAPER_SOURCE, PAPER_TARGET = 39_464, 60_483
CHROMOSOMES = [87] * 22 + [86]

GENERATORS = {
    "fc": (24_048_348, {}),
    "chromosome-fc": (13_033_948, {"groups": CHROMOSOMES}),
    "single-hidden": (14_005_500, {}),
    "variational": (24_179_676, {}),
    "chromosome-variational": (9_891_676, {"groups": CHROMOSOMES}),
    "unet-in": (31_389_697, {}),
    "transformer": (2_212_828, {"n_tokens": 1}),
    "linear": (3_001_500, {}),
}
# the published way up ends at 280 features here, which is what these two are built for
SHORT_UNETS = {"unet-de": (29_668_417, 5), "unet-small": (15_670_721, 10)}
DISCRIMINATORS = {
    "fc": (458_992, 16, {}),
    "chromosome-fc": (261_024, 16, {"groups": CHROMOSOMES}),
    "single-hidden": (225_104, 16, {}),
    "cnn": (24_981_697, 64, {}),
    "cnn-small": (18_710_209, 23, {}),
    "transformer": (506_256, 16, {"n_tokens": 1}),
}


@pytest.fixture(autouse=True)
def meta():
    with torch.device("meta"):
        yield


def count(network):
    return sum(weight.numel() for weight in network.parameters())


def widths(network):
    """Return (inputs, outputs) of each layer with weights, in order."""
    layers = (torch.nn.Linear, torch.nn.Conv1d, torch.nn.ConvTranspose1d)
    found = [layer for layer in network.modules() if isinstance(layer, layers)]
    return [
        (layer.in_features, layer.out_features)
        if isinstance(layer, torch.nn.Linear)
        else (layer.in_channels, layer.out_channels, *layer.kernel_size)
        for layer in found
    ]


@pytest.mark.parametrize("name", GENERATORS)
def test_generator(name):
    expected, params = GENERATORS[name]
    network = get_generator(name)(N_SOURCE, N_TARGET, **params)
    assert count(network) == expected
    assert network.eval()(torch.zeros(2, N_SOURCE)).shape == (2, N_TARGET)


@pytest.mark.parametrize("name", SHORT_UNETS)
def test_unet_for_wide_sources(name):
    expected, last = SHORT_UNETS[name]
    network = get_generator(name)(N_SOURCE, 280, last_stretch=last).eval()
    assert count(network) == expected
    assert network(torch.zeros(2, N_SOURCE)).shape == (2, 280)
    with pytest.raises(ValueError, match=r"makes 280 of 2000 .* Use last_stretch="):
        get_generator(name)(N_SOURCE, N_TARGET, last_stretch=last)
    # all probes of a 450K array to all genes: the published factor is the one that suffices
    array = get_generator(name)(392_761, PAPER_TARGET)
    assert array.stretch[-1].stride == (last,)


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_discriminator(name):
    expected, n_logits, params = DISCRIMINATORS[name]
    network = get_discriminator(name)(N_TARGET, N_SOURCE, **params).eval()
    assert count(network) == expected
    assert network(torch.zeros(2, N_TARGET), torch.zeros(2, N_SOURCE)).shape == (2, n_logits)


def test_layers_of_figure_4():
    layers = widths(get_generator("unet-in")(N_SOURCE, N_TARGET))
    doubles = [(1, 64), (64, 128), (128, 256), (256, 512), (512, 1024)]
    down = [(n, m, 9) for a, b in doubles for n, m in ((a, b), (b, b))]
    assert layers[:10] == down
    assert layers[10:14] == [(1024, 512, 4), (512, 256, 2), (256, 128, 2), (128, 64, 2)]
    assert layers[-5:-1] == [(512, 512, 2), (256, 256, 2), (128, 128, 2), (64, 64, 2)]
    assert layers[-1] == (64, 1, 1)


def test_layers_of_the_chromosome_generator():
    layers = widths(get_generator("chromosome-fc")(N_SOURCE, N_TARGET, groups=CHROMOSOMES))
    assert layers[:23] == [(n, 256) for n in CHROMOSOMES]
    trunk = [5_888, 1_024, 512, 256, 512, 1_024, 2_048, N_TARGET]
    assert layers[23:] == list(pairwise(trunk))


def test_layers_of_figure_5():
    network = get_discriminator("cnn-small")(PAPER_TARGET, PAPER_SOURCE).eval()
    layers = widths(network)
    assert layers[:3] == [(1, 64, 9), (64, 64, 9), (64, 64, 9)]  # target
    assert layers[3:6] == [(1, 64, 9), (64, 64, 9), (64, 64, 2)]  # source, made twice as long
    doubles = [(128, 256), (256, 512), (512, 1024)]
    assert layers[6:12] == [(n, m, 9) for a, b in doubles for n, m in ((a, b), (b, b))]
    assert layers[12:] == [(1024, 1, 3)]
    logits = network(torch.zeros(2, PAPER_TARGET), torch.zeros(2, PAPER_SOURCE))
    assert logits.shape == (2, 945)


def test_layers_of_the_longer_convolutional_discriminator():
    layers = widths(get_discriminator("cnn")(PAPER_TARGET, PAPER_SOURCE))
    assert layers[:12] == widths(get_discriminator("cnn-small")(PAPER_TARGET, PAPER_SOURCE))[:12]
    narrowing = [(a, b, 9) for a, b in pairwise([1024, 512, 256, 128, 64])]
    assert layers[12:] == [*narrowing, (64, 1, 1), (945, 64), (64, 64)]


@pytest.mark.parametrize("name", list_generators())
def test_generators_reach_the_papers_width(name):
    network = get_generator(name)(PAPER_SOURCE, PAPER_TARGET).eval()
    assert network(torch.zeros(2, PAPER_SOURCE)).shape == (2, PAPER_TARGET)


@pytest.mark.parametrize("name", list_discriminators())
def test_discriminators_take_the_papers_width(name):
    network = get_discriminator(name)(PAPER_TARGET, PAPER_SOURCE).eval()
    logits = network(torch.zeros(2, PAPER_TARGET), torch.zeros(2, PAPER_SOURCE))
    assert len(logits) == 2
