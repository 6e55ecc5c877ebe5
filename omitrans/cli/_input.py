"""Read and write the tables of the commands; the format follows from the file name."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omitrans.cli._output import check_target, is_watched, report_progress, working
from omitrans.exceptions import OmiTransError
from omitrans.io import (
    read_geo_series_matrix,
    read_h5ad,
    read_idat,
    read_matrix,
    read_xena,
    write_h5ad,
)
from omitrans.io.anndata._endless import refuse_endless
from omitrans.utils._files import replacing
from omitrans.utils._optional import import_optional

ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".h5ad")
_SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}


def read_source(
    path: Path,
    *,
    samples: str = "auto",
    kind: str = "auto",
    manifest: Path | None = None,
    **filters: Any,
) -> pd.DataFrame:
    """Read a table of numbers from a file of any known kind, and show the progress.

    Parameters
    ----------
    path : Path
        Path of a table, a Xena matrix, a GEO series matrix, an ``.h5ad`` file, an IDAT file or a
        folder of IDAT files.
    samples : {"auto", "rows", "columns"}, default="auto"
        Whether samples are rows or columns of the table.
    kind : str, default="auto"
        Kind of the file: "table", "xena", "geo", "h5ad", "idat", or "auto", which decides by the
        file name.
    manifest : Path or None, default=None
        Path of Illumina's manifest of the array, needed for IDAT files.
    **filters : dict
        Conditions for the features to keep, as in :func:`omitrans.io.read_matrix`:
        ``keep_features``, ``max_missing_rate`` and ``min_variance``.

    Returns
    -------
    DataFrame of shape (n_samples, n_features)
        Table as float32.

    Raises
    ------
    OmiTransError
        If the file cannot be read as such a table.
    """
    if not path.exists():
        raise OmiTransError(f"there is no file {str(path)!r}.")
    kind = _kind_of(path) if kind == "auto" else kind
    if kind != "idat" and path.is_dir():
        raise OmiTransError(f"{str(path)!r} is a folder, and {kind} data is one file.")
    if kind in ("table", "xena", "geo"):
        report_progress(f"Reading {path} ...")
        table = _read_text(path, samples, kind, filters)
    else:
        with working(f"Reading {path} ..."):
            table = _read_h5ad(path) if kind == "h5ad" else _read_idat(path, manifest)
        table = _filtered(table, **filters)
    if table.empty:
        raise OmiTransError(f"{str(path)!r} holds a table of shape {table.shape}: nothing to use.")
    table.index, table.columns = table.index.astype(str), table.columns.astype(str)
    return table


def read_pair(
    source: Path, target: Path, *, samples: str, cure: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read two tables, and return the samples that both hold, in the order of the first.

    Parameters
    ----------
    source, target : Path
        Paths of files that :func:`read_source` can read.
    samples : {"auto", "rows", "columns"}
        Whether samples are rows or columns of the tables.
    cure : str
        Advice for the case that samples are columns, for error messages.

    Returns
    -------
    DataFrame, DataFrame
        The two tables, with the same index.
    """
    X, Y = read_source(source, samples=samples), read_source(target, samples=samples)
    shared = shared_samples(X, Y, cure=cure)
    report_progress(
        f"{len(shared)} samples are in both tables (of {len(X)} and {len(Y)}): "
        f"{X.shape[1]} source and {Y.shape[1]} target features."
    )
    # a copy of a large table is not made for nothing
    return X if shared.equals(X.index) else X.loc[shared], Y.loc[shared]


def _kind_of(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    if path.is_dir() or name.endswith(".idat"):
        return "idat"
    if name.endswith(".h5ad"):
        return "h5ad"
    return "geo" if "series_matrix" in name else "table"


def _read_text(path: Path, samples: str, kind: str, filters: dict[str, Any]) -> pd.DataFrame:
    filters["progress"] = is_watched()
    if kind == "xena":
        return read_xena(path, **filters)
    if kind == "geo":
        table, _, _ = read_geo_series_matrix(path, **filters)
        return table
    return read_matrix(path, samples=samples, **filters)


def _read_h5ad(path: Path) -> pd.DataFrame:
    refuse_endless(path)
    return read_h5ad(path)


def _read_idat(path: Path, manifest: Path | None) -> pd.DataFrame:
    if manifest is None:
        raise OmiTransError(
            f"{str(path)!r} is taken for IDAT files, which need the array's manifest: "
            "--manifest FILE."
        )
    return read_idat(path, manifest)


def _filtered(
    table: pd.DataFrame,
    *,
    keep_features: list[str] | None = None,
    max_missing_rate: float | None = None,
    min_variance: float | None = None,
) -> pd.DataFrame:
    """Return the features that pass the filters."""
    kept = np.ones(table.shape[1], dtype=bool)
    if keep_features is not None:
        kept &= table.columns.isin(keep_features)
    if max_missing_rate is not None:
        kept &= (table.isna().mean() <= max_missing_rate).to_numpy()
    if min_variance is not None:
        kept &= (table.var(ddof=0) >= min_variance).to_numpy()
    return table if kept.all() else table.loc[:, kept]


def ending_of(path: Path) -> str:
    """Return the ending of a file name, without ``.gz``.

    Parameters
    ----------
    path : Path
        Path of the file.

    Returns
    -------
    str
        Ending of the name, one of `ENDINGS`.

    Raises
    ------
    OmiTransError
        If the ending is none of `ENDINGS`.
    """
    ending = Path(path.name.lower().removesuffix(".gz")).suffix
    compressed = path.name.lower().endswith(".gz")
    if ending not in ENDINGS or (compressed and ending not in _SEPARATORS):
        raise OmiTransError(
            f"cannot tell the format of {str(path)!r}. Name it .csv, .tsv (both also .gz), "
            ".parquet or .h5ad."
        )
    return ending


def check_table_target(path: Path, *, inputs: tuple[Path, ...] = ()) -> None:
    """Check at the start of a command that a table can be written.

    Parameters
    ----------
    path : Path
        Path of the file; an existing file is replaced.
    inputs : tuple of Path, default=()
        Input files, which must not be replaced.

    Raises
    ------
    OmiTransError
        If the format of the file is unknown, or the file cannot be written.
    """
    ending = ending_of(path)
    if ending == ".parquet":
        import_optional("pyarrow", extra="io", purpose="write parquet files")
    if ending == ".h5ad":
        import_optional("anndata", extra="anndata", purpose="write h5ad files")
    check_target(path, inputs=inputs)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table in the format of the file ending; a failed write leaves no partial file.

    Parameters
    ----------
    table : DataFrame of shape (n_samples, n_features)
        Table to write.
    path : Path
        Path of the file; an existing file is replaced.
    """
    ending = ending_of(path)
    if ending == ".h5ad":
        write_h5ad(table, path)
        return
    with replacing(path) as temporary:
        if ending == ".parquet":
            table.to_parquet(temporary, engine="pyarrow", write_page_checksum=True)
        else:
            # compressed if the ending says so
            name = str(table.index.name or "id")
            table.to_csv(temporary, sep=_SEPARATORS[ending], index_label=name)


def shared_samples(X: pd.DataFrame, Y: pd.DataFrame, *, cure: str) -> pd.Index:
    """Return the samples that both tables hold, in the order of the first.

    Parameters
    ----------
    X, Y : DataFrame
        Tables with samples as rows.
    cure : str
        Advice for the case that samples are columns, for error messages.

    Returns
    -------
    Index
        Ids of the shared samples.

    Raises
    ------
    OmiTransError
        If no sample is shared, or an id occurs more than once.
    """
    check_samples(X, "the first table")
    check_samples(Y, "the second table")
    samples = X.index[X.index.isin(Y.index)]
    if not len(samples):
        raise OmiTransError(
            f"the tables share no samples: the first begins with {X.index[0]!r}, the second with "
            f"{Y.index[0]!r}. Ids stand in the first column and must be written alike in both. If "
            f"samples are columns, use {cure}."
        )
    return samples


def check_samples(table: pd.DataFrame, name: str) -> None:
    """Raise an error if a table holds a sample more than once.

    Parameters
    ----------
    table : DataFrame
        Table with samples as rows.
    name : str
        Name of the table, for error messages.

    Raises
    ------
    OmiTransError
        If an id occurs more than once.
    """
    twice = table.index[table.index.duplicated()]
    if len(twice):
        raise OmiTransError(f"{name} holds {len(twice)} samples twice (first: {twice[0]}).")
