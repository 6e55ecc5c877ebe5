"""Parse text with one number a line: by pyarrow, or by pandas where it is not installed."""

import csv
import importlib.util
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from omitrans.io._stream import BLOCK_BYTES
from omitrans.utils._optional import import_optional

# How pandas.read_csv reads what was written: always since pandas 3.1, before it on demand.
EXACT_NUMBERS: dict[str, Any] = (
    {}
    if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1)
    else {"float_precision": "round_trip"}
)


class IrregularError(Exception):
    """Text is not what fast parsing takes; parsing cell by cell reads it or says what is wrong."""


def column_reader(
    dtype: np.dtype, missing_values: tuple[str, ...]
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that parses one number a line; it raises IrregularError if it cannot."""
    if importlib.util.find_spec("pyarrow") is None:
        return _pandas_reader(dtype, missing_values)
    return _arrow_reader(dtype, missing_values)


def _arrow_reader(
    dtype: np.dtype, missing_values: tuple[str, ...]
) -> Callable[[np.ndarray], np.ndarray]:
    pa = import_optional("pyarrow", extra="io", purpose="read text matrices fast")
    pa_csv = import_optional("pyarrow.csv", extra="io", purpose="read text matrices fast")
    spaced = [text for value in missing_values for text in (value, f" {value}", f"{value} ")]
    parse = pa_csv.ParseOptions(quote_char=False, ignore_empty_lines=False)
    convert = pa_csv.ConvertOptions(
        column_types={"value": pa.from_numpy_dtype(dtype)}, null_values=spaced
    )
    options = pa_csv.ReadOptions(use_threads=False, column_names=["value"], block_size=BLOCK_BYTES)

    def read(column: np.ndarray) -> np.ndarray:
        try:
            table = pa_csv.read_csv(pa.py_buffer(column), options, parse, convert)
        except pa.ArrowInvalid as error:
            raise IrregularError from error
        values = np.empty(table.num_rows, dtype)
        start = 0
        for chunk in table.column(0).chunks:
            _copy_arrow(chunk, values[start : start + len(chunk)])
            start += len(chunk)
        return values

    return read


def _copy_arrow(chunk: Any, out: np.ndarray) -> None:
    """Copy an Arrow array of floats, nulls as NaN (its own conversion is slower)."""
    valid, data = chunk.buffers()
    out[:] = np.frombuffer(data, out.dtype)[chunk.offset : chunk.offset + len(chunk)]
    if chunk.null_count:
        bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little")
        present = bits[chunk.offset : chunk.offset + len(chunk)].view(bool)
        np.copyto(out, np.nan, where=~present)


def _pandas_reader(
    dtype: np.dtype, missing_values: tuple[str, ...]
) -> Callable[[np.ndarray], np.ndarray]:
    def read(column: np.ndarray) -> np.ndarray:
        try:
            frame = pd.read_csv(
                io.BytesIO(column.tobytes()),
                header=None,
                names=["value"],
                dtype=np.float64,
                na_values=list(missing_values),
                keep_default_na=False,
                skip_blank_lines=False,
                quoting=csv.QUOTE_NONE,
                sep="\0",
                **EXACT_NUMBERS,
            )
        except (ValueError, pd.errors.ParserError) as error:
            raise IrregularError from error
        with np.errstate(over="ignore"):  # infinite values are found by the caller
            return frame["value"].to_numpy().astype(dtype)

    return read
