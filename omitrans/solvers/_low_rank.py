"""Low-rank approximation of a table with missing values."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches
from sklearn.utils.extmath import randomized_svd

from omitrans.utils._blocks import BLOCK_VALUES, rows_per_block

# Between these sizes squares and their sums neither overflow nor vanish in float32.
_SQUARES_FIT = 1e-10, 1e10


class LowRank(NamedTuple):
    """The result of :func:`complete`.

    Attributes
    ----------
    table : ndarray of shape (n_rows, n_columns)
        The completed table.
    components : ndarray of shape (rank, n_columns)
        Right singular vectors of the completed table.
    n_iter : int
        Number of decompositions.
    change : float
        Relative squared change of the filled values in the last round.
    """

    table: np.ndarray
    components: np.ndarray
    n_iter: int
    change: float


def complete(
    table: np.ndarray, fill: np.ndarray, *, rank: int, max_iter: int, tol: float, seed: int
) -> LowRank:
    """Fill the NaN of a table by repeated truncated singular value decompositions.

    The rounds end when the filled values change by less than `tol`. The rank of the first rounds
    doubles from 1 until it reaches `rank`.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_columns)
        Table of floats, which is not changed.
    fill : ndarray of shape (n_columns,)
        Number that replaces the NaN of each column in the first round.
    rank : int
        Number of singular vectors to compute.
    max_iter : int
        Maximum number of decompositions.
    tol : float
        The rounds end when the squared change of the filled values, divided by their sum of
        squares, falls below this value.
    seed : int
        Seed of each randomized decomposition.

    Returns
    -------
    LowRank
        The completed table and its right singular vectors.
    """
    filled = table.copy()
    blocks = list(gen_batches(len(table), rows_per_block(table.shape[1], BLOCK_VALUES)))
    n_holes = 0
    for rows in blocks:
        holes = np.isnan(filled[rows])
        filled[rows][holes] = np.broadcast_to(fill, holes.shape)[holes]
        n_holes += int(holes.sum())
    n_iter, change = 0, np.inf
    while n_iter < max_iter:
        used = min(2**n_iter, rank) if n_holes else rank
        left, values, components = leading_vectors(filled, used, seed)
        left *= values
        changed, total = 0.0, 0.0
        for rows in blocks:
            holes = np.isnan(table[rows])
            if not holes.any():
                continue
            new, old = (left[rows] @ components)[holes], filled[rows][holes]
            # squared in float64, where they neither overflow nor vanish
            changed += float(np.sum(np.subtract(new, old, dtype=np.float64) ** 2))
            total += float(np.sum(np.square(old, dtype=np.float64)))
            filled[rows][holes] = new
        n_iter += 1
        change = changed / total if total > 0 else changed
        if used == rank and change < tol:
            break
    return LowRank(filled, components, n_iter, change)


def leading_vectors(
    table: np.ndarray, rank: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the leading singular vectors and values of a table, by random projections.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_columns)
        Table of finite floats.
    rank : int
        Number of singular vectors to compute.
    seed : int
        Seed of the random projections.

    Returns
    -------
    left : ndarray of shape (n_rows, rank)
        Left singular vectors.
    values : ndarray of shape (rank,)
        Singular values.
    components : ndarray of shape (rank, n_columns)
        Right singular vectors.
    """
    largest = max(table.max(), -table.min())
    unit = table.dtype.type(1)
    if not _SQUARES_FIT[0] < largest < _SQUARES_FIT[1]:
        unit = np.exp2(np.frexp(largest)[1]).astype(table.dtype)
        table = table / unit
    left, values, components = randomized_svd(
        table, rank, power_iteration_normalizer="QR", random_state=seed
    )
    return left, values * unit, components


def project(sample: np.ndarray, components: np.ndarray) -> np.ndarray:
    """Fill the NaN of one sample from the combination of components nearest to its known values.

    Parameters
    ----------
    sample : ndarray of shape (n_columns,)
        The sample, which is not changed.
    components : ndarray of shape (rank, n_columns)
        Right singular vectors.

    Returns
    -------
    ndarray of shape (n_columns,)
        A copy of the sample without NaN.
    """
    holes = np.isnan(sample)
    seen = components[:, ~holes].astype(np.float64)
    scores = np.linalg.lstsq(seen.T, sample[~holes].astype(np.float64), rcond=None)[0]
    filled = sample.copy()
    filled[holes] = scores @ components[:, holes]
    return filled
