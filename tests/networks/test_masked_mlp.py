"""The perceptron of the imputers: shapes, published sizes, covariates."""

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn.functional import one_hot

from omitrans.networks.imputers import CovariateEmbedding, MaskedMLP, embedding_dim

pytestmark = pytest.mark.usefixtures("own_random_numbers")


@pytest.mark.parametrize(("v", "d"), [(1, 2), (2, 2), (3, 2), (4, 3), (49, 8), (26, 6)])
def test_width_of_an_embedding(v, d):
    assert embedding_dim(v) == d


def count(network):
    return sum(weight.numel() for weight in network.parameters())


def gtex(n_profiles, sizes, n_genes=12_557):
    """Return a network of the paper's size, without memory: 49 tissues, 2 sexes, 3 cohorts, age."""
    with torch.device("meta"):
        return MaskedMLP(
            4,
            n_genes,
            n_profiles=n_profiles,
            n_categories=(49, 2, 3),
            hidden_layer_sizes=sizes,
        )


# one more row an embedding than published: the unknown category
EMBEDDINGS = 50 * 8 + 3 * 2 + 4 * 2
CONTEXT = 8 + 2 + 2 + 1


@pytest.mark.parametrize(
    ("n_profiles", "sizes"),
    [(2, (3072,)), (2, (1366, 1366)), (3, (1902,) * 4), (3, (296,) * 3), (3, (2403,))],
)
def test_published_sizes(n_profiles, sizes):
    n = 12_557
    widths = [n_profiles * n + CONTEXT, *sizes, n]
    dense = sum((a + 1) * b for a, b in pairwise(widths))
    assert count(gtex(n_profiles, sizes)) == EMBEDDINGS + dense + 2 * sum(sizes)


def test_golden_count_of_the_inductive_pmi():
    assert count(gtex(2, (3072,))) == 115_787_435


def test_the_first_layer_is_that_of_the_concatenation():
    """Summed products and one-hot embeddings equal one dense layer of all inputs."""
    network = MaskedMLP(2, 5, n_categories=(3,), hidden_layer_sizes=(4,), norm="none").eval()
    covariates = torch.tensor([[1.0, 0.5], [3.0, -0.5]])
    values, mask = torch.randn(2, 5), torch.ones(2, 5)
    table = network.covariates.embeddings[0].weight
    embedded = one_hot(covariates[:, 0].long(), 4).float() @ table
    inputs = torch.cat([values, mask, embedded, covariates[:, 1:]], dim=1)
    layers = [*network.from_profiles, network.from_covariates]
    weight = torch.cat([layer.weight for layer in layers], dim=1)
    hidden = inputs @ weight.T + network.from_profiles[0].bias
    expected = network.output(hidden.relu())
    torch.testing.assert_close(network(covariates, values, mask), expected)


def test_hidden_layers_are_in_the_published_order():
    network = MaskedMLP(0, 5, hidden_layer_sizes=(4, 3), dropout=0.1)
    block = [nn.BatchNorm1d, nn.ReLU, nn.Dropout]
    kinds = [*block, nn.Linear, *block]
    assert all(isinstance(layer, kind) for layer, kind in zip(network.hidden, kinds, strict=True))


def test_every_weight_gets_a_gradient():
    network = MaskedMLP(2, 5, n_profiles=3, n_categories=(2,), hidden_layer_sizes=(4, 4))
    covariates = torch.tensor([[1.0, 0.5], [2.0, 1.5], [1.0, 0.0]])
    network(covariates, *torch.randn(3, 3, 5)).square().sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


def test_a_single_sample_trains_on_running_statistics():
    network = MaskedMLP(0, 5, hidden_layer_sizes=(4,))
    assert network.training
    alone = network(torch.empty(1, 0), torch.randn(1, 5), torch.ones(1, 5))
    assert torch.isfinite(alone).all()


def test_unknown_category_lies_amid_the_known_ones():
    embedding = CovariateEmbedding((3, 2), 0)
    before = embedding.embeddings[1].weight.detach().clone()
    embedding.settle_unknown([True, False])
    first, second = (layer.weight for layer in embedding.embeddings)
    torch.testing.assert_close(first[0], first[1:].mean(0))
    torch.testing.assert_close(second, before, rtol=0, atol=0)


def test_unknown_norm_is_refused():
    with pytest.raises(ValueError, match="must be one of"):
        MaskedMLP(0, 5, norm="layer")
