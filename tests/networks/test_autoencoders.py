"""The autoencoder with a classifier: widths, published numbers of weights, one sample alone."""

import numpy as np
import pytest
import torch

from omitrans.networks.autoencoders import ClassifyingAutoencoder, OmicsBlock

CHROMOSOMES = [87] * 22 + [86]
EXPRESSION, METHYLATION = range(1_500), range(1_500, 3_500)
SMALL = {"hidden_layer_sizes": (8, 6, 5), "latent_dim": 4, "head_layer_sizes": (7,)}


pytestmark = pytest.mark.usefixtures("own_random_numbers")


def build(n_source=12, n_classes=3, **params):
    return ClassifyingAutoencoder(n_source, n_classes, **{**SMALL, **params})


def count(network):
    return sum(weight.numel() for weight in network.parameters())


# Measured on the authors' own networks, at 1,500 genes, 2,000 probes and 5 classes.
@pytest.mark.parametrize(
    ("blocks", "first", "n_weights"),
    [
        ([OmicsBlock(EXPRESSION)], 1_024, 6_431_452),
        ([OmicsBlock(METHYLATION, CHROMOSOMES)], 1_024, 7_815_632),
        ([OmicsBlock(EXPRESSION), OmicsBlock(METHYLATION, CHROMOSOMES)], 2_048, 19_222_444),
    ],
    ids=["expression", "methylation", "both"],
)
def test_number_of_weights_is_published(blocks, first, n_weights):
    with torch.device("meta"):
        network = ClassifyingAutoencoder(
            3_500, 5, blocks=blocks, hidden_layer_sizes=(first, 1_024, 512)
        )
    assert count(network.head) == 25_477
    assert count(network) == n_weights + 25_477


@pytest.mark.parametrize("norm", ["batch", "sample", "none"])
@pytest.mark.parametrize(
    "blocks",
    [None, [OmicsBlock([3, 0, 7]), OmicsBlock([11, 1, 2, 4], (3, 1))]],
    ids=["one", "two"],
)
def test_a_sample_alone_is_that_of_a_batch(norm, blocks):
    network = build(norm=norm, blocks=blocks)
    X = torch.randn(9, 12, generator=torch.Generator().manual_seed(1))
    network.train()
    network.reconstruct(X)  # moves the running statistics
    network.eval()
    together = network(X)
    assert together.shape == (9, 4 + 3)
    assert torch.equal(network.embed(X), together[:, :4])
    for i in range(len(X)):
        torch.testing.assert_close(network(X[i : i + 1])[0], together[i], rtol=1e-5, atol=1e-6)


def test_a_block_reads_its_own_columns_only():
    network = build(blocks=[OmicsBlock([3, 0]), OmicsBlock([5, 6, 7])]).eval()
    X = torch.randn(4, 12, generator=torch.Generator().manual_seed(1))
    other = X.clone()
    other[:, [1, 2, 4, 8, 9, 10, 11]] = 100.0
    assert torch.equal(network(X), network(other))
    _, pairs, _ = network.reconstruct(X)
    assert [decoded.shape[1] for decoded, _ in pairs] == [2, 3]
    np.testing.assert_array_equal(pairs[0][1], X[:, [3, 0]])
    np.testing.assert_array_equal(pairs[1][1], X[:, 5:8])


def test_the_decoder_reads_a_drawn_vector_in_training_and_the_mean_elsewhere():
    network = build(dropout=0.0, norm="none")
    X = torch.randn(5, 12, generator=torch.Generator().manual_seed(1))
    first, second = (network.train().reconstruct(X)[1][0][0] for _ in range(2))
    assert not torch.equal(first, second)
    first, second = (network.eval().reconstruct(X)[1][0][0] for _ in range(2))
    assert torch.equal(first, second)


def test_a_batch_of_one_sample_can_be_trained_on():
    mean, pairs, divergence = build().train().reconstruct(torch.ones(1, 12))
    assert torch.isfinite(mean).all()
    assert torch.isfinite(pairs[0][0]).all()
    assert torch.isfinite(divergence)


def test_unknown_norm_is_refused():
    with pytest.raises(ValueError, match=r"one of \('batch', 'sample', 'none'\). Got 'layer'"):
        build(norm="layer")


def test_one_width_is_refused():
    with pytest.raises(ValueError, match=r"two widths at least.*Got \(8,\)"):
        build(hidden_layer_sizes=(8,))


def test_groups_must_add_up():
    with pytest.raises(ValueError, match="add up to the 4 columns of the block; they add up to 3"):
        build(blocks=[OmicsBlock(range(4), (2, 1))])
