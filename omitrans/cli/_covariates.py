"""Read tables of covariates, and match them with expression by the ids of the samples."""

import csv
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omitrans.cli._command import one_line
from omitrans.cli._input import check_samples, ending_of, read_source
from omitrans.cli._output import listed, report_progress
from omitrans.exceptions import DataFormatError, OmiTransError
from omitrans.io import read_h5ad
from omitrans.io._parquet import read_parquet
from omitrans.io._text import open_text
from omitrans.io.anndata._endless import refuse_endless

_MISSING = {"", "na", "nan", "n/a", "null", "<na>"}
_MAX_SHARE_OF_LEVELS = 0.5  # a column with more levels per sample holds ids


def read_study(
    covariates: Path, expression: Path, *, samples: str = "auto", **columns: Iterable[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read covariates and expression, and return the samples that both hold.

    Either table may have samples as columns, which the shared ids tell.

    Parameters
    ----------
    covariates : Path
        Path of a table of text or numbers, or of an ``.h5ad`` file, whose ``obs`` is taken.
    expression : Path
        Path of a file that :func:`omitrans.cli._input.read_source` can read.
    samples : {"auto", "rows", "columns"}, default="auto"
        Whether samples are rows or columns of the expression.
    **columns : iterable of str
        Names of ``categorical``, ``numeric`` and ``ignored`` covariates.

    Returns
    -------
    covariates, expression : DataFrame
        The two tables, with the same index, in the order of the covariates.

    Raises
    ------
    OmiTransError
        If a file cannot be read, an id occurs more than once, or no sample is shared.
    """
    labels = read_text_table(covariates)
    table = read_source(expression, samples="rows" if samples == "auto" else samples)
    turns = (False, True) if samples == "auto" else (False,)
    found = [
        (_n_shared(_ids(labels, turned), _ids(table, turned_too)), turned, turned_too)
        for turned in (False, True)
        for turned_too in turns
    ]
    n_shared, turned, turned_too = max(found, key=lambda each: each[0])
    if not n_shared:
        raise OmiTransError(
            f"{str(covariates)!r} and {str(expression)!r} share no samples: the first has rows "
            f"such as {listed(labels.index, 2)}, the second rows such as {listed(table.index, 2)} "
            f"and columns such as {listed(table.columns, 2)}. Ids stand in the first column (or "
            "the first row) and must be written alike in both."
        )
    labels, table = labels.T if turned else labels, table.T if turned_too else table
    check_samples(labels, str(covariates))
    check_samples(table, str(expression))
    shared = labels.index[labels.index.isin(table.index)]
    report_progress(
        f"{len(shared):,} samples are in both tables, {table.shape[1]:,} genes. Left out: "
        f"{len(labels) - len(shared):,} with covariates and {len(table) - len(shared):,} with "
        "expression only."
    )
    return with_types(labels.loc[shared], str(covariates), **columns), table.loc[shared]


def read_covariates(path: Path, **columns: Iterable[str]) -> pd.DataFrame:
    """Read a table of covariates; it is turned if the named covariates are its rows.

    Parameters
    ----------
    path : Path
        Path of a table of text or numbers, or of an ``.h5ad`` file.
    **columns : iterable of str
        Names of ``categorical``, ``numeric`` and ``ignored`` covariates.

    Returns
    -------
    DataFrame of shape (n_samples, n_covariates)
        Covariates, indexed by the ids of the samples as text.
    """
    table = read_text_table(path)
    named = [name for names in columns.values() for name in names]
    if not table.columns.isin(named).any() and table.index.isin(named).any():
        table = table.T
    check_samples(table, str(path))
    return with_types(table, str(path), **columns)


def read_text_table(path: Path) -> pd.DataFrame:
    """Read a table with text in all cells; missing values are None.

    Parameters
    ----------
    path : Path
        Path of the table.

    Returns
    -------
    DataFrame of object
        The table with the names in its first column as index.
    """
    if not path.is_file():
        raise OmiTransError(f"there is no file {str(path)!r}.")
    report_progress(f"Reading {path} ...")
    ending = ending_of(path)
    if ending == ".h5ad":
        refuse_endless(path)
        _, table = read_h5ad(path, obs=True)
    elif ending == ".parquet":
        table = read_parquet(path)
        if isinstance(table.index, pd.RangeIndex) and table.shape[1]:
            table = table.set_index(table.columns[0])
    else:
        table = _read_lines(path)
    if table.empty:
        raise OmiTransError(f"{str(path)!r} holds a table of shape {table.shape}: nothing to use.")
    table = table.apply(lambda column: column.map(as_text)).astype(object)
    table.index, table.columns = table.index.map(str), table.columns.map(str)
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()]
        raise DataFormatError(f"{str(path)!r} holds the column {twice[0]!r} twice. Rename one.")
    return table


def _read_lines(path: Path) -> pd.DataFrame:
    try:
        with open_text(path) as file:
            separator = max("\t,;", key=file.readline().count)
            file.seek(0)
            rows = [row for row in csv.reader(file, delimiter=separator) if any(row)]
            rows = _without_comments(rows)
    except (csv.Error, EOFError, zlib.error) as error:
        raise DataFormatError(f"cannot read {str(path)!r}: {one_line(error)}") from error
    if len(rows) < 2:
        raise DataFormatError(f"{str(path)!r} holds no samples: it has {len(rows)} lines.")
    header, *rows = rows
    odd = next((i for i, row in enumerate(rows) if len(row) != len(rows[0])), None)
    if odd is not None or len(header) not in (len(rows[0]), len(rows[0]) - 1):
        wrong = rows[odd or 0]
        raise DataFormatError(
            f"{str(path)!r}: the row of {wrong[0]!r} has {len(wrong)} fields, the header "
            f"{len(header)}. Give each row as many fields as the header has."
        )
    names = header[len(header) - len(rows[0]) + 1 :]
    corner = header[0].strip() if len(header) == len(rows[0]) else None
    ids = pd.Index([row[0].strip() for row in rows], dtype=object, name=corner or None)
    return pd.DataFrame([row[1:] for row in rows], index=ids, columns=names, dtype=object)


def _without_comments(rows: list[list[str]]) -> list[list[str]]:
    """Return the rows without the lines before the header that describe it, as cBioPortal has."""
    n_comments = next((i for i, row in enumerate(rows) if not row[0].startswith("#")), 0)
    return rows[n_comments:] if n_comments > 1 else rows  # one such line is the header


def as_text(value: Any) -> str | None:
    """Return a cell as text, and whole numbers without a decimal point.

    Parameters
    ----------
    value : object
        Value of a cell.

    Returns
    -------
    str or None
        The text, or None if the value is missing.
    """
    if value is None or value is pd.NA or value != value:
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    text = str(value).strip()
    return None if text.lower() in _MISSING else text


def _ids(table: pd.DataFrame, turned: bool) -> pd.Index:
    return table.columns if turned else table.index


def _n_shared(first: pd.Index, second: pd.Index) -> int:
    return int(first.isin(second).sum())


# --- kinds of covariates ---


def with_types(
    table: pd.DataFrame,
    name: str,
    *,
    categorical: Iterable[str] = (),
    numeric: Iterable[str] = (),
    ignored: Iterable[str] = (),
) -> pd.DataFrame:
    """Return covariates with numbers where all values are numbers, and text elsewhere.

    Parameters
    ----------
    table : DataFrame of object
        Result of :func:`read_text_table`.
    name : str
        Name of the file, for error messages.
    categorical, numeric : iterable of str, default=()
        Columns that hold categories, although they look like numbers, and numbers.
    ignored : iterable of str, default=()
        Columns that are no covariates.

    Returns
    -------
    DataFrame
        The covariates.

    Raises
    ------
    OmiTransError
        If a named column is absent, or one of `numeric` holds text.
    """
    for column in (*categorical, *numeric, *ignored):
        if column not in table.columns:
            raise OmiTransError(
                f"{name!r} has no column {column!r}; its columns are {listed(table.columns, 10)}."
            )
    result = table.copy()
    for column in table.columns.difference([*categorical, *ignored], sort=False):
        numbers = pd.to_numeric(table[column], errors="coerce")
        odd = table[column][numbers.isna() & table[column].notna()]
        if len(odd) and column in numeric:
            raise OmiTransError(
                f"column {column!r} of {name!r} holds {odd.iloc[0]!r}, which is no number. "
                "Correct it, or leave the cell empty."
            )
        if not len(odd) and (numbers.notna().any() or column in numeric):
            result[column] = numbers.astype(np.float64)
    return result


def names_of_samples(covariates: pd.DataFrame, ignored: Iterable[str]) -> list[str]:
    """Return the columns of text with nearly as many levels as there are samples.

    Parameters
    ----------
    covariates : DataFrame
        Covariates.
    ignored : iterable of str
        Columns that are no covariates.

    Returns
    -------
    list of str
        Names of the columns, which name samples or donors rather than conditions.
    """
    text = covariates.drop(columns=list(ignored)).select_dtypes(include="object")
    n_most = max(_MAX_SHARE_OF_LEVELS * len(covariates), 2)
    return [str(name) for name in text if text[name].nunique() > n_most]
