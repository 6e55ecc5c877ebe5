"""Estimate how much memory reading a matrix takes."""

from numbers import Integral
from os import PathLike
from typing import Any, NamedTuple

import numpy as np

from omitrans.io.matrix._read_matrix import open_matrix
from omitrans.io.matrix._stream import BLOCK_BYTES
from omitrans.io.matrix._stream_parse import MISSING_VALUES
from omitrans.io.matrix._text_matrix import TextFormat, n_threads
from omitrans.utils._sklearn import Interval, StrOptions, validate_params

_BYTES_A_FIELD = 19  # of text: betas with their separator, as Xena writes them
_COPIES = 5  # of the text of a block, while it is parsed
_ARROW_BYTES = 48 << 20  # what its code and buffers take


class MemoryEstimate(NamedTuple):
    """Estimated memory to read a matrix, as `estimate_memory` returns it.

    Parameters
    ----------
    n_rows, n_columns : int
        Number of rows and of columns of values in the file.
    result : int
        Size of the result in bytes, with all features; with `out` the result is on disk.
    peak : int
        Memory in bytes that reading takes in addition to the memory of the program itself.

    See Also
    --------
    estimate_memory : Estimates the memory of a matrix.

    Examples
    --------
    >>> from omitrans.io import MemoryEstimate
    >>> print(MemoryEstimate(n_rows=1000, n_columns=512, result=2_048_000, peak=52_379_648))
    1,000 x 512 values: 1.95 MiB; at most 50 MiB while reading
    """

    n_rows: int
    n_columns: int
    result: int
    peak: int

    def __str__(self) -> str:
        return (
            f"{self.n_rows:,} x {self.n_columns:,} values: {_readable(self.result)}; at most "
            f"{_readable(self.peak)} while reading"
        )


@validate_params(
    {
        "path_or_shape": [str, PathLike, tuple],
        "dtype": [StrOptions({"float32", "float64"})],
        "to_file": ["boolean"],
        "n_jobs": [Interval(Integral, 1, None, closed="left"), None],
    },
    prefer_skip_nested_validation=True,
)
def estimate_memory(
    path_or_shape: Any, *, dtype: str = "float32", to_file: bool = False, n_jobs: int | None = None
) -> MemoryEstimate:
    """Estimate how much memory `read_matrix` takes, without reading the whole file.

    Parameters
    ----------
    path_or_shape : path-like or tuple of int
        Path of a matrix that :func:`read_matrix` can read, of which only the beginning is read; or
        the number of rows and of columns of values of a text file.
    dtype : {"float32", "float64"}, default="float32"
        Data type of the returned values.
    to_file : bool, default=False
        Whether the result goes to a file (parameter `out`) instead of memory.
    n_jobs : int, default=None
        Number of threads that parse, as in :func:`read_matrix`.

    Returns
    -------
    MemoryEstimate
        Named tuple with ``n_rows``, ``n_columns``, and, in bytes, ``result`` and ``peak``; its text
        form is a sentence. The number of rows of a text file is extrapolated from its beginning.

    Raises
    ------
    DataFormatError
        If the file does not hold such a matrix.

    See Also
    --------
    read_matrix : Reads the matrix; filters make the result smaller than the estimate.

    Examples
    --------
    >>> from omitrans.io import estimate_memory
    >>> print(estimate_memory((485_577, 10_000), to_file=True, n_jobs=2))
    485,577 x 10,000 values: 18.1 GiB; at most 57.1 MiB while reading
    """
    threads = n_threads(n_jobs)
    if isinstance(path_or_shape, tuple):
        n_rows, n_columns = map(int, path_or_shape)
    else:
        how = TextFormat("auto", ".", MISSING_VALUES, np.dtype(dtype), threads, progress=False)
        with open_matrix(path_or_shape, how) as matrix:
            n_rows, n_columns = matrix.n_rows(), len(matrix.names)
    result = n_rows * n_columns * np.dtype(dtype).itemsize
    block = max(BLOCK_BYTES, 2 * n_columns * _BYTES_A_FIELD)
    working = _ARROW_BYTES + (threads + 3) * _COPIES * block
    return MemoryEstimate(n_rows, n_columns, result, working + (0 if to_file else result))


def _readable(n_bytes: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if n_bytes < 1024:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.3g} GiB" if n_bytes < 1024 else f"{n_bytes / 1024:.3g} TiB"
