"""Read what a GEO series matrix says of its series and its samples."""

from pathlib import Path

import pandas as pd

from omitrans.exceptions import DataFormatError
from omitrans.io._stream import Source

_BEGIN = "!series_matrix_table_begin"
_CHARACTERISTIC = "characteristics_ch"


def read_description(source: Source) -> tuple[dict[str, str], pd.DataFrame, int]:
    """Read the lines in front of the matrix: the series, its samples, and how many lines."""
    series: dict[str, str] = {}
    fields: list[tuple[str, list[str]]] = []
    for number, raw in enumerate(source.text, start=1):
        line = raw.decode("utf-8", errors="replace").rstrip("\r\n")
        if line.startswith(_BEGIN):
            return series, _sample_table(fields), number
        name, *cells = (cell.strip('"') for cell in line.split("\t"))
        if name.startswith("!Series_"):
            key = name.removeprefix("!Series_")
            series[key] = "\n".join(filter(None, [series.get(key), *cells]))
        elif name.startswith("!Sample_"):
            fields.append((name.removeprefix("!Sample_"), cells))
            if len(cells) != len(fields[0][1]):
                raise DataFormatError(
                    f"{source.path}, line {number}: {name} has another number of fields, "
                    f"{len(cells)}, than the first line of samples, {len(fields[0][1])}. Fetch it "
                    "again."
                )
    raise DataFormatError(
        f"{source.path} has no line {_BEGIN!r}: it is no series matrix, or is truncated. Fetch "
        "GSE..._series_matrix.txt.gz from GEO again."
    )


def _sample_table(fields: list[tuple[str, list[str]]]) -> pd.DataFrame:
    """Return the fields of samples, their characteristics first and under their own names."""
    characteristics: dict[str, list[str | None]] = {}
    others: dict[str, list[str]] = {}
    for name, cells in fields:
        if not name.startswith(_CHARACTERISTIC):
            times = sum(key == name or key.startswith(f"{name}.") for key in others)
            others[f"{name}.{times}" if times else name] = cells
            continue
        for place, cell in enumerate(cells):
            key, colon, value = cell.partition(":")
            if cell:
                key = key.strip() if colon else name
                column = characteristics.setdefault(key, [None] * len(cells))
                column[place] = value.strip() if colon else cell
    accession = others.pop("geo_accession", None)
    taken = {
        f"{name} (field)" if name in characteristics else name: c for name, c in others.items()
    }
    return pd.DataFrame({**characteristics, **taken}, index=accession, dtype=object)


def aligned(samples: pd.DataFrame, names: list[str], path: Path) -> pd.DataFrame:
    """Return the samples in the order of the columns of the matrix."""
    if list(samples.index) == names:
        return samples
    if len(samples.index.intersection(pd.Index(names))) < len(names):
        raise DataFormatError(
            f"{path}: the samples of the matrix ({names[0]}, ...) are not those of "
            "!Sample_geo_accession. Fetch it again."
        )
    return samples.loc[names]
