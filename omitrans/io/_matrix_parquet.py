"""Rows of a matrix in a Parquet file."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from omitrans.exceptions import DataFormatError
from omitrans.io._matrix_header import check_unique
from omitrans.io._stream_parse import Rows
from omitrans.io._text import damaged
from omitrans.utils._optional import import_optional

_BLOCK_VALUES = 1 << 23  # each block costs some time a column


class ParquetMatrix:
    """An open Parquet file with ids in one column and numbers in the others."""

    def __init__(self, path: Path, file: Any, dtype: np.dtype):
        self.path, self._file, self._dtype = path, file, dtype
        self._pa = import_optional("pyarrow", extra="io", purpose="read Parquet")
        schema = file.schema_arrow
        self._id_column = self._find_ids(schema)
        self.names = [name for name in schema.names if name != self._id_column]
        if not self.names:
            raise DataFormatError(f"{path} holds ids and no values.")
        check_unique(path, self.names)
        types = self._pa.types
        for field in schema:
            kind = field.type
            numeric = types.is_floating(kind) or types.is_integer(kind) or types.is_boolean(kind)
            if not numeric and field.name != self._id_column:
                raise DataFormatError(
                    f"{path}, column {field.name!r} holds {kind}, not numbers. Drop it, or convert "
                    "it."
                )

    def first_ids(self) -> list[str]:
        """Return some ids of rows."""
        for batch in self._file.iter_batches(100, columns=[self._id_column]):
            return [str(name) for name in batch.column(0).to_pylist()]
        return []

    def n_rows(self) -> int:
        """Return how many rows there are."""
        return self._file.metadata.num_rows

    def rows(self, keep: frozenset[str] | None = None) -> Iterator[Rows]:
        """Yield blocks of rows, of all ids or of some."""
        first = 1
        n_rows = max(1, _BLOCK_VALUES // len(self.names))
        for batch in self._file.iter_batches(n_rows):
            ids = [str(name) for name in batch.column(self._id_column).to_pylist()]
            places = [k for k, name in enumerate(ids) if keep is None or name in keep]
            values = np.empty((len(places), len(self.names)), self._dtype)
            columns = batch.drop_columns(self._id_column).columns
            for k, column in enumerate(columns):
                column = column.cast(self._pa.float64())  # nulls of integers become NaN too
                values[:, k] = column.to_numpy(zero_copy_only=False)[places]
            if np.isinf(values).any():
                row, k = np.argwhere(np.isinf(values))[0]
                raise DataFormatError(
                    f"{self.path}, row {first + places[row]} ({ids[places[row]]}), column "
                    f"{self.names[k]!r}: values must be finite in {self._dtype}. Set it to NaN."
                )
            yield Rows([first + k for k in places], [ids[k] for k in places], values)
            first += len(ids)

    def _find_ids(self, schema: Any) -> str:
        """Return the column with the ids: pandas' index, or the first column with text."""
        pandas = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
        index = [name for name in pandas.get("index_columns", []) if isinstance(name, str)]
        if len(index) == 1 and index[0] in schema.names:
            return index[0]
        types = self._pa.types
        for field in schema:
            kind = field.type.value_type if types.is_dictionary(field.type) else field.type
            if types.is_string(kind) or types.is_large_string(kind):
                return field.name
        raise DataFormatError(
            f"{self.path} has no column with ids (text): {', '.join(schema.names[:5])} ... Write "
            "it with its ids as the index or in a column."
        )


@contextmanager
def open_parquet_matrix(path: str | PathLike[str], dtype: np.dtype) -> Iterator[ParquetMatrix]:
    """Open a matrix in a Parquet file, and say clearly when the file is damaged."""
    pa = import_optional("pyarrow", extra="io", purpose="read Parquet")
    parquet = import_optional("pyarrow.parquet", extra="io", purpose="read Parquet")
    try:
        with parquet.ParquetFile(path) as file:
            yield ParquetMatrix(Path(path), file, dtype)
    except (pa.ArrowException, OSError) as error:
        if getattr(error, "errno", None) is not None:  # the system's, not Arrow's
            raise
        raise damaged(path, str(error).partition("\n")[0]) from error
