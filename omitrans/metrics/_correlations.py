"""Pearson correlations of genes, block by block, and sums over pairs of genes.

All functions take tables as :func:`standardize_pair` returns them.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from omitrans.utils._blocks import CACHE_VALUES, column_blocks, row_blocks


class PairSums(NamedTuple):
    """Sums of two correlations x and z over all pairs of different genes."""

    n: float
    x: float
    z: float
    xx: float
    zz: float
    xz: float

    def pearson(self) -> float:
        """Return Pearson's correlation of x and z; NaN if one of them is the same everywhere."""
        var_x, var_z = self.xx - self.x**2 / self.n, self.zz - self.z**2 / self.n
        # what rounding leaves of a variance that is zero
        if var_x <= 1e-11 * self.xx or var_z <= 1e-11 * self.zz:
            return float("nan")
        shared = self.xz - self.x * self.z / self.n
        return float(np.clip(shared / np.sqrt(var_x * var_z), -1.0, 1.0))

    def cosine(self) -> float:
        """Return the cosine of x and z; 0 if one of them is 0 everywhere."""
        return cosine(self.xz, self.xx, self.zz)


def cosine(xz: float, xx: float, zz: float) -> float:
    """Return xz / sqrt(xx zz), or 0 if a length is 0 up to rounding."""
    if min(xx, zz) <= 1e-20:
        return 0.0
    return float(np.clip(xz / np.sqrt(xx) / np.sqrt(zz), -1.0, 1.0))


def samples_are_few(n_real: int, n_synthetic: int, n_genes: int) -> bool:
    """Return whether products of samples cost less than products of genes.

    Parameters
    ----------
    n_real, n_synthetic, n_genes : int
        Shapes of the two tables.

    Returns
    -------
    bool
        True if :func:`pair_sums` needs no correlation of single genes.
    """
    return 3 * max(n_real, n_synthetic) < n_genes


def pair_sums(real: np.ndarray, synthetic: np.ndarray) -> PairSums:
    """Sum the correlations of all pairs of genes, and their squares and products.

    With few samples the sums come from products of samples: with standardised tables A and B the
    sum of the products of the correlations AᵀA and BᵀB is the sum of the squares of ABᵀ.

    Parameters
    ----------
    real, synthetic : ndarray of shape (n_samples, n_genes)
        Standardised tables.

    Returns
    -------
    PairSums
        Each pair of genes counts once.
    """
    if not samples_are_few(len(real), len(synthetic), real.shape[1]):
        return _sums_of_blocks(
            real.shape[1],
            (
                (real[:, rows].T @ real, synthetic[:, rows].T @ synthetic)
                for rows in row_blocks(real.shape[1], real.shape[1])
            ),
            (_diagonal(real), _diagonal(synthetic)),
        )
    products = [
        np.zeros((len(a), len(b)))
        for a, b in ((real, real), (synthetic, synthetic), (real, synthetic))
    ]
    totals = [np.zeros(len(real)), np.zeros(len(synthetic))]
    for columns in column_blocks(max(len(real), len(synthetic)), real.shape[1]):
        a = real[:, columns].astype(np.float64, copy=False)
        b = synthetic[:, columns].astype(np.float64, copy=False)
        for product, left, right in zip(products, (a, b, a), (a, b, b), strict=True):
            product += left @ right.T
        for total, table in zip(totals, (a, b), strict=True):
            total += table.sum(axis=1)
    xx, zz, xz = (float(np.vdot(product, product)) for product in products)
    x, z = (float(total @ total) for total in totals)
    return _without_diagonal(
        real.shape[1], (x, z, xx, zz, xz), (_diagonal(real), _diagonal(synthetic))
    )


def pair_sums_of_matrices(real: np.ndarray, synthetic: np.ndarray) -> PairSums:
    """Sum as :func:`pair_sums` does, from two matrices of correlations.

    Parameters
    ----------
    real, synthetic : ndarray of shape (n_genes, n_genes)
        Results of :func:`correlation_matrix`.

    Returns
    -------
    PairSums
        Each pair of genes counts once.
    """
    blocks = (
        (real[rows], synthetic[rows]) for rows in row_blocks(len(real), len(real), CACHE_VALUES)
    )
    diagonals = real.diagonal().astype(np.float64), synthetic.diagonal().astype(np.float64)
    return _sums_of_blocks(len(real), blocks, diagonals)


def _diagonal(table: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->j", table, table, dtype=np.float64)


def _sums_of_blocks(
    n_genes: int,
    blocks: Iterable[tuple[np.ndarray, np.ndarray]],
    diagonals: tuple[np.ndarray, np.ndarray],
) -> PairSums:
    sums = np.zeros(5)
    for block_x, block_z in blocks:
        x = np.asarray(block_x, dtype=np.float64)
        z = np.asarray(block_z, dtype=np.float64)
        sums += x.sum(), z.sum(), np.vdot(x, x), np.vdot(z, z), np.vdot(x, z)
    return _without_diagonal(n_genes, tuple(sums.tolist()), diagonals)


def _without_diagonal(
    n_genes: int, sums: tuple[float, ...], diagonals: tuple[np.ndarray, np.ndarray]
) -> PairSums:
    """Return sums over pairs from sums over the square matrix with its diagonal."""
    x, z = diagonals
    own = np.array([x.sum(), z.sum(), x @ x, z @ z, x @ z])
    return PairSums(n_genes * (n_genes - 1) / 2, *((np.array(sums) - own) / 2).tolist())


def correlation_matrix(table: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Compute the correlations of all genes as a square float32 matrix.

    Parameters
    ----------
    table : ndarray of shape (n_samples, n_genes)
        Standardised table.
    out : ndarray of shape (n_genes, n_genes), dtype float32, optional
        Where to write.

    Returns
    -------
    ndarray of shape (n_genes, n_genes), dtype float32
        Correlations in [-1, 1].
    """
    n_genes = table.shape[1]
    table = table.astype(np.float32, copy=False)
    matrix = np.empty((n_genes, n_genes), dtype=np.float32) if out is None else out
    for rows in row_blocks(n_genes, n_genes):
        block = matrix[rows, rows.start :]
        np.matmul(table[:, rows].T, table[:, rows.start :], out=block)
        np.clip(block, -1, 1, out=block)
        matrix[rows.stop :, rows] = block[:, rows.stop - rows.start :].T
    return matrix


def correlations_of_pairs(table: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Compute the correlations of chosen pairs of genes.

    Parameters
    ----------
    table : ndarray of shape (n_samples, n_genes)
        Standardised table.
    first, second : ndarray of int of shape (n_pairs,)
        Columns of the two genes of every pair.

    Returns
    -------
    ndarray of shape (n_pairs,), dtype float64
        Their correlations.
    """
    correlations = np.empty(len(first))
    for pairs in column_blocks(len(table), len(first), CACHE_VALUES):
        correlations[pairs] = np.einsum(
            "ij,ij->j", table[:, first[pairs]], table[:, second[pairs]], dtype=np.float64
        )
    return np.clip(correlations, -1.0, 1.0)
