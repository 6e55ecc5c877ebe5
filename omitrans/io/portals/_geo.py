"""Read files of GEO: series matrices with their samples, and tables of betas."""

import re
from collections.abc import Iterator
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from omitrans.exceptions import DataFormatError
from omitrans.io.matrix._header import DETECTION, Layout, check_unique, reject_foreign
from omitrans.io.matrix._store import Selected, filtered, store
from omitrans.io.matrix._stream import Source, open_source
from omitrans.io.matrix._stream_filter import FeatureFilter
from omitrans.io.matrix._stream_parse import MISSING_VALUES, Rows
from omitrans.io.matrix._text_matrix import TextFormat, TextMatrix, n_threads
from omitrans.utils._sklearn import Interval, StrOptions, validate_params
from omitrans.utils._validation import _some

_BEGIN = "!series_matrix_table_begin"
_CHARACTERISTIC = "characteristics_ch"


def read_description(source: Source) -> tuple[dict[str, str], pd.DataFrame, int]:
    """Read the lines before the matrix; return the series, its samples and the number of lines."""
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
    """Return the fields of the samples; the characteristics come first, under their own names."""
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


_END = b"!series_matrix_table_end"
_BETA = re.compile(r"[ ._]?(avg|average)[ ._]?beta$", re.I)


class GeoSeries(NamedTuple):
    """Content of a GEO file, as `read_geo_series_matrix` returns it.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)
        Values with samples as rows, in the unit of the file. There are no features if the series
        matrix has none: large studies often leave it empty and deposit a separate table of betas.
    samples : DataFrame
        Description of the samples in the series matrix, as text, indexed like `values`: one column
        per characteristic (``tissue``, ``age``, ...), then the other fields (``title``,
        ``platform_id``, ...). There are no columns if the file is a table of betas.
    series : dict
        Description of the series in the series matrix, by field.

    See Also
    --------
    read_geo_series_matrix : Reads such a file.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.io import GeoSeries
    >>> betas = pd.DataFrame({"cg00000029": [0.5]}, index=["GSM1"])
    >>> values, samples, series = GeoSeries(betas, betas[[]], {"title": "Liver"})
    >>> values.shape, series["title"]
    ((1, 1), 'Liver')
    """

    values: pd.DataFrame
    samples: pd.DataFrame
    series: dict[str, str]


@validate_params(
    {
        "path": [str, PathLike],
        "max_detection_p": [Interval(Real, 0, 1, closed="both"), None],
        "keep_features": ["array-like", set, frozenset, None],
        "max_missing_rate": [Interval(Real, 0, 1, closed="both"), None],
        "min_variance": [Interval(Real, 0, None, closed="left"), None],
        "out": [str, PathLike, None],
        "dtype": [StrOptions({"float32", "float64"})],
        "n_jobs": [Interval(Integral, 1, None, closed="left"), None],
        "progress": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def read_geo_series_matrix(
    path: str | PathLike[str],
    *,
    max_detection_p: float | None = 0.01,
    keep_features: Any = None,
    max_missing_rate: float | None = None,
    min_variance: float | None = None,
    out: str | PathLike[str] | None = None,
    dtype: str = "float32",
    n_jobs: int | None = None,
    progress: bool = False,
) -> GeoSeries:
    """Read a GEO series matrix, or a table of betas as authors deposit them.

    Parameters
    ----------
    path : path-like
        Path of a ``GSE..._series_matrix.txt.gz``, or of a table with the column ``ID_REF`` (or
        another name) and, for each sample, ``<sample>.AVG_Beta``, possibly followed by ``<sample>
        Detection Pval``; compressed by gzip or not.
    max_detection_p : float, default=0.01
        Values whose detection p-value is larger are set to NaN. None keeps all values; a series
        matrix has no p-values.
    keep_features : sequence or set of str, default=None
        Ids of the features to keep.
    max_missing_rate : float, default=None
        Largest fraction of missing values of a feature that is kept.
    min_variance : float, default=None
        Smallest variance of a feature that is kept.
    out : path-like, default=None
        Path of an .npy or a Parquet file to write the values to; see :func:`read_matrix`.
    dtype : {"float32", "float64"}, default="float32"
        Data type of the returned values.
    n_jobs : int, default=None
        Number of threads that parse. None means one per processor, at most 4.
    progress : bool, default=False
        Whether to show a progress bar.

    Returns
    -------
    GeoSeries
        Named tuple of ``values``, a DataFrame of shape (n_samples, n_features); ``samples``, the
        description of the samples; and ``series``, the description of the study.

    Raises
    ------
    DataFormatError
        If the file is of another kind, or is damaged.
    FeatureMismatchError
        If no feature meets the conditions.

    See Also
    --------
    read_matrix : Reads matrices of other layouts; its page explains the parameters in more detail.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from omitrans.io import read_geo_series_matrix
    >>> lines = [
    ...     '!Series_title|"Liver"',
    ...     '!Sample_geo_accession|"GSM1"|"GSM2"',
    ...     '!Sample_characteristics_ch1|"age: 52"|"age: 61"',
    ...     "!series_matrix_table_begin",
    ...     '"ID_REF"|"GSM1"|"GSM2"',
    ...     '"cg00000029"|0.5|0.25',
    ...     "!series_matrix_table_end",
    ... ]
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "GSE1_series_matrix.txt")
    ...     _ = path.write_text("\\n".join(lines).replace("|", "\\t"))
    ...     data = read_geo_series_matrix(path)
    >>> data.values["cg00000029"].tolist(), data.samples["age"].tolist()
    ([0.5, 0.25], ['52', '61'])
    """
    how = TextFormat(
        sep="auto",
        decimal=".",
        missing_values=MISSING_VALUES,
        dtype=np.dtype(dtype),
        n_threads=n_threads(n_jobs),
        progress=progress,
    )
    wanted = None if keep_features is None else frozenset(map(str, keep_features))
    conditions = FeatureFilter(max_missing_rate, min_variance)
    out = None if out is None else Path(out)
    with open_source(path) as source:
        if source.text.peek(1)[:1] == b"!":  # type: ignore[attr-defined]
            series, samples, n_before = read_description(source)
            matrix = TextMatrix(source, how._replace(sep="\t"), _END, n_before)
            check_unique(path, matrix.names)
            samples = aligned(samples, matrix.names, source.path)
            columns = _Columns(matrix.names, slice(None), None)
        else:
            reject_foreign(source)
            matrix = TextMatrix(source, how)
            columns = _beta_columns(matrix.layout, with_p=max_detection_p is not None)
            series, samples = {}, pd.DataFrame(index=pd.Index(columns.names))
        if not matrix.first_ids():
            values = pd.DataFrame(index=samples.index, dtype=how.dtype)
            return GeoSeries(values=values, samples=samples, series=series)
        rows = _rows(matrix.rows(wanted), columns, max_detection_p or 0.0, conditions)
        n_rows = min(matrix.n_rows(), matrix.n_rows() if wanted is None else len(wanted))
        selected = Selected(source.path, columns.names, rows, n_rows, transposed=True)
        return GeoSeries(values=store(selected, how.dtype, out), samples=samples, series=series)


class _Columns(NamedTuple):
    """Columns that hold betas, and columns that hold their detection p-values."""

    names: list[str]  # of samples
    betas: Any
    p_values: Any  # None if there are none


def _beta_columns(layout: Layout, *, with_p: bool) -> _Columns:
    """Distinguish betas from detection p-values by the names of the columns."""
    found = [DETECTION.search(name) for name in layout.names]
    others = [place for place, match in enumerate(found) if match is None]
    betas = [place for place in others if _BETA.search(layout.names[place])]
    betas = betas or others  # others, such as signals, only where betas are not marked
    names = [_BETA.sub("", layout.names[place]) for place in betas]
    check_unique(layout.path, names)
    p_values = {place: match for place, match in enumerate(found) if match is not None}
    if not (p_values and with_p):
        return _Columns(names, betas, None)
    owners = [layout.names[place][: match.start()] for place, match in p_values.items()]
    places = dict(zip(owners, p_values, strict=True))
    if not any(owners) and len(owners) == len(names):  # all are called "Detection Pval"
        places = dict(zip(names, p_values, strict=True))
    if lacking := [name for name in names if name not in places]:
        raise DataFormatError(
            f"{layout.path}, line {layout.header_line}: columns of detection p-values lack for "
            f"{_some(lacking)}. Name them as their samples, or give max_detection_p=None."
        )
    return _Columns(names, betas, [places[name] for name in names])


def _rows(
    blocks: Iterator[Rows],
    columns: _Columns,
    max_detection_p: float,
    conditions: FeatureFilter,
) -> Iterator[Rows]:
    """Yield blocks of betas of the features that are kept; NaN where they were not detected."""
    for block in blocks:
        values = block.numbers[:, columns.betas]
        if columns.p_values is not None:
            np.copyto(values, np.nan, where=block.numbers[:, columns.p_values] > max_detection_p)
        yield filtered(block._replace(numbers=values), conditions)
