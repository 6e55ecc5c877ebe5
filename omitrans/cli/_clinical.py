"""Read survival, classes and covariates of samples from a clinical table."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from omitrans.cli._covariates import read_text_table, with_types
from omitrans.cli._input import check_samples
from omitrans.cli._output import listed, report_progress
from omitrans.exceptions import OmiTransError

_SEEN = {"true", "yes", "dead", "deceased", "died", "event"}
_NOT_SEEN = {"false", "no", "alive", "living", "censored"}
_CODED = re.compile(r"([01])(?:\.0+)?\s*(?::.*)?")  # 1, 1.0 or 1:DECEASED
_UNKNOWN = re.compile(r"\[.*\]|unknown|not reported|not available", re.IGNORECASE)


def read_clinical(
    path: Path,
    *,
    time: str | None = None,
    event: str | None = None,
    classes: str | None = None,
    covariates: Sequence[str] = (),
) -> dict[str, pd.Series | pd.DataFrame | None]:
    """Read the named columns of a table with samples as rows or as columns.

    Parameters
    ----------
    path : Path
        Path of a table of text or numbers, or of an ``.h5ad`` file, whose ``obs`` is taken.
    time, event, classes : str, default=None
        Columns of the time, of whether the event was seen, and of the class.
    covariates : sequence of str, default=()
        Columns of covariates.

    Returns
    -------
    dict of str to Series, DataFrame or None
        ``time``, ``event``, ``classes`` and ``covariates`` by the ids of the samples, None for what
        is not named. Values that are unknown are missing, as are times of 0.

    Raises
    ------
    OmiTransError
        If a column is absent, a time is no number or below 0, an event cannot be understood, or a
        sample stands in the table twice.
    """
    named = list(dict.fromkeys(each for each in (time, event, classes, *covariates) if each))
    table, name = _with_columns(read_text_table(path), named, str(path)), str(path)
    table = table.mask(table.map(lambda cell: cell is not None and _is_unknown(cell)), None)
    known = table.columns[table.notna().any()]
    for column in named:
        if column not in known:
            raise OmiTransError(f"column {column!r} of {name!r} holds no value for any sample.")
    return {
        "time": None if time is None else _times(table, time, name),
        "event": None if event is None else _events(table[event], name),
        "classes": None if classes is None else table[classes],
        "covariates": with_types(table[list(covariates)], name) if covariates else None,
    }


def _with_columns(table: pd.DataFrame, named: list[str], name: str) -> pd.DataFrame:
    """Return the named columns; the table is turned if they are its rows."""
    if not table.columns.isin(named).any() and table.index.isin(named).any():
        table = table.T
    for column in named:
        if column not in table.columns:
            raise OmiTransError(
                f"{name!r} has no column {column!r}; its columns are {listed(table.columns, 10)}."
            )
    check_samples(table, repr(name))
    return table[named].astype(object)


def _is_unknown(cell: str) -> bool:
    return _UNKNOWN.fullmatch(cell) is not None


def _times(table: pd.DataFrame, column: str, name: str) -> pd.Series:
    time = with_types(table[[column]], name, numeric=[column])[column]
    wrong = time[(time < 0) | np.isinf(time)]
    if len(wrong):
        raise OmiTransError(
            f"column {column!r} of {name!r} holds {wrong.iloc[0]:g} for {wrong.index[0]!r}, which "
            "is no time. Correct it, or leave the cell empty."
        )
    at_once = time == 0
    if at_once.any():
        report_progress(
            f"Left out of survival, because {column!r} is 0: {at_once.sum():,} of {len(time):,} "
            f"samples ({listed(time.index[at_once], 3)})."
        )
    return time.mask(at_once)


def _events(values: pd.Series, name: str) -> pd.Series:
    """Return 1.0 where the event was seen, 0.0 where it was not, and NaN where that is unknown."""
    codes = {text: _code(text) for text in values.dropna().unique()}
    odd = sorted(text for text, code in codes.items() if code is None)
    if odd:
        cure = "If 1 means censored and 2 means dead, write 0 and 1."
        if not set(codes) <= {"1", "2"}:
            cure = "Leave the cell empty where it is unknown."
        raise OmiTransError(
            f"column {values.name!r} of {name!r} holds {listed(map(repr, odd), 10)}, which does "
            "not say whether the event was seen. Write 1 or 0, true or false, dead or alive, or "
            f"1:DECEASED or 0:LIVING. {cure}"
        )
    return values.map(codes).astype(np.float64)


def _code(text: str) -> float | None:
    coded = _CODED.fullmatch(text)
    if coded:
        return float(coded[1])
    word = text.lower()
    return 1.0 if word in _SEEN else 0.0 if word in _NOT_SEEN else None
