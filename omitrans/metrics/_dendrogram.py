"""Complete-linkage dendrograms of genes, held as an order of leaves and heights between them.

In the order of a dendrogram every cluster is a run of neighbouring leaves. The cophenetic distance
of two leaves, which is the height at which they join, is therefore the largest of the heights
between neighbours on the way from one to the other. So rows of cophenetic distances are running
maxima, and no matrix of them is ever held.
"""

from typing import NamedTuple

import numpy as np

from omitrans.metrics._correlations import PairSums
from omitrans.utils._blocks import CACHE_VALUES, row_blocks

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
    left, right : ndarray of int of shape (n_genes - 1,)
        Numbers of leaves in the two clusters that are joined there.
    """

    order: np.ndarray
    gaps: np.ndarray
    left: np.ndarray
    right: np.ndarray


def complete_linkage(correlations: np.ndarray) -> Dendrogram:
    """Cluster genes by complete linkage of the distances 1 - r.

    Follows chains of nearest neighbours: F. Murtagh, "A survey of recent advances in hierarchical
    clustering algorithms", The Computer Journal 26(4), 1983.

    Parameters
    ----------
    correlations : ndarray of shape (n_genes, n_genes), dtype float32
        Correlations; overwritten, as new memory of this size may take longer than the work.

    Returns
    -------
    Dendrogram
        The same tree as :func:`scipy.cluster.hierarchy.linkage` returns, except where distances
        are equal.
    """
    n_genes = len(correlations)
    first, last = list(range(n_genes)), list(range(n_genes))  # leaf at each end of a cluster
    right, gap = [-1] * n_genes, [0.0] * n_genes  # of a leaf: its right neighbour, height to it
    sizes, left_size, right_size = [1] * n_genes, [0] * n_genes, [0] * n_genes
    rows = _Rows(np.subtract(np.float32(1), correlations, out=correlations))
    chain: list[int] = []
    for n_alive in range(n_genes, 1, -1):
        if n_alive < _SQUEEZE_BELOW * len(rows.distances):
            chain = rows.squeeze(chain)
        if not chain:
            chain.append(rows.any_alive())
        x, y, height = _nearest_pair(rows, chain)
        a, b = rows.clusters[x], rows.clusters[y]
        rows.merge(x, y)
        leaf = last[a]
        right[leaf], gap[leaf] = first[b], height
        left_size[leaf], right_size[leaf] = sizes[a], sizes[b]
        first[b] = first[a]
        sizes[b] += sizes[a]
    root = rows.clusters[rows.any_alive()]
    order = np.empty(n_genes, dtype=np.intp)
    leaf = first[root]
    for position in range(n_genes):
        order[position], leaf = leaf, right[leaf]
    before = order[:-1]
    return Dendrogram(order, *(np.array(each)[before] for each in (gap, left_size, right_size)))


def _nearest_pair(rows: "_Rows", chain: list[int]) -> tuple[int, int, float]:
    """Lengthen the chain until its two ends are nearest neighbours; take them off and return."""
    while True:
        row = rows.row(chain[-1])
        nearest = int(row.argmin())
        if len(chain) > 1 and row[chain[-2]] <= row[nearest]:
            height = float(row[chain[-2]])
            return chain.pop(), chain.pop(), height
        chain.append(nearest)


class _Rows:
    """Distances between clusters, of which a merge changes the row but not the column.

    A write to a column touches another page of memory for every value. Rows hold the distances to
    the parts of a cluster instead, and the largest of them is taken when a row is read.

    Attributes
    ----------
    distances : ndarray of shape (n_rows, n_rows)
        Distances; those of a row to its own parts are infinite.
    clusters : list of int
        Cluster that each row stands for, named by one of its genes.
    """

    def __init__(self, distances: np.ndarray) -> None:
        np.fill_diagonal(distances, np.inf)
        self.distances = distances
        self.clusters = list(range(len(distances)))
        self._forget_merges()

    def _forget_merges(self) -> None:
        n_rows = len(self.distances)
        self._dead = np.zeros(n_rows, dtype=np.float32)  # inf for rows that were merged
        self._row = np.empty(n_rows, dtype=np.float32)
        self._merged = np.empty(n_rows, dtype=np.intp)
        self._into = np.empty(n_rows, dtype=np.intp)
        self._n_merged = 0

    def any_alive(self) -> int:
        return int(self._dead.argmin())

    def row(self, index: int) -> np.ndarray:
        """Return the distances of a cluster; infinite to itself and to dead rows."""
        values = self.distances[index]
        row = np.add(values, self._dead, out=self._row)
        merged = self._merged[: self._n_merged]
        np.maximum.at(row, self._into[: self._n_merged], values.take(merged))
        return row

    def merge(self, x: int, y: int) -> None:
        """Merge the row x into the row y."""
        np.maximum(self.distances[x], self.distances[y], out=self.distances[y])
        self._dead[x] = np.inf
        into = self._into[: self._n_merged]
        into[into == x] = y
        self._merged[self._n_merged], self._into[self._n_merged] = x, y
        self._n_merged += 1

    def squeeze(self, chain: list[int]) -> list[int]:
        """Keep one row and column per cluster, inside the old memory; return the chain's places."""
        alive = np.flatnonzero(self._dead == 0)
        merged = self._merged[: self._n_merged]
        into = np.searchsorted(alive, self._into[: self._n_merged])
        for new, old in enumerate(alive.tolist()):
            values = self.distances[old]
            row = values.take(alive)
            np.maximum.at(row, into, values.take(merged))
            self.distances[new, : len(alive)] = row
        moved = {old: new for new, old in enumerate(alive.tolist())}
        self.distances = self.distances[: len(alive), : len(alive)]
        self.clusters = [self.clusters[old] for old in moved]
        self._forget_merges()
        return [moved[old] for old in chain]


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
    row, shared = np.empty(n_genes), 0.0
    for position in range(n_genes - 1):
        here = place[position]
        np.maximum.accumulate(others[here:], out=row[here + 1 :])
        np.maximum.accumulate(others[:here][::-1], out=row[:here][::-1])
        heights = np.maximum.accumulate(gaps[position:])
        # not x @ z: threads of BLAS cost more than they save on so little
        shared += float(np.einsum("i,i->", heights, row[place[position + 1 :]]))
    n_pairs, x, xx = _sums_of_heights(tree)
    _, z, zz = _sums_of_heights(other)
    return PairSums(n_pairs, x, z, xx, zz, shared)


def cophenetic_correlation(
    tree: Dendrogram, table: np.ndarray, total: float, squares: float
) -> float:
    """Compute Pearson's correlation of the distances 1 - r and the cophenetic distances.

    The sum of r over the pairs that join at one height is the scalar product of the sums of the
    standardised genes in the two clusters.

    Parameters
    ----------
    tree : Dendrogram
        Tree of the genes.
    table : ndarray of shape (n_samples, n_genes)
        Standardised table of which the tree was made.
    total, squares : float
        Sum of r over all pairs of genes, and sum of its squares.

    Returns
    -------
    float
        The cophenetic correlation; NaN if all distances are equal.
    """
    n_genes = len(tree.order)
    middle = np.arange(1, n_genes)
    products = np.zeros(n_genes - 1)
    for rows in row_blocks(len(table), n_genes, CACHE_VALUES):
        until = np.zeros((n_genes + 1, rows.stop - rows.start))  # sum of all genes before a leaf
        np.cumsum(table[rows].T[tree.order], axis=0, dtype=np.float64, out=until[1:])
        left = until[middle] - until[middle - tree.left]
        right = until[middle + tree.right] - until[middle]
        products += np.einsum("ij,ij->i", left, right)
    n_pairs, heights, heights_squared = _sums_of_heights(tree)
    shared = float((tree.gaps - 1) @ products)
    return PairSums(n_pairs, heights, -total, heights_squared, squares, -shared).pearson()


def _sums_of_heights(tree: Dendrogram) -> tuple[float, float, float]:
    """Return the number of pairs, and the sums of their heights less 1 and of its squares."""
    pairs, gaps = (tree.left * tree.right).astype(np.float64), tree.gaps - 1
    return float(pairs.sum()), float(pairs @ gaps), float(pairs @ gaps**2)
