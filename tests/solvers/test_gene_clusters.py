"""Clusters of genes, and which clusters of two tables belong together."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from omitrans.solvers._gene_clusters import cluster_genes, match_clusters


@pytest.mark.parametrize("n_samples", [20, 300])
def test_genes_of_a_programme_are_clustered(n_samples):
    rng = np.random.default_rng(0)
    programme = np.repeat(np.arange(4), [40, 30, 20, 10])
    values = rng.normal(size=(n_samples, 4))[:, programme] + 0.5 * rng.normal(size=(n_samples, 100))
    values *= rng.uniform(0.1, 10, 100)  # the scale of a gene says nothing
    assert adjusted_rand_score(programme, cluster_genes(values, 4, 0)) == 1


def test_matching_shares_the_most_genes_and_the_largest_cluster_comes_first():
    first = np.array([0, 0, 1, 1, 1, 1, 2, 2, 2])
    second = np.array([2, 2, 0, 0, 0, 1, 1, 1, 0])
    np.testing.assert_array_equal(match_clusters(first, second), [[3, 1, 0], [1, 2, 0], [0, 0, 2]])
