"""Read the rows of a matrix from a text file."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from os import PathLike, cpu_count
from typing import NamedTuple

import numpy as np
from tqdm.auto import tqdm

from omitrans.exceptions import DataFormatError
from omitrans.io._last_line import warn_if_cut
from omitrans.io.matrix._header import check_header, read_layout, reject_foreign
from omitrans.io.matrix._stream import BLOCK_BYTES, Source, map_beside, open_source
from omitrans.io.matrix._stream_parse import Parser, Rows

_N_GAUGED = 32  # blocks of a compressed file, to see how much it is compressed


class TextFormat(NamedTuple):
    """Options for reading a text file."""

    sep: str
    decimal: str
    missing_values: tuple[str, ...]
    dtype: np.dtype
    n_threads: int
    progress: bool
    block_bytes: int = BLOCK_BYTES


def n_threads(n_jobs: int | None) -> int:
    """Return the number of threads that parse; one more thread reads and decompresses."""
    return n_jobs or min(cpu_count() or 1, 4)


class TextMatrix:
    """Open text matrix, positioned after its header.

    Parameters
    ----------
    source : Source
        The open file.
    how : TextFormat
        Options for reading the file.
    end_mark : bytes, default=None
        First word of the line after the matrix; None if the matrix ends with the file.
    n_before : int, default=0
        Number of lines that were already read.
    """

    def __init__(
        self, source: Source, how: TextFormat, end_mark: bytes | None = None, n_before: int = 0
    ):
        self._source, self._how = source, how
        self._ends_by_mark = end_mark is not None
        self.layout, blocks = read_layout(
            source, how.sep, how.block_bytes, end_mark=end_mark, n_before=n_before
        )
        self._first = list(islice(blocks, _N_GAUGED if source.compressed else 1))
        self._blocks = blocks
        self.path = source.path

    @property
    def names(self) -> list[str]:
        """Return the names of the columns."""
        return self.layout.names

    def first_ids(self) -> list[str]:
        """Return the ids of some rows."""
        sep = self.layout.separator.encode()
        lines = [line for block in self._first for line in block.data.split(b"\n", 100)[:100]]
        ids = (line.partition(sep)[0].strip(b'"') for line in lines if line.strip())
        return [name.decode("utf-8", errors="replace") for name in ids]

    def n_rows(self) -> int:
        """Return the number of rows, estimated from the first rows."""
        n_lines = sum(block.data.count(b"\n") for block in self._first)
        n_bytes = sum(len(block.data) for block in self._first)
        if self._source.compressed:
            n_bytes = self._source.disk.tell()
        return max(1, round(n_lines * self.path.stat().st_size / max(1, n_bytes)))

    def rows(self, keep: frozenset[str] | None = None) -> Iterator[Rows]:
        """Yield blocks of rows: all rows, or those whose ids are in `keep`."""
        how = self._how
        parse = Parser(self.layout, how.dtype, how.missing_values, how.decimal, keep)
        size = self.path.stat().st_size
        with tqdm(total=size, unit="B", unit_scale=True, disable=not how.progress) as bar:
            for rows in map_beside(parse, chain(self._first, self._blocks), how.n_threads):
                bar.update(self._source.disk.tell() - bar.n)
                yield rows
        if not self._ends_by_mark:
            warn_if_cut(self.path, self.layout.separator)


@contextmanager
def open_text_matrix(path: str | PathLike[str], how: TextFormat) -> Iterator[TextMatrix]:
    """Open a text matrix and read its header."""
    with open_source(path) as source:
        reject_foreign(source)
        matrix = TextMatrix(source, how)
        check_header(matrix.layout)
        if not matrix.first_ids():
            raise DataFormatError(
                f"{path} holds a header and no rows. Check that it was written or fetched whole."
            )
        yield matrix
