"""Groups of samples that belong together, from the options of a command."""

import zlib
from pathlib import Path
from typing import Any

import pandas as pd

from omitrans.cli._command import one_line
from omitrans.exceptions import DataFormatError, OmiTransError
from omitrans.io._text import open_text
from omitrans.model_selection import patient_of
from omitrans.model_selection._patients import ID_FORMATS

_SWITCHES = {"auto": "auto", "none": None}


def read_groups(source: str, samples: pd.Index) -> Any:
    """Return the group of each sample: its patient, or its group in a file.

    Parameters
    ----------
    source : str
        Source of the groups: "auto", "none", a format of sample ids ("tcga", "target" or "gtex"),
        or the path of a file with two columns, sample and group.
    samples : Index
        Ids of the samples.

    Returns
    -------
    "auto", None or array-like of shape (n_samples,)
        Groups to pass to ``fit``.

    Raises
    ------
    OmiTransError
        If the file has no group for some samples.
    """
    if source in _SWITCHES:
        return _SWITCHES[source]
    if source in ID_FORMATS:
        return patient_of(samples, id_format=source)
    table = _read_two_columns(source)
    groups = table.iloc[:, 0].reindex(samples)
    if groups.isna().any():
        missing = groups.index[groups.isna()]
        raise OmiTransError(f"{source!r} lacks {len(missing)} samples (first: {missing[0]}).")
    return groups


def check_groups(source: str) -> None:
    """Check at the start of a command that the source of groups is valid.

    Parameters
    ----------
    source : str
        Source of the groups; see :func:`read_groups`.

    Raises
    ------
    OmiTransError
        If `source` is neither a known name nor a file.
    """
    words = (*_SWITCHES, *ID_FORMATS)
    if source not in words and not Path(source).is_file():
        raise OmiTransError(f"--groups {source}: it is none of {', '.join(words)}, nor a file.")


def _read_two_columns(source: str) -> pd.DataFrame:
    try:
        with open_text(source) as file:
            separator = max(",;\t", key=file.readline().count)
        table = pd.read_csv(source, sep=separator, index_col=0, dtype=str)
    except (ValueError, EOFError, zlib.error) as error:
        raise DataFormatError(f"cannot read {source!r}: {one_line(error)}") from error
    table.index = table.index.astype(str)
    if table.shape[1] != 1:
        raise DataFormatError(
            f"{source!r} must hold two columns, sample and group; it holds {table.shape[1] + 1}."
        )
    if table.index.has_duplicates:
        twice = table.index[table.index.duplicated()][0]
        raise DataFormatError(f"{source!r} must hold a sample once; it holds {twice} again.")
    return table
