"""Clusters of genes that change together, and which clusters of two tables belong together."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans

from omitrans.solvers._low_rank import leading_vectors

_N_COMPONENTS = 50  # of the samples, in which genes are compared


def cluster_genes(values: np.ndarray, n_clusters: int, seed: int) -> np.ndarray:
    """Return the cluster of each gene, by its course over the samples (k-means).

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_genes)
        Expression. With more than 50 samples, the courses are compared in the first 50 principal
        components.
    n_clusters : int
        Number of clusters.
    seed : int
        Seed of the starts, and of the random projections that find components of large tables.

    Returns
    -------
    ndarray of int of shape (n_genes,)
        Number of the cluster.
    """
    spread = values.std(axis=0)
    genes = ((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)).T
    if min(genes.shape) > _N_COMPONENTS:
        left, lengths, _ = leading_vectors(genes, _N_COMPONENTS, seed)
        genes = left * lengths
    found: np.ndarray = KMeans(n_clusters, n_init=10, random_state=seed).fit_predict(genes)
    return found


def match_clusters(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return how many genes the clusters of two tables share, with matching clusters on a diagonal.

    Parameters
    ----------
    first, second : ndarray of int of shape (n_genes,)
        Clusters of the same genes in two tables.

    Returns
    -------
    ndarray of int of shape (n_clusters, n_clusters)
        Numbers of shared genes. Rows are clusters of the first table, the largest first. Columns
        are clusters of the second table in the order of their rows; they are matched one to one so
        that as many genes as possible are shared.
    """
    n_clusters = max(first.max(), second.max()) + 1
    shared = np.zeros((n_clusters, n_clusters), dtype=int)
    np.add.at(shared, (first, second), 1)
    rows, columns = linear_sum_assignment(-shared)
    order = np.argsort(-shared.sum(axis=1), kind="stable")
    return shared[np.ix_(rows[order], columns[order])]
