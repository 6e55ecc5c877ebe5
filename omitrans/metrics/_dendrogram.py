"""Complete-linkage dendrograms of genes, held as an order of leaves and heights between them.

In the order of a dendrogram every cluster is a run of neighbouring leaves. The cophenetic distance
of two leaves, which is the height at which they join, is therefore the largest of the heights
between neighbours on the way from one to the other. So rows of cophenetic distances are running
maxima, and no matrix of them is ever held.
"""

from typing import NamedTuple

import numpy as np

from omitrans.metrics._correlations import PairSums

# rows and columns of merged clusters are squeezed out when fewer than this share are alive
_SQUEEZE_BELOW = 0.7


class Dendrogram(NamedTuple):
    """A tree of genes with monotone heights.

    Attributes
    ----------
    order : ndarray of int of shape (n_genes,)
        Genes in the order of the leaves.
    gaps : ndarray of shape (n_genes - 1,)
        Height at which each leaf joins its right neighbour.
    """

    order: np.ndarray
    gaps: np.ndarray


def complete_linkage(correlations: np.ndarray) -> Dendrogram:
    """Cluster genes by complete linkage of the distances 1 - r.

    Follows chains of nearest neighbours: F. Murtagh, "A survey of recent advances in hierarchical
    clustering algorithms", The Computer Journal 26(4), 1983.

    Parameters
    ----------
    correlations : ndarray of shape (n_genes, n_genes), dtype float32
        Correlations; not changed.

    Returns
    -------
    Dendrogram
        The same tree as :func:`scipy.cluster.hierarchy.linkage` returns, except where distances
        are equal.
    """
    distances = np.subtract(np.float32(1), correlations)
    np.fill_diagonal(distances, np.inf)
    n_genes = len(distances)
    first, last = list(range(n_genes)), list(range(n_genes))  # leaf at each end of a cluster
    right, gap = [-1] * n_genes, [0.0] * n_genes  # of a leaf: its right neighbour, height to it
    slots = list(range(n_genes))  # cluster that each row stands for
    dead = np.zeros(n_genes, dtype=np.float32)  # inf for rows that were merged into others
    chain: list[int] = []
    for n_alive in range(n_genes, 1, -1):
        if n_alive < _SQUEEZE_BELOW * len(distances):
            distances, dead, slots, chain = _squeeze(distances, dead, slots, chain)
        if not chain:
            chain.append(int(dead.argmin()))
        x, y, height = _nearest_pair(distances, dead, chain)
        np.maximum(distances[x], distances[y], out=distances[y])
        distances[:, y] = distances[y]
        dead[x] = np.inf
        a, b = slots[x], slots[y]
        right[last[a]], gap[last[a]] = first[b], height
        first[b] = first[a]
    root = slots[int(dead.argmin())]
    order = np.empty(n_genes, dtype=np.intp)
    leaf = first[root]
    for position in range(n_genes):
        order[position], leaf = leaf, right[leaf]
    return Dendrogram(order, np.array(gap)[order[:-1]])


def _nearest_pair(
    distances: np.ndarray, dead: np.ndarray, chain: list[int]
) -> tuple[int, int, float]:
    """Lengthen the chain until its two ends are nearest neighbours; take them off and return."""
    row = np.empty_like(dead)
    while True:
        end = chain[-1]
        np.add(distances[end], dead, out=row)
        nearest = int(row.argmin())
        if len(chain) > 1 and row[chain[-2]] <= row[nearest]:
            height = float(row[chain[-2]])
            return chain.pop(), chain.pop(), height
        chain.append(nearest)


def _squeeze(
    distances: np.ndarray, dead: np.ndarray, slots: list[int], chain: list[int]
) -> tuple[np.ndarray, np.ndarray, list[int], list[int]]:
    """Keep the rows and columns that are alive, inside the memory of the old ones."""
    alive = np.flatnonzero(dead == 0)
    for new, old in enumerate(alive.tolist()):
        distances[new, : len(alive)] = distances[old, alive]
    moved = {old: new for new, old in enumerate(alive.tolist())}
    return (
        distances[: len(alive), : len(alive)],
        np.zeros(len(alive), dtype=np.float32),
        [slots[old] for old in moved],
        [moved[old] for old in chain],
    )


def cophenetic_sums(tree: Dendrogram, other: Dendrogram) -> PairSums:
    """Sum the cophenetic distances of two trees over all pairs of genes.

    Parameters
    ----------
    tree, other : Dendrogram
        Trees of the same genes.

    Returns
    -------
    PairSums
        Sums of ``tree`` (x) and ``other`` (z), both less 1, which leaves Pearson's correlation
        as it is.
    """
    n_genes = len(tree.order)
    place = np.empty(n_genes, dtype=np.intp)  # of a gene among the leaves of the other tree
    place[other.order] = np.arange(n_genes)
    place = place[tree.order]
    gaps, others = tree.gaps - 1, other.gaps - 1
    row, sums = np.empty(n_genes), np.zeros(5)
    for position in range(n_genes - 1):
        here = place[position]
        np.maximum.accumulate(others[here:], out=row[here + 1 :])
        np.maximum.accumulate(others[:here][::-1], out=row[:here][::-1])
        _add(sums, np.maximum.accumulate(gaps[position:]), row[place[position + 1 :]])
    return PairSums(n_genes * (n_genes - 1) / 2, *sums.tolist())


def cophenetic_correlation(tree: Dendrogram, correlations: np.ndarray) -> float:
    """Compute Pearson's correlation of the distances 1 - r and the cophenetic distances.

    Parameters
    ----------
    tree : Dendrogram
        Tree of the genes.
    correlations : ndarray of shape (n_genes, n_genes)
        Correlations of which the tree was made.

    Returns
    -------
    float
        The cophenetic correlation; NaN if all distances are equal.
    """
    n_genes, sums, gaps = len(tree.order), np.zeros(5), tree.gaps - 1
    for position in range(n_genes - 1):
        pairs = correlations[tree.order[position]][tree.order[position + 1 :]]
        _add(sums, np.maximum.accumulate(gaps[position:]), -pairs.astype(np.float64))
    return PairSums(n_genes * (n_genes - 1) / 2, *sums.tolist()).pearson()


def _add(sums: np.ndarray, x: np.ndarray, z: np.ndarray) -> None:
    sums += x.sum(), z.sum(), x @ x, z @ z, x @ z
