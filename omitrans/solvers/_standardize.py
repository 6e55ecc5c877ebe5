"""Centre and scale the columns of a table into one working copy."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches

from omitrans.utils._blocks import BLOCK_VALUES, columns_per_block


class Standardized(NamedTuple):
    """A table whose columns are ``(column - mean) / scale``, in Fortran order."""

    values: np.ndarray
    mean: np.ndarray
    scale: np.ndarray


def standardize(
    table: np.ndarray, rows: np.ndarray | slice = slice(None), *, centre: bool, scale: bool
) -> Standardized:
    """Copy some rows of `table` with standardised columns; a constant column becomes zero.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_columns)
        Table of float32 or float64, which is not changed.
    rows : ndarray of int or slice, default=slice(None)
        The rows to copy.
    centre : bool
        Whether to subtract the mean of each column.
    scale : bool
        Whether to divide each column by its standard deviation (by its root mean square if it is
        not centred).

    Returns
    -------
    Standardized
        The standardised values in the dtype of `table`. The means (0 if not centred) and the
        scales (1 if not scaled or constant) are float64.
    """
    n_rows, n_columns = len(table[rows, :1]), table.shape[1]
    values = np.empty((n_rows, n_columns), dtype=table.dtype, order="F")
    mean, divisor = np.zeros(n_columns), np.ones(n_columns)
    rounding = n_rows * np.finfo(np.float64).eps
    for columns in gen_batches(n_columns, columns_per_block(n_rows, BLOCK_VALUES)):
        block = table[rows, columns].astype(np.float64)
        if centre:
            mean[columns] = block.mean(axis=0)
            block -= mean[columns]
        with np.errstate(over="ignore"):
            spread = np.sqrt(np.mean(block**2, axis=0))
        spread = spread_of_extremes(spread, block)
        # a centred constant column holds only the rounding error of its mean
        constant = spread <= rounding * np.abs(mean[columns])
        block[:, constant] = 0
        if scale:
            divisor[columns] = np.where(constant, 1.0, spread)
            block /= divisor[columns]
        values[:, columns] = block
    return Standardized(values, mean, divisor)


def spread_of_extremes(spread: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return root mean squares, anew for columns so huge or tiny that their squares were not.

    Parameters
    ----------
    spread : ndarray of shape (n_columns,)
        Root mean square of each column, which is infinite or 0 where squares left the range of
        float64.
    values : ndarray of float64 of shape (n_rows, n_columns)
        The columns.

    Returns
    -------
    ndarray of shape (n_columns,)
        Root mean squares; those of usual columns are as they were.
    """
    odd = np.flatnonzero(~((spread > 1e-150) & (spread < 1e150)))
    if len(odd):
        size = np.abs(values[:, odd]).max(axis=0)
        size[size == 0] = 1.0
        spread[odd] = size * np.sqrt(np.mean((values[:, odd] / size) ** 2, axis=0))
    return spread
