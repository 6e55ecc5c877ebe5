"""Move the rows of an open matrix into memory or a file."""

import io
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import pandas as pd

from omitrans.exceptions import DataFormatError, FeatureMismatchError
from omitrans.io._memory import memory_for
from omitrans.io._text import reporting_damage
from omitrans.io.matrix._stream_filter import FeatureFilter
from omitrans.io.matrix._stream_parse import Rows
from omitrans.io.matrix._stream_sink import MemorySink, NpySink, ParquetSink, whole_or_nothing
from omitrans.utils._validation import _some

_SMALLER = (
    "Write to a file with out='table.npy', or read fewer features (keep_features, "
    "max_missing_rate, min_variance)."
)
_MAGIC = b"\x93NUMPY"


def is_npy(path: str | PathLike[str]) -> bool:
    """Return whether a file begins like an .npy file."""
    if Path(path).is_dir():
        raise DataFormatError(f"{path} is a folder. Name a file in it.")
    with Path(path).open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def write_ids(file: IO[bytes], samples: list[str], features: list[str]) -> None:
    """Append the ids to an .npy file, whose readers stop at the end of the values.

    Values and ids in one file cannot be of different writes.
    """
    archive = io.BytesIO()
    np.savez(archive, samples=np.array(samples, "U"), features=np.array(features, "U"))
    file.seek(0, io.SEEK_END)
    file.write(archive.getbuffer())


def open_npy(path: str | PathLike[str]) -> pd.DataFrame:
    """Return the matrix as a DataFrame over a memory map, which reads only values that are used."""
    path = Path(path)
    with reporting_damage(path, "Write it again."), memory_for(path):
        values = np.load(path, mmap_mode="r")
        ids = _read_ids(path, values.offset + values.nbytes)
    if ids is None:
        raise DataFormatError(
            f"{path} holds values without ids: it was written by numpy.save, or by a build of "
            "omitrans that kept the ids in another file. Write it anew with "
            "read_matrix(..., out=), or read it with numpy.load."
        )
    samples, features = ids
    if values.shape != (len(samples), len(features)):
        raise DataFormatError(
            f"{path} is damaged: its values have shape {values.shape}, and it names "
            f"{len(samples)} samples and {len(features)} features. Write it again."
        )
    return as_frame(values, samples.tolist(), features.tolist())


def _read_ids(path: Path, start: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return samples and features, which stand behind the values; None if there are none."""
    with path.open("rb") as file:
        file.seek(start)
        archive = file.read()
    if not archive:
        return None
    with np.load(io.BytesIO(archive), allow_pickle=False) as names:
        return names["samples"], names["features"]


def as_frame(values: np.ndarray, samples: list[str], features: list[str]) -> pd.DataFrame:
    """Return a DataFrame that shares the values without a copy."""
    index, columns = (pd.Index(names, dtype=object) for names in (samples, features))
    return pd.DataFrame(values, index, columns, copy=False)


class Selected(NamedTuple):
    """Part of a matrix that is to be read."""

    path: Path
    names: list[str]  # of columns
    rows: Iterator[Rows]
    n_rows: int  # about
    transposed: bool  # features are rows

    def table(self, values: Any, ids: list[str]) -> pd.DataFrame:
        """Return the DataFrame with samples as rows."""
        if self.transposed:
            return as_frame(values.T, self.names, ids)
        return as_frame(values, ids, self.names)


def filtered(block: Rows, conditions: FeatureFilter) -> Rows:
    """Return the rows, one feature each, that meet the conditions."""
    if not conditions:
        return block
    kept = np.flatnonzero(conditions.of_rows(block.numbers))
    if len(kept) == len(block.ids):
        return block
    return Rows([block.lines[k] for k in kept], [block.ids[k] for k in kept], block.numbers[kept])


def store(selected: Selected, dtype: np.dtype, out: Path | None) -> pd.DataFrame:
    """Read the rows into memory or a file."""
    n_columns = len(selected.names)
    shape = (selected.n_rows if out is None else 0, n_columns)
    with memory_for(selected.path, shape=shape, itemsize=dtype.itemsize, cure=_SMALLER):
        if out is None:
            memory = MemorySink(selected.n_rows, n_columns, dtype)
            ids = _fill(selected, memory)
            return selected.table(memory.finish(), ids)
        if out.suffix == ".npy":
            return _store_npy(selected, dtype, out)
        if out.suffix == ".parquet":
            with (
                whole_or_nothing(out) as file,
                ParquetSink(file, selected.names, dtype) as parquet,
            ):
                ids = _fill(selected, parquet)
                parquet.finish()
            return pd.DataFrame(index=pd.Index(selected.names if selected.transposed else ids))
    raise ValueError(f"out must end in .npy or .parquet, got {str(out)!r}.")


def _store_npy(selected: Selected, dtype: np.dtype, out: Path) -> pd.DataFrame:
    with whole_or_nothing(out) as file:
        npy = NpySink(file, len(selected.names), dtype, transposed=selected.transposed)
        ids = _fill(selected, npy)
        npy.finish()
        names = (selected.names, ids) if selected.transposed else (ids, selected.names)
        write_ids(file, *names)
    return open_npy(out)


def _fill(selected: Selected, sink: MemorySink | NpySink | ParquetSink) -> list[str]:
    """Move the rows to memory or a file, and return their ids."""
    lines: list[int] = []
    ids: list[str] = []
    for block in selected.rows:
        sink.add(block.ids, block.numbers)
        lines += block.lines
        ids += block.ids
    _check_ids(selected, lines, ids)
    return ids


def _check_ids(selected: Selected, lines: list[int], ids: list[str]) -> None:
    if selected.transposed:
        check_left(selected.path, len(ids))
    if "" in ids:
        raise DataFormatError(
            f"{selected.path}, line {lines[ids.index('')]}: the row has no id. Name or remove it."
        )
    index = pd.Index(ids, dtype=object)
    if not index.is_unique:
        places = np.flatnonzero(index.duplicated(keep=False))
        same = [lines[k] for k in places if ids[k] == ids[places[0]]]
        raise DataFormatError(
            f"{selected.path}: {index[index.duplicated()].nunique()} ids of rows stand twice; "
            f"first {ids[places[0]]!r}, lines {_some(same)}. Rename, average or remove them."
        )


def check_left(path: Path, n_features: int) -> None:
    """Raise an error if no feature is left."""
    if n_features == 0:
        raise FeatureMismatchError(
            f"{path}: no feature is left. Compare keep_features with its ids, and mind "
            "max_missing_rate and min_variance."
        )
