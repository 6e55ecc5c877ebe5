"""Parse blocks of lines into ids and numbers: fast where lines are regular, else cell by cell.

The fast way takes the id off each line and writes line ends over the separators: the block is then
one long column of numbers, which a CSV reader parses without building thousands of columns.
"""

import csv
import importlib.util
import io
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from omitrans.exceptions import DataFormatError
from omitrans.io.matrix._header import SEPARATORS, Layout, decode
from omitrans.io.matrix._stream import BLOCK_BYTES, Block
from omitrans.utils._optional import import_optional

# How pandas.read_csv reads what was written: always since pandas 3.1, before it on demand.
EXACT_NUMBERS: dict[str, Any] = (
    {}
    if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1)
    else {"float_precision": "round_trip"}
)


class IrregularError(Exception):
    """The text is too irregular for fast parsing; it is then parsed cell by cell."""


def column_reader(
    dtype: np.dtype, missing_values: tuple[str, ...]
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that parses one number per line; it raises IrregularError if it cannot."""
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


MISSING_VALUES = (
    *("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-nan", "NAN"),
    *("NULL", "Null", "null", "None", "none", "."),
)
_LINE_END = 10
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_NAN = re.compile(r"[-+]?nan(\(\w*\))?", re.IGNORECASE)  # as Arrow reads them
_SUSPECTS = {  # what a cell that is no number may be, and the cure
    r"[-+]?\d+,\d+([eE][-+]?\d+)?": "Decimal commas are read with decimal=','.",
    r"[-+]?\d{1,3}([,' .]\d{3})+([.,]\d*)?": "Write numbers without thousands separators.",
    r"0[xX][0-9a-fA-F]+": "Write hexadecimal numbers as decimal ones.",
    r"[-+.\deE]+[ij]": "Complex numbers cannot be read; write real ones.",
    r"[-+]?[iI][nN][fF]\w*": "Values must be finite; missing_values can name it as missing.",
}


class Rows(NamedTuple):
    """Parsed lines."""

    lines: list[int]  # their numbers in the file
    ids: list[str]
    numbers: np.ndarray  # (n_rows, n_columns)


class Parser:
    """Parse blocks of a text matrix; several threads may call it.

    Parameters
    ----------
    layout : Layout
        Layout of the file: its separator, columns and marks.
    dtype : dtype
        Data type of the returned values.
    missing_values : sequence of str
        Texts that stand for a missing value.
    decimal : str
        Decimal separator of the text.
    keep : set of str or None
        Ids of the lines to parse; None parses all lines.
    """

    def __init__(
        self,
        layout: Layout,
        dtype: np.dtype,
        missing_values: tuple[str, ...],
        decimal: str = ".",
        keep: frozenset[str] | None = None,
    ):
        self.layout = layout
        self.dtype = dtype
        self.missing_values = frozenset(missing_values)
        self.decimal = decimal
        self.keep = None if keep is None else {text.encode() for text in keep}
        self._read_column = column_reader(dtype, missing_values)

    def __call__(self, block: Block) -> Rows:
        """Return ids and values of the lines of a block."""
        if self.keep is None:
            with suppress(IrregularError):
                return self._parse_fast(block.data, itertools.count(block.first_line))
        lines = list(self._lines(block))
        if not lines:
            return Rows([], [], np.empty((0, len(self.layout.names)), self.dtype))
        numbers = [number for number, _ in lines]
        with suppress(IrregularError):
            return self._parse_fast(b"\n".join(map(self._unquoted, lines)) + b"\n", numbers)
        ids, values = zip(*(self._parse_slowly(*line) for line in lines), strict=True)
        return Rows(numbers, list(ids), np.stack(values))

    def _lines(self, block: Block) -> Iterator[tuple[int, bytes]]:
        """Yield the wanted lines that are not blank, with their line numbers."""
        for number, raw in enumerate(bytes(block.data).split(b"\n"), start=block.first_line):
            if not raw or raw == b"\r":
                continue
            if self.keep is None or self._id(raw) in self.keep:
                yield number, raw

    def _id(self, raw: bytes) -> bytes:
        sep = self.layout.separator.encode()
        if raw.startswith(b'"'):
            return raw[1:].partition(b'"' + sep)[0].replace(b'""', b'"').strip()
        return raw.partition(sep)[0].strip()

    def _unquoted(self, line: tuple[int, bytes]) -> bytes:
        """Return a line without quotes if no separator is quoted; else the line stays irregular."""
        parts = line[1].split(b'"')
        if len(parts) % 2 == 0 or any(self.layout.separator.encode() in p for p in parts[1::2]):
            raise IrregularError
        return b"".join(parts)

    def _parse_fast(self, data: bytes | bytearray, numbers: Iterable[int]) -> Rows:
        """Return the rows of lines that are not blank or quoted; `numbers` are line numbers."""
        text = np.frombuffer(data, np.uint8)
        line_ends, separators = text == _LINE_END, text == ord(self.layout.separator)
        shape = int(np.count_nonzero(line_ends)), len(self.layout.names) + 1
        ends = np.flatnonzero(line_ends | separators)
        if len(ends) != shape[0] * shape[1] or b'"' in data or b"\0" in data:
            raise IrregularError
        ends = ends.reshape(shape)
        if not (text[ends[:, -1]] == _LINE_END).all():
            raise IrregularError
        bounds = np.column_stack([np.r_[0, ends[:-1, -1] + 1], ends[:, 0]]).tolist()
        values = self._read_column(self._as_column(text, separators, bounds))
        if len(values) != ends.size or np.isinf(values).any():
            raise IrregularError
        lines = list(itertools.islice(numbers, len(bounds)))
        ids = [
            decode(self.layout.path, line, data[start:stop]).strip()
            for line, (start, stop) in zip(lines, bounds, strict=True)
        ]
        return Rows(lines, ids, values.reshape(shape)[:, 1:])

    def _as_column(
        self, text: np.ndarray, separators: np.ndarray, ids: list[list[int]]
    ) -> np.ndarray:
        """Return text with line ends for separators, and zeros for ids."""
        column = separators * np.uint8((ord(self.layout.separator) - _LINE_END) % 256)
        np.subtract(text, column, out=column)  # wraps around; faster than writing by a mask
        for start, stop in ids:
            column[start:stop] = ord("0")
        if self.decimal != ".":
            column[column == ord(self.decimal)] = ord(".")
        return column

    def _parse_slowly(self, number: int, raw: bytes) -> tuple[str, np.ndarray]:
        """Return id and values of one line; raise an error if a field is not a number."""
        text = decode(self.layout.path, number, raw).removesuffix("\r")
        name, *fields = self._split(number, text)
        if "\0" in name:
            raise DataFormatError(
                f"{self.layout.path}, line {number}: the id holds NUL, {name!r}. Fetch it again."
            )
        if len(fields) != len(self.layout.names):
            raise self._ragged(number, len(fields) + 1, text)
        values = [self._number(number, place, field) for place, field in enumerate(fields)]
        return name.strip(), np.array(values, self.dtype)

    def _split(self, number: int, text: str) -> list[str]:
        try:
            return next(csv.reader([text], delimiter=self.layout.separator, strict=True))
        except csv.Error as error:
            raise DataFormatError(
                f"{self.layout.path}, line {number}: {error} (is a quote not closed, or a line "
                "break in a name?). Close or remove it."
            ) from error

    def _ragged(self, number: int, n_fields: int, text: str) -> DataFormatError:
        due = len(self.layout.names) + 1
        others = [s for s in SEPARATORS[:3] if s != self.layout.separator and s in text]
        cure = "Check that it was fetched whole."
        if others:
            cure = f"It also holds {others[0]!r}: use one separator in the whole file."
        return DataFormatError(
            f"{self.layout.path}, line {number} has {n_fields} fields instead of {due} (separator "
            f"{self.layout.separator!r}). {cure}"
        )

    def _number(self, number: int, place: int, field: str) -> float:
        text = field.strip()
        if text in self.missing_values or _NAN.fullmatch(text):
            return np.nan
        if self.decimal != ".":
            text = text.replace(self.decimal, ".")
        where = (
            f"{self.layout.path}, line {number}, column {place + 2} "
            f"({self.layout.names[place]}): {field[:40]!r}"
        )
        if not _NUMBER.fullmatch(text):
            cure = "Correct it, or name it in missing_values if it stands for a missing value."
            for pattern, advice in _SUSPECTS.items():
                if re.fullmatch(pattern, text):
                    cure = advice
            raise DataFormatError(f"{where} is no number. {cure}")
        value = float(text)
        if abs(value) > float(np.finfo(self.dtype).max):
            raise DataFormatError(
                f"{where} is beyond the range of {self.dtype}. Correct it, or name it in "
                "missing_values if it stands for a missing value."
            )
        return value
