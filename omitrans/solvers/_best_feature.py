"""For each target, the source column that correlates best with it, block by block.

The products of standardised columns are computed in float32. A product that may be the largest
one, given the rounding error of float32, is computed again in float64, so that the winners are
those of a computation in float64 throughout. The full matrix of correlations is never held.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from omitrans.solvers._standardize import standardize
from omitrans.utils._blocks import (
    BLOCK_VALUES,
    CACHE_VALUES,
    column_blocks,
    columns_per_block,
    row_blocks,
)

_MAX_COLUMNS = 4096
_HALF_ULP = 2.0**-24


class BestFeatures(NamedTuple):
    """The source column with the largest squared correlation with each target.

    Attributes
    ----------
    column : ndarray of int of shape (n_targets,)
        Position of the column; -1 if the target, or every column that it may use, is constant.
    r : ndarray of shape (n_targets,), dtype float64
        Pearson's correlation with that column; NaN where `column` is -1.
    """

    column: np.ndarray
    r: np.ndarray


class _Block(NamedTuple):
    """Source columns that vary: their positions, and their values as rows of length 1."""

    columns: np.ndarray
    values: np.ndarray


def best_features(
    X: np.ndarray, Y: np.ndarray, candidates: Sequence[np.ndarray] | None = None
) -> BestFeatures:
    """Find the source column with the largest squared Pearson correlation with each target.

    Correlations whose sizes differ by less than the rounding error of float64 are tied, and the
    first of the tied columns wins. Constant columns never win.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Source table of float32 or float64 without NaN.
    Y : ndarray of shape (n_samples, n_targets)
        Targets of float32 or float64 without NaN.
    candidates : sequence of ndarray of int, default=None
        Source columns, in ascending order, that each target may use. None allows all columns.

    Returns
    -------
    BestFeatures
        The columns and their correlations.
    """
    best = BestFeatures(np.full(Y.shape[1], -1), np.full(Y.shape[1], np.nan))
    if candidates is not None:
        for target, columns in enumerate(candidates):
            y, block = _unit_rows(Y, np.array([target])), _unit_rows(X, columns)
            if len(y.columns):
                r = np.einsum("ij,j->i", block.values, y.values[0])
                _keep(best, np.full(len(r), target), block.columns, r, len(X))
        return best
    targets, positions = _unit_targets(Y)
    for block in _source_blocks(X):
        values = block.values.astype(np.float32)
        for rows, sizes in _products(targets, values):
            genes = positions[rows]
            near, columns = _may_be_best(sizes, best.r[genes], len(X))
            for part in column_blocks(len(X), len(near), CACHE_VALUES):
                found, place = np.unique(near[part], return_inverse=True)
                near_y = _unit_rows(Y, genes[found]).values[place]
                r = np.einsum("ij,ij->i", block.values[columns[part]], near_y)
                _keep(best, genes[near[part]], block.columns[columns[part]], r, len(X))
    return best


def permuted_maxima(
    X: np.ndarray,
    Y: np.ndarray,
    permutations: np.ndarray,
    candidates: Sequence[np.ndarray] | None = None,
) -> np.ndarray:
    """Return the largest squared correlation of each target with permuted source samples.

    Parameters
    ----------
    X, Y, candidates
        As in :func:`best_features`.
    permutations : ndarray of int of shape (n_permutations, n_samples)
        Orders of the samples of X.

    Returns
    -------
    ndarray of shape (n_permutations, n_targets), dtype float64
        Squared correlations, correct to the precision of float32; NaN where the target or all of
        its columns are constant.
    """
    largest = np.full((len(permutations), Y.shape[1]), np.nan)
    if candidates is not None:
        inverse = np.argsort(permutations, axis=1)  # fewer values than the source has
        for target, columns in enumerate(candidates):
            y, block = _unit_rows(Y, np.array([target])), _unit_rows(X, columns)
            if len(y.columns) and len(block.columns):
                r = block.values @ y.values[0][inverse].T
                largest[:, target] = np.minimum(np.abs(r).max(axis=0), 1) ** 2
        return largest
    targets, positions = _unit_targets(Y)
    for block in _source_blocks(X):
        values = block.values.astype(np.float32)
        for k, order in enumerate(permutations):
            for rows, sizes in _products(targets, values[:, order]):
                size = np.minimum(sizes.max(axis=1), 1).astype(np.float64)
                genes = positions[rows]
                largest[k, genes] = np.fmax(largest[k, genes], size**2)
    return largest


def correlations_with(X: np.ndarray, Y: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Return the correlation of each target with one source column of its own.

    Parameters
    ----------
    X, Y : ndarray
        Source and targets, as in :func:`best_features`.
    column : ndarray of int of shape (n_targets,)
        Position of the source column of each target; -1 for none.

    Returns
    -------
    ndarray of shape (n_targets,), dtype float64
        Correlations; NaN without a column, or if one of the two is constant.
    """
    r = np.full(Y.shape[1], np.nan)
    known = np.flatnonzero(column >= 0)
    for part in column_blocks(len(X), len(known), CACHE_VALUES):
        targets = known[part]
        x = standardize(X[:, column[targets]].astype(np.float64), centre=True, scale=True).values
        y = standardize(Y[:, targets].astype(np.float64), centre=True, scale=True).values
        product = np.einsum("ij,ij->j", x, y) / len(X)
        varies = x.any(axis=0) & y.any(axis=0)
        r[targets] = np.where(varies, np.clip(product, -1, 1), np.nan)
    return r


def _unit_rows(table: np.ndarray, columns: np.ndarray | slice) -> _Block:
    """Return those of some columns that vary, centred and of length 1, as rows of float64."""
    positions = np.arange(table.shape[1])[columns]
    if not len(positions):
        return _Block(positions, np.empty((0, len(table))))
    values = np.array(table[:, columns].T, dtype=np.float64, order="C")
    varies = np.empty(len(values), dtype=bool)
    rounding = len(table) ** 1.5 * np.finfo(np.float64).eps
    for rows in row_blocks(len(values), len(table), CACHE_VALUES // 8):
        part = values[rows]
        mean = part.mean(axis=1)
        part -= mean[:, None]
        length = np.sqrt(np.einsum("ij,ij->i", part, part))
        odd = np.flatnonzero(~((length > 1e-150) & (length < 1e150)))
        if len(odd):  # their squares left the range of float64
            size = np.abs(part[odd]).max(axis=1)
            size[size == 0] = 1.0
            part[odd] /= size[:, None]
            mean[odd] /= size
            length[odd] = np.sqrt(np.einsum("ij,ij->i", part[odd], part[odd]))
        # a centred constant column holds only the rounding error of its mean
        varies[rows] = length > rounding * np.abs(mean)
        part /= np.where(length > 0, length, 1)[:, None]
    return _Block(positions, values) if varies.all() else _Block(positions[varies], values[varies])


def _source_blocks(X: np.ndarray) -> Iterator[_Block]:
    step = min(_MAX_COLUMNS, columns_per_block(len(X)))
    for start in range(0, X.shape[1], step):
        block = _unit_rows(X, slice(start, start + step))
        if len(block.columns):
            yield block


def _unit_targets(Y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the targets that vary as float32 rows of length 1, and their positions."""
    rows = np.empty((Y.shape[1], len(Y)), dtype=np.float32)
    positions = np.empty(Y.shape[1], dtype=int)
    stop = 0
    for columns in column_blocks(*Y.shape):
        part = _unit_rows(Y, columns)
        start, stop = stop, stop + len(part.columns)
        rows[start:stop], positions[start:stop] = part.values, part.columns
    return rows[:stop], positions[:stop]


def _products(targets: np.ndarray, values: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield the sizes of the correlations of some targets with all rows of a block."""
    step = columns_per_block(len(values), BLOCK_VALUES)
    room = np.empty((min(step, len(targets)), len(values)), dtype=np.float32)
    for start in range(0, len(targets), step):
        rows = slice(start, min(start + step, len(targets)))
        product = np.matmul(targets[rows], values.T, out=room[: rows.stop - start])
        yield rows, np.abs(product, out=product)


def _may_be_best(
    sizes: np.ndarray, best: np.ndarray, n_samples: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs of row and column that may be the largest of a row and of all before."""
    # bound of the error of a scalar product of two float32 vectors of length 1
    error = (n_samples + 8) * _HALF_ULP
    largest = sizes.max(axis=1).astype(np.float64)
    floor = np.fmax(largest - 2 * error, np.abs(best) - error)
    rows = np.flatnonzero(largest >= floor)
    near = np.flatnonzero(sizes[rows] >= floor[rows, None])  # faster than nonzero of two axes
    found, columns = np.divmod(near, sizes.shape[1])
    return rows[found], columns


def _keep(
    best: BestFeatures, targets: np.ndarray, columns: np.ndarray, r: np.ndarray, n_samples: int
) -> None:
    """Put better correlations into `best`; pairs are sorted by target, then by column."""
    if not len(targets):
        return
    tie = n_samples * np.finfo(np.float64).eps
    starts = np.flatnonzero(np.diff(targets, prepend=-1))
    sizes = np.abs(r)
    largest = np.repeat(np.maximum.reduceat(sizes, starts), np.diff([*starts, len(targets)]))
    tied = np.flatnonzero(sizes >= largest - tie)
    chosen = tied[np.diff(targets[tied], prepend=-1) != 0]  # the first of each target
    before = np.nan_to_num(np.abs(best.r[targets[chosen]]), nan=-1.0)
    chosen = chosen[sizes[chosen] > before + tie]
    best.column[targets[chosen]] = columns[chosen]
    best.r[targets[chosen]] = np.clip(r[chosen], -1, 1)
