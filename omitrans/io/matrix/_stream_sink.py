"""Destinations for the rows of a streamed matrix: memory, an .npy file, or a Parquet file."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from omitrans.utils._files import replacing
from omitrans.utils._optional import import_optional

_GROWTH_BYTES = 16 << 20
_NPY_HEADER_BYTES = 256


class Sink(Protocol):
    """Destination that receives rows in order."""

    def add(self, ids: list[str], values: np.ndarray) -> None:
        """Add a block of rows."""
        ...


class MemorySink:
    """Sink that collects rows in one array, which grows in place; `n_rows` is an estimate.

    The system does not assign memory that was requested but never written to.
    """

    def __init__(self, n_rows: int, n_columns: int, dtype: np.dtype):
        self._array = np.empty((int(1.02 * n_rows) + 1, n_columns), dtype)
        self._n_rows = 0

    def add(self, ids: list[str], values: np.ndarray) -> None:
        """Add a block of rows."""
        stop = self._n_rows + len(values)
        if stop > len(self._array):
            row_bytes = max(1, self._array.strides[0])
            spare = max(_GROWTH_BYTES // row_bytes, len(self._array) // 16)
            self._resize(stop + spare)
        self._array[self._n_rows : stop] = values
        self._n_rows = stop

    def finish(self) -> np.ndarray:
        """Return the rows."""
        self._resize(self._n_rows)
        return self._array

    def _resize(self, n_rows: int) -> None:
        self._array.resize((n_rows, self._array.shape[1]), refcheck=False)


class NpySink:
    """Sink that writes rows to an .npy file whose array always has samples as rows."""

    def __init__(self, file: IO[bytes], n_columns: int, dtype: np.dtype, *, transposed: bool):
        self._file = file
        self._n_rows = 0
        self._n_columns = n_columns
        self._dtype = dtype
        self._transposed = transposed
        self._file.write(b"\0" * _NPY_HEADER_BYTES)

    def add(self, ids: list[str], values: np.ndarray) -> None:
        """Add a block of rows."""
        self._file.write(np.ascontiguousarray(values, self._dtype).data)
        self._n_rows += len(values)

    def finish(self) -> None:
        """Write the header, now that the number of rows is known."""
        shape = (self._n_rows, self._n_columns)
        described = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": self._transposed,
            "shape": shape[::-1] if self._transposed else shape,
        }
        start = np.lib.format.magic(1, 0)
        n_text = _NPY_HEADER_BYTES - len(start) - 2
        text = repr(described).encode().ljust(n_text - 1) + b"\n"
        self._file.seek(0)
        self._file.write(start + n_text.to_bytes(2, "little") + text)


class ParquetSink:
    """Sink that writes rows to a Parquet file, ids in the column "id", one row group per block."""

    def __init__(self, file: IO[bytes], names: list[str], dtype: np.dtype):
        self._pa = import_optional("pyarrow", extra="io", purpose="write Parquet")
        parquet = import_optional("pyarrow.parquet", extra="io", purpose="write Parquet")
        number = self._pa.from_numpy_dtype(dtype)
        fields = [("id", self._pa.string()), *((name, number) for name in names)]
        self._schema = self._pa.schema(fields)
        self._writer = parquet.ParquetWriter(
            file,
            self._schema,
            use_dictionary=False,
            write_statistics=False,
            write_page_checksum=True,
        )

    def add(self, ids: list[str], values: np.ndarray) -> None:
        """Add a block of rows."""
        if len(ids) == 0:
            return
        columns = np.asfortranarray(values)
        arrays: list[Any] = [self._pa.array(ids, self._pa.string())]
        arrays += [
            self._pa.array(columns[:, place], from_pandas=True) for place in range(columns.shape[1])
        ]
        self._writer.write_table(self._pa.Table.from_arrays(arrays, schema=self._schema))

    def finish(self) -> None:
        """Write the end of the file."""
        self._writer.close()

    def __enter__(self) -> "ParquetSink":
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        with suppress(Exception):  # after an error, which must not be hidden by another one
            self._writer.close()
        self._writer.is_open = False


@contextmanager
def whole_or_nothing(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file that is renamed to `path` once it is complete, and is removed otherwise."""
    with replacing(path) as unfinished, unfinished.open("xb") as file:
        yield file
