"""What early stopping of a generator watches, against plain computations."""

import numpy as np
import pytest
import torch

from omitrans import metrics
from omitrans.engine._realism import energy_score, structure_distance


def s_dist(X, Z):
    """As the paper defines it, with tables of genes by genes."""
    pairs = np.triu_indices(X.shape[1], 1)
    A, B = (1 - np.corrcoef(values, rowvar=False)[pairs] for values in (X, Z))
    return np.corrcoef(A, B)[0, 1]


@pytest.mark.parametrize(("n", "m", "n_genes"), [(30, 50, 12), (12, 10, 300)])
def test_structure_distance_is_that_of_the_paper(rng, n, m, n_genes):
    loadings = rng.normal(size=(3, n_genes))
    X, Z = (
        5 + rng.normal(size=(rows, 3)) @ loadings + rng.normal(size=(rows, n_genes))
        for rows in (n, m)
    )
    found = structure_distance(*(torch.from_numpy(values.astype("f4")) for values in (X, Z)))
    assert found == pytest.approx(1 - s_dist(X, Z), abs=2e-4)


def test_structure_distance_and_the_metric_are_the_same_score(rng):
    X, Z = (rng.normal(size=(40, 3)) @ rng.normal(size=(3, 25)) for _ in range(2))
    X, Z = X + rng.normal(size=X.shape), Z + rng.normal(size=Z.shape)
    found = structure_distance(torch.from_numpy(X), torch.from_numpy(Z))
    assert found == pytest.approx(1 - metrics.s_dist(X, Z), abs=1e-6)


def test_constant_genes_are_left_out(rng):
    X, Z = rng.normal(size=(2, 20, 8))
    expected = 1 - s_dist(np.delete(X, [2, 5], axis=1), np.delete(Z, [2, 5], axis=1))
    X[:, 2], Z[:, 5] = 7, 0
    found = structure_distance(torch.from_numpy(X), torch.from_numpy(Z))
    assert found == pytest.approx(expected, abs=1e-6)


def test_nothing_to_compare_counts_as_unrelated(rng):
    X = torch.from_numpy(rng.normal(size=(20, 8)))
    assert structure_distance(X, torch.zeros_like(X)) == 1
    assert structure_distance(X[:, :2], X[:, :2]) == 1
    assert structure_distance(X, X) == pytest.approx(0, abs=1e-6)


def test_energy_score_by_hand():
    real = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    draws = torch.tensor([[[3.0, 4.0], [1.0, 1.0]], [[0.0, 0.0], [1.0, 3.0]]])
    # to the real profile: 5, 0, 0, 2; between the draws: 5 and 2
    expected = ((5 + 0 + 0 + 2) / 4 - (5 + 2) / 2 / 2) / 2**0.5
    assert energy_score(real, draws) == pytest.approx(expected)


def test_energy_score_is_lowest_for_the_true_distribution(rng):
    real = torch.from_numpy(rng.normal(2, 1, size=(400, 5)))

    def score(mean, sd):
        draws = np.random.default_rng(1).normal(mean, sd, size=(16, 400, 5))
        return energy_score(real, torch.from_numpy(draws))

    best = score(2, 1)
    for other in (score(2.5, 1), score(2, 0.6), score(2, 1.5)):
        assert best < other
