"""Read matrices with samples as rows or as columns, without holding them in memory twice."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omitrans.exceptions import DataFormatError, OmiTransError
from omitrans.io._memory import memory_for
from omitrans.io._text import damaged
from omitrans.io.matrix._header import SEPARATORS, check_unique, samples_are_columns
from omitrans.io.matrix._store import Selected, check_left, filtered, is_npy, open_npy, store
from omitrans.io.matrix._stream_filter import ColumnMoments, FeatureFilter
from omitrans.io.matrix._stream_parse import MISSING_VALUES, Rows
from omitrans.io.matrix._text_matrix import TextFormat, TextMatrix, n_threads, open_text_matrix
from omitrans.utils._blocks import FILE_VALUES, rows_per_block
from omitrans.utils._optional import import_optional
from omitrans.utils._sklearn import Interval, StrOptions, validate_params


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
        """Return the ids of some rows."""
        for batch in self._file.iter_batches(100, columns=[self._id_column]):
            return [str(name) for name in batch.column(0).to_pylist()]
        return []

    def n_rows(self) -> int:
        """Return the number of rows."""
        return self._file.metadata.num_rows

    def rows(self, keep: frozenset[str] | None = None) -> Iterator[Rows]:
        """Yield blocks of rows: all rows, or those whose ids are in `keep`."""
        first = 1
        n_rows = rows_per_block(len(self.names), FILE_VALUES)
        for batch in self._file.iter_batches(n_rows):
            ids = [str(name) for name in batch.column(self._id_column).to_pylist()]
            places = [k for k, name in enumerate(ids) if keep is None or name in keep]
            values = np.empty((len(places), len(self.names)), self._dtype)
            columns = batch.drop_columns(self._id_column).columns
            for k, column in enumerate(columns):
                column = column.cast(self._pa.float64())  # nulls of integers become NaN too
                with np.errstate(invalid="ignore", over="ignore"):  # R's NA; found below
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


# What Arrow raises for damaged files, beside errors of its own, and json for their metadata.
_NOT_READABLE = (ValueError, OSError, LookupError, TypeError, NotImplementedError)


@contextmanager
def open_parquet_matrix(path: str | PathLike[str], dtype: np.dtype) -> Iterator[ParquetMatrix]:
    """Open a matrix in a Parquet file; raise a clear error if the file is damaged."""
    pa = import_optional("pyarrow", extra="io", purpose="read Parquet")
    parquet = import_optional("pyarrow.parquet", extra="io", purpose="read Parquet")
    try:
        with (
            memory_for(path),
            parquet.ParquetFile(path, page_checksum_verification=True) as file,
        ):
            yield ParquetMatrix(Path(path), file, dtype)
    except (OmiTransError, MemoryError):
        raise
    except (pa.ArrowException, *_NOT_READABLE) as error:
        if getattr(error, "errno", None) is not None:  # the system's, not Arrow's
            raise
        raise damaged(path, str(error).partition("\n")[0]) from error


_PARQUET = b"PAR1"


@validate_params(
    {
        "path": [str, PathLike],
        "samples": [StrOptions({"auto", "rows", "columns"})],
        "keep_features": ["array-like", set, frozenset, None],
        "max_missing_rate": [Interval(Real, 0, 1, closed="both"), None],
        "min_variance": [Interval(Real, 0, None, closed="left"), None],
        "out": [str, PathLike, None],
        "dtype": [StrOptions({"float32", "float64"})],
        "missing_values": ["array-like", None],
        "sep": [StrOptions({"auto", *SEPARATORS})],
        "decimal": [StrOptions({".", ","})],
        "n_jobs": [Interval(Integral, 1, None, closed="left"), None],
        "progress": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def read_matrix(
    path: str | PathLike[str],
    *,
    samples: str = "auto",
    keep_features: Any = None,
    max_missing_rate: float | None = None,
    min_variance: float | None = None,
    out: str | PathLike[str] | None = None,
    dtype: str = "float32",
    missing_values: Any = None,
    sep: str = "auto",
    decimal: str = ".",
    n_jobs: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Read a matrix of samples and features from a text or Parquet file.

    Samples may be rows or columns of the file. Features can be filtered while the file is read:
    memory holds only the features that are kept and a few blocks of lines.

    Parameters
    ----------
    path : path-like
        Path of a text file with a header of names and an id at the start of each line, compressed
        by gzip or not; of a Parquet file with ids as its index or in its first column of text; or
        of an .npy file that was written through `out`, for which the other parameters do not apply.
        The kind of file is recognised by its content, not by its name.
    samples : {"auto", "rows", "columns"}, default="auto"
        Whether samples are rows or columns of the file. "auto" recognises the ids of probes, genes
        and samples, and raises an error if it cannot.
    keep_features : sequence or set of str, default=None
        Ids of the features to keep, for example from an annotation. Other features are skipped,
        without parsing where they are lines. Ids that the file lacks are ignored.
    max_missing_rate : float, default=None
        Largest fraction of missing values of a feature that is kept.
    min_variance : float, default=None
        Smallest variance of a feature that is kept, over its observed values (divided by n).
    out : path-like, default=None
        Path of a file to write the result to instead of holding it in memory: an .npy file, which
        holds the ids behind the values, where :func:`numpy.load` does not look; or a Parquet file,
        which keeps the rows of the input file as rows. The file gets its final name only when it is
        complete.
    dtype : {"float32", "float64"}, default="float32"
        Data type of the returned values.
    missing_values : sequence of str, default=None
        Texts that stand for a missing value. None means the empty text, ``NA``, ``NaN``, ``null``,
        ``None``, ``.`` and their usual spellings.
    sep : {"auto", "\\\\t", ",", ";", " "}, default="auto"
        Separator of the text; "auto" takes the separator that fits the first two lines.
    decimal : {".", ","}, default="."
        Decimal separator of the text.
    n_jobs : int, default=None
        Number of threads that parse text. None means one per processor, at most 4.
    progress : bool, default=False
        Whether to show a progress bar for text.

    Returns
    -------
    DataFrame of shape (n_samples, n_features)
        Samples as rows, in the order of the file. With an .npy file as `out`, a DataFrame over the
        memory map of that file. With a Parquet file as `out`, a DataFrame without columns whose
        index holds the samples.

    Raises
    ------
    DataFormatError
        If the file does not hold such a matrix; the message names the line, the column and the text
        that was found.
    FeatureMismatchError
        If no feature meets the conditions.

    Warns
    -----
    TruncatedFileWarning
        If a text file without a line end at its end closes with an odd value, as if it was cut off:
        one of fewer characters than 95 % of the values before it, or a bare decimal point. Files
        cut between two lines, and tables of counts, whose lengths differ, cannot be judged.

    See Also
    --------
    estimate_memory : Estimates the memory that reading takes.
    read_xena : Reads matrices of UCSC Xena.
    read_geo_series_matrix : Reads matrices of GEO with the description of their samples.

    Notes
    -----
    Where samples are rows of the file, `max_missing_rate` and `min_variance` need a first pass
    over the file for the statistics of its columns. Values beyond the range of `dtype` and
    infinite ones are errors. With the extra ``io`` (pyarrow) reading is several times as fast.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from omitrans.io import read_matrix
    >>> lines = ["probe,TCGA-A,TCGA-B", "cg00000029,0.5,0.25", "cg00000165,NA,NA"]
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "betas.csv")
    ...     _ = path.write_text("\\n".join(lines))
    ...     read_matrix(path, max_missing_rate=0.5)
            cg00000029
    TCGA-A        0.50
    TCGA-B        0.25
    """
    if is_npy(path):
        return open_npy(path)
    how = TextFormat(
        sep=sep,
        decimal=decimal,
        missing_values=_texts(missing_values),
        dtype=np.dtype(dtype),
        n_threads=n_threads(n_jobs),
        progress=progress,
    )
    wanted = None if keep_features is None else frozenset(map(str, keep_features))
    conditions = FeatureFilter(max_missing_rate, min_variance)
    with _open_selected(path, how, samples, wanted, conditions) as selected:
        return store(selected, how.dtype, None if out is None else Path(out))


def _texts(missing_values: Any) -> tuple[str, ...]:
    return MISSING_VALUES if missing_values is None else tuple(map(str, missing_values))


def open_matrix(
    path: str | PathLike[str], how: TextFormat
) -> AbstractContextManager[ParquetMatrix] | AbstractContextManager[TextMatrix]:
    """Open a matrix in a Parquet or a text file."""
    if Path(path).is_dir():
        raise DataFormatError(f"{path} is a folder. Name a file in it.")
    with Path(path).open("rb") as file:
        if file.read(len(_PARQUET)) == _PARQUET:
            return open_parquet_matrix(path, how.dtype)
    return open_text_matrix(path, how)


@contextmanager
def _open_selected(
    path: str | PathLike[str],
    how: TextFormat,
    samples: str,
    wanted: frozenset[str] | None,
    conditions: FeatureFilter,
) -> Iterator[Selected]:
    """Open a matrix to read the wanted features that meet the conditions."""
    with open_matrix(path, how) as matrix:
        transposed = samples_are_columns(matrix.path, samples, matrix.names, matrix.first_ids())
        if transposed:
            n_rows = min(matrix.n_rows(), matrix.n_rows() if wanted is None else len(wanted))
            rows = (filtered(block, conditions) for block in matrix.rows(wanted))
            yield Selected(matrix.path, matrix.names, rows, n_rows, transposed)
            return
        kept = np.array([wanted is None or name in wanted for name in matrix.names])
        if conditions:
            moments = ColumnMoments(len(matrix.names))
            for block in matrix.rows():
                moments.add(block.numbers)
            kept &= moments.kept(conditions)
        check_left(matrix.path, int(kept.sum()))
    with open_matrix(path, how) as matrix:
        names = [name for name, keep in zip(matrix.names, kept, strict=True) if keep]
        rows = (_with_columns(block, kept) for block in matrix.rows())
        yield Selected(matrix.path, names, rows, matrix.n_rows(), transposed)


def _with_columns(block: Rows, kept: np.ndarray) -> Rows:
    return block if kept.all() else block._replace(numbers=block.numbers[:, kept])
