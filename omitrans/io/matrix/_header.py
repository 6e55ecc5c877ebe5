"""Layout of a text matrix: separator, names, and whether samples are rows or columns."""

import csv
import re
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, NamedTuple

import pandas as pd

from omitrans.exceptions import DataFormatError
from omitrans.io.matrix._stream import Block, Source, read_blocks
from omitrans.utils._validation import _some

SEPARATORS = ("\t", ",", ";", " ")
_BOM = b"\xef\xbb\xbf"
CORNERS = {
    "",
    "id",
    "sample",
    "composite element ref",
    "xena_sample",
    "ensembl_id",
    "gene",
    "probe",
}
_N_LOOKED_AT = 200  # names that decide which way round a table stands

DETECTION = re.compile(r"[ ._]?detection[ ._]?p", re.I)
_FEATURE = re.compile(r"(cg|ch\.|rs|ctl|nv)[-_.\dA-Z]*\d|ENS[A-Z]*[GTP]\d{6,}|hsa-(mir|let)-", re.I)
_SAMPLE = re.compile(r"TCGA-|GTEX-|TARGET-|CPTAC|GSM\d+|[SED]RR\d+|\d{10,12}_R\d\dC\d\d", re.I)

_FOREIGN = {
    b"PK\x03\x04": "a zip archive (or an Excel workbook). Unpack it, or save it as tab-separated",
    b"BZh": "compressed by bzip2. Decompress it first (bunzip2)",
    b"\xfd7zXZ": "compressed by xz. Decompress it first (unxz)",
    b"\x28\xb5\x2f\xfd": "compressed by zstd. Decompress it first (unzstd)",
    b"\x1f\x8b": "compressed by gzip twice. Decompress it once (gunzip)",
    b"\x89HDF": "an HDF5 file. Read it with read_h5ad or read_h5mu if it is one of theirs",
    b"ARROW1": "a Feather file. Save it as Parquet",
    b"IDAT": "an IDAT file. Read it with read_idat",
    b"\xff\xfe": "UTF-16 text. Save it as UTF-8",
    b"\xfe\xff": "UTF-16 text. Save it as UTF-8",
    b"%PDF": "a PDF. Save the table as tab-separated text",
    b"<": "a web page or XML, perhaps the answer of a server that lacks the file. Fetch it again",
    b"#1.2": "a GCT file. Read it with read_gtex",
    b"!": "a GEO series matrix. Read it with read_geo_series_matrix",
    b"^": "a GEO SOFT file. Fetch the series matrix, and read it with read_geo_series_matrix",
}


class Layout(NamedTuple):
    """Layout of the lines of a text matrix."""

    path: Path
    separator: str
    corner: str  # name of the ids; empty if the header has none
    names: list[str]  # of the columns behind the ids
    header_line: int


def reject_foreign(source: Source) -> None:
    """Raise an error if the first bytes of a file show that it is not a text matrix."""
    path = source.path
    start = source.text.peek(4096)[:4096].removeprefix(_BOM)  # type: ignore[attr-defined]
    for magic, what in _FOREIGN.items():
        if start.startswith(magic):
            raise DataFormatError(f"{path} is no text matrix but {what}.")
    if b"\0" in start:
        raise DataFormatError(
            f"{path} is no text matrix: byte {start.index(0) + 1} is NUL, as in binary files and "
            "UTF-16 text. Save it as UTF-8 text or Parquet."
        )


def read_layout(
    source: Source, sep: str, block_bytes: int, *, end_mark: bytes | None = None, n_before: int = 0
) -> tuple[Layout, Iterator[Block]]:
    """Return the layout of a text matrix, and its lines after the header.

    Parameters
    ----------
    source : Source
        The open file.
    sep : str
        Separator, or "auto".
    block_bytes : int
        Size of the blocks in bytes.
    end_mark : bytes, default=None
        First word of the line after the matrix; None if the matrix ends with the file.
    n_before : int, default=0
        Number of lines that were already read.

    Returns
    -------
    layout : Layout
        Layout that the header describes.
    blocks : iterator of Block
        Blocks of lines; there are none if the matrix has no rows.
    """
    path = source.path
    number, line = _header_line(path, source.text, n_before)
    blocks = read_blocks(source.text, number + 1, block_bytes)
    if end_mark is not None:
        blocks = _until(blocks, end_mark, path)
    first = list(islice(blocks, 1))
    below = _first_line(first[0]) if first else line
    if sep == "auto":
        sep = _find_separator(path, line, below)
    header, row = (_split(path, n, text, sep) for n, text in ((number, line), (number + 1, below)))
    corner, names = _corner_and_names(path, number, header, len(row))
    return Layout(path, sep, corner, names, number), chain(first, blocks)


def _until(blocks: Iterator[Block], end_mark: bytes, path: Path) -> Iterator[Block]:
    """Yield blocks up to the line that begins with a mark; raise an error if it is absent."""
    for block in blocks:
        place = 0 if block.data.startswith(end_mark) else block.data.find(b"\n" + end_mark) + 1
        if place or block.data.startswith(end_mark):
            del block.data[place:]
            if place:
                yield block
            for _ in blocks:  # gzip compares its checksum at the end
                pass
            return
        yield block
    raise DataFormatError(
        f"{path} is truncated: the line {end_mark.decode()!r} is missing. Fetch it again."
    )


def _header_line(path: Path, file: IO[bytes], n_before: int) -> tuple[int, str]:
    """Return the first line that is neither blank nor a comment, with its number."""
    for number, raw in enumerate(file, start=n_before + 1):
        line = decode(path, number, raw.removeprefix(_BOM)).rstrip("\r\n")
        comment = line.startswith("#") and not any(s in line for s in SEPARATORS[:3])
        if line.strip() and not comment:
            if "\r" in line:
                raise DataFormatError(
                    f"{path}, line {number}: lines end with a carriage return alone. Save the "
                    "file with line feeds."
                )
            return number, line
    raise DataFormatError(f"{path} is empty. Check that it was written or fetched whole.")


def decode(path: Path, number: int, raw: bytes | bytearray) -> str:
    """Return the text of a line; raise an error if it cannot be decoded."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataFormatError(
            f"{path}, line {number}: byte {error.start + 1} (0x{raw[error.start]:02x}) is no "
            "UTF-8 text. Save the file as UTF-8, or fetch it again."
        ) from error


def _first_line(block: Block) -> str:
    for raw in block.data.split(b"\n"):
        if raw.strip():
            return raw.decode("utf-8", errors="replace").rstrip("\r")
    return ""


def _find_separator(path: Path, header: str, below: str) -> str:
    """Return the separator that splits both lines into equally many fields (a corner may lack)."""
    n_fields = {sep: (_count(header, sep), _count(below, sep)) for sep in SEPARATORS}
    for without_corner in (0, 1):
        for sep, (n_header, n_below) in n_fields.items():
            if n_below > 1 and n_header == n_below - without_corner:
                return sep
    for sep, (n_header, _) in n_fields.items():
        if n_header > 1:
            return sep
    raise DataFormatError(
        f"{path}: no separator (tab, comma, semicolon, space) cuts its first lines "
        f"{header[:60]!r} and {below[:60]!r} into columns. Give sep=."
    )


def _count(line: str, sep: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=sep)))
    except csv.Error:
        return 0


def _split(path: Path, number: int, line: str, sep: str) -> list[str]:
    """Return the fields of a line."""
    try:
        return next(csv.reader([line], delimiter=sep, strict=True))
    except csv.Error as error:
        raise DataFormatError(
            f"{path}, line {number}: {error} (is a quote not closed, or a line break in a name?). "
            "Close or remove it."
        ) from error


def _corner_and_names(
    path: Path, number: int, header: list[str], n_fields: int
) -> tuple[str, list[str]]:
    """Return the name of the ids (empty if there is no corner cell) and the column names."""
    header = [name.strip() for name in header]
    without_corner = len(header) == n_fields - 1
    if without_corner and header[0].lower() in CORNERS:
        raise DataFormatError(
            f"{path}, line {number}: the header has {len(header)} fields and the line below it "
            f"{n_fields}. Name each column; remove separators at the ends of lines."
        )
    corner, names = ("", header) if without_corner else (header[0], header[1:])
    if not names:
        raise DataFormatError(f"{path} holds ids and no values: its header is {header}.")
    if "" in names:
        place = names.index("") + 1 + (not without_corner)
        raise DataFormatError(
            f"{path}, line {number}: column {place} of the header has no name. Name it; remove "
            "separators at the ends of lines."
        )
    if _are_values(names):
        raise DataFormatError(
            f"{path}, line {number}: the header holds numbers ({_some(names)}) where names are "
            "due. Write the names of the columns on the first line."
        )
    return corner, names


def _are_values(names: list[str]) -> bool:
    try:
        return any(not float(name).is_integer() for name in names)
    except (ValueError, OverflowError):
        return False


def check_header(layout: Layout) -> None:
    """Raise an error unless each column is one sample or one feature."""
    check_unique(f"{layout.path}, line {layout.header_line}", layout.names)
    p_values = [name for name in layout.names if DETECTION.search(name)]
    if p_values:
        raise DataFormatError(
            f"{layout.path}, line {layout.header_line}: columns of detection p-values "
            f"({_some(p_values)}). Read the file with read_geo_series_matrix."
        )


def check_unique(where: object, names: list[str]) -> None:
    """Raise an error if column names repeat."""
    index = pd.Index(names)
    if not index.is_unique:
        twice = index[index.duplicated()].unique()
        raise DataFormatError(
            f"{where}: {len(twice)} names of columns stand twice (first: {_some(twice)}). Rename, "
            "average or remove them."
        )


def samples_are_columns(path: Path, samples: str, columns: list[str], rows: list[str]) -> bool:
    """Return whether samples are columns, as stated or as recognised by the names."""
    if samples != "auto":
        return samples == "columns"
    columns, rows = columns[:_N_LOOKED_AT], rows[:_N_LOOKED_AT]
    for_columns = max(_share(_FEATURE, rows), _share(_SAMPLE, columns))
    for_rows = max(_share(_FEATURE, columns), _share(_SAMPLE, rows))
    if (for_columns > 0.5) == (for_rows > 0.5):
        raise DataFormatError(
            f"{path}: its names do not tell whether samples are rows or columns (columns: "
            f"{_some(columns)}; rows: {_some(rows)}). Say so by samples='rows' or 'columns'."
        )
    return for_columns > 0.5


def _share(pattern: re.Pattern[str], names: list[str]) -> float:
    return sum(pattern.match(name) is not None for name in names) / max(1, len(names))
