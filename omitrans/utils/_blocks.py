"""Sizes of the blocks in which tables are processed.

A step that needs a temporary table, such as a mask or a copy in float64, makes it for one block
after the other, so that its memory does not grow with the table.

================ ========= =====================================================================
Constant         Numbers   For
================ ========= =====================================================================
``CACHE_VALUES`` ``2**20`` several passes over one block that should stay in a processor's cache
``BLOCK_VALUES`` ``2**22`` everything else: 16 MiB in float32, 32 MiB in float64
``FILE_VALUES``  ``2**23`` reading a file, where each block costs some time for every column
``MODEL_VALUES`` ``2**24`` calling a user's model, where each block costs a call
``FEW_ROWS``     ``64``    rows that are copied together, and then visited one by one
================ ========= =====================================================================

The rounding of sums over blocks of columns depends on where the blocks end. A change of a number
here may change the last digit of predictions.
"""

from collections.abc import Iterator

CACHE_VALUES = 2**20
BLOCK_VALUES = 2**22
FILE_VALUES = 2**23
MODEL_VALUES = 2**24
FEW_ROWS = 64


def rows_per_block(n_columns: int, n_values: int = BLOCK_VALUES, *, at_least: int = 1) -> int:
    """Return the number of rows in one block of a table.

    Parameters
    ----------
    n_columns : int
        Number of columns of the table.
    n_values : int, default=BLOCK_VALUES
        Number of values that a block may hold.
    at_least : int, default=1
        Smallest number of rows, however wide the table is. Blocks of 16 rows use whole cache
        lines of a column-major table.

    Returns
    -------
    int
        Number of rows per block.
    """
    return max(at_least, n_values // max(1, n_columns))


def columns_per_block(n_rows: int, n_values: int = BLOCK_VALUES, *, at_least: int = 1) -> int:
    """Return the number of columns in one block of a table.

    Parameters
    ----------
    n_rows : int
        Number of rows of the table.
    n_values : int, default=BLOCK_VALUES
        Number of values that a block may hold.
    at_least : int, default=1
        Smallest number of columns, however long the table is.

    Returns
    -------
    int
        Number of columns per block.
    """
    return max(at_least, n_values // max(1, n_rows))


def row_blocks(
    n_rows: int, n_columns: int, n_values: int = BLOCK_VALUES, *, at_least: int = 1
) -> Iterator[slice]:
    """Yield slices of rows that cover a table, block by block.

    Parameters
    ----------
    n_rows, n_columns : int
        Shape of the table.
    n_values, at_least : int
        See :func:`rows_per_block`.

    Yields
    ------
    slice
        Rows of one block.
    """
    yield from _slices(n_rows, rows_per_block(n_columns, n_values, at_least=at_least))


def column_blocks(
    n_rows: int, n_columns: int, n_values: int = BLOCK_VALUES, *, at_least: int = 1
) -> Iterator[slice]:
    """Yield slices of columns that cover a table, block by block.

    Parameters
    ----------
    n_rows, n_columns : int
        Shape of the table.
    n_values, at_least : int
        See :func:`columns_per_block`.

    Yields
    ------
    slice
        Columns of one block.
    """
    yield from _slices(n_columns, columns_per_block(n_rows, n_values, at_least=at_least))


def _slices(length: int, step: int) -> Iterator[slice]:
    for start in range(0, length, step):
        yield slice(start, min(start + step, length))
