"""The published settings build the published networks and training."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from omitrans import OmiTransRegressor
from omitrans.networks.discriminators._chromosome_fc import ChromosomeFCDiscriminator
from omitrans.networks.discriminators._cnn_small import CNNSmallDiscriminator
from omitrans.networks.generators._unet_in import UNetInGenerator

ENCODER_DECODER = [40, 4096, 1024, 512, 256, 512, 1024, 4096, 30]


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(0)
    return rng.random((8, 40), dtype=np.float32), rng.random((8, 30), dtype=np.float32)


def fit(name, tables, **params):
    preset = OmiTransRegressor.from_preset(
        name, max_epochs=1, decay_epochs=0, random_state=0, **params
    )
    return preset.fit(*tables)


def widths(network):
    layers = [layer for layer in network.modules() if isinstance(layer, torch.nn.Linear)]
    return [(layer.in_features, layer.out_features) for layer in layers]


@pytest.mark.parametrize("name", ["paper-fc", "paper-cgan"])
def test_fully_connected_presets(name, tables):
    net = fit(name, tables).net_
    assert widths(net.module_) == list(pairwise(ENCODER_DECODER))
    # the first layer of the discriminator reads both profiles: 30 + 40 -> 128
    assert widths(net.discriminator_) == [(30, 128), (40, 128), (128, 64), (64, 32), (32, 16)]
    rates = [m.p for m in net.module_.modules() if isinstance(m, torch.nn.Dropout)]
    assert rates == [0.2] * 7
    assert net.reconstruction_weight == (0.0 if name == "paper-cgan" else 100.0)


@pytest.mark.slow
def test_convolutional_preset(tables):
    net = fit("paper-cnn", tables).net_
    assert isinstance(net.module_, UNetInGenerator)
    assert isinstance(net.discriminator_, CNNSmallDiscriminator)
    assert [block[0].out_channels for block in net.module_.down] == [128, 256, 512, 1024]
    assert net.module_.first[0].kernel_size == (9,)


def test_preset_of_the_repository(tables):
    net = fit("repo-default", tables, column_groups=[25, 10, 5]).net_
    expected = [(25, 256), (10, 256), (5, 256), (768, 1024), (1024, 512), (512, 256), (256, 512)]
    assert widths(net.module_) == [*expected, (512, 1024), (1024, 2048), (2048, 30)]
    assert isinstance(net.discriminator_, ChromosomeFCDiscriminator)
    logits = net.discriminator_(*(torch.from_numpy(table) for table in tables[::-1]))
    torch.testing.assert_close(logits.mean(1), torch.zeros(8), atol=1e-5, rtol=0)
    assert not any(isinstance(m, torch.nn.Dropout) for m in net.module_.modules())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("paper-fc", {"lr": 1e-4, "batch_size": 128, "max_epochs": 800, "decay_epochs": 100}),
        ("paper-cnn", {"lr": 1e-4, "batch_size": 128, "max_epochs": 800, "decay_epochs": 100}),
        ("paper-cgan", {"reconstruction_weight": 0.0, "reconstruction_loss": "l1"}),
        ("repo-default", {"lr": 2e-4, "batch_size": 4, "max_epochs": 100, "decay_epochs": 0}),
    ],
)
def test_training_of_presets(name, expected):
    params = OmiTransRegressor.from_preset(name).get_params()
    assert {key: params[key] for key in expected} == expected
    assert not params["early_stopping"]
