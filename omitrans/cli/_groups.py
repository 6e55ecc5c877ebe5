"""Which samples belong together, as the commands are told."""

import zlib
from typing import Any

import pandas as pd

from omitrans.cli._command import one_line
from omitrans.exceptions import DataFormatError, OmiTransError
from omitrans.io._text import open_text
from omitrans.model_selection import patient_of


def read_groups(source: str | None, samples: pd.Index) -> Any:
    """Return the group of every sample: its patient, or what a file says.

    Parameters
    ----------
    source : str or None
        "tcga", "gtex", or a file of two columns, sample and group.
    samples : Index
        The samples.

    Returns
    -------
    array-like of shape (n_samples,) or None
        None if `source` is.

    Raises
    ------
    OmiTransError
        If samples have no group.
    """
    if source is None:
        return None
    if source in ("tcga", "gtex"):
        return patient_of(samples, id_format=source)
    table = _read_two_columns(source)
    groups = table.iloc[:, 0].reindex(samples)
    if groups.isna().any():
        missing = groups.index[groups.isna()]
        raise OmiTransError(f"{source!r} lacks {len(missing)} samples (first: {missing[0]}).")
    return groups


def _read_two_columns(source: str) -> pd.DataFrame:
    try:
        with open_text(source) as file:
            separator = max(",;\t", key=file.readline().count)
        table = pd.read_csv(source, sep=separator, index_col=0, dtype=str)
    except (ValueError, EOFError, zlib.error) as error:
        raise DataFormatError(f"cannot read {source!r}: {one_line(error)}") from error
    table.index = table.index.astype(str)
    if not table.shape[1] or table.index.has_duplicates:
        raise DataFormatError(f"{source!r} must hold two columns, sample and group, a sample once.")
    return table
