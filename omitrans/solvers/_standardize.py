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
        spread = np.sqrt(np.mean(block**2, axis=0))
        # a centred constant column holds only the rounding error of its mean
        constant = spread <= rounding * np.abs(mean[columns])
        block[:, constant] = 0
        if scale:
            divisor[columns] = np.where(constant, 1.0, spread)
            block /= divisor[columns]
        values[:, columns] = block
    return Standardized(values, mean, divisor)
