"""Checks of survival outcomes: times and events that belong to the rows of a table."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_array

from omitrans.exceptions import SampleMismatchError
from omitrans.utils._validation import check_column_names, check_paired_samples


def check_survival(
    time: Any, event: Any, table: Any = None, *, table_name: str = "expression"
) -> tuple[np.ndarray, np.ndarray]:
    """Return times as float64 and events as bool, or raise an error that says what is wrong.

    Parameters
    ----------
    time : array-like or Series of shape (n_samples,)
        Time of the event or of censoring, in any unit; numbers above 0.
    event : array-like or Series of shape (n_samples,)
        True or 1 where the event was seen, False or 0 where the sample was censored.
    table : array-like or DataFrame of shape (n_samples, n_features), default=None
        Table whose rows the outcomes describe; indexes are compared.
    table_name : str, default="expression"
        Name of the table, for error messages.

    Returns
    -------
    time : ndarray of float64 of shape (n_samples,)
        The times.
    event : ndarray of bool of shape (n_samples,)
        Whether the event was seen.

    Raises
    ------
    SampleMismatchError
        If lengths or indexes differ.
    ValueError
        If a time is a date, missing, infinite or not above 0, or if an event is neither 0 nor 1.
    """
    pairs = [("time", time), ("event", event)]
    if table is not None:
        pairs.insert(0, (table_name, table))
    for (first, one), (second, other) in pairwise(pairs):
        if np.ndim(other) != 1:
            raise ValueError(
                f"{second} must hold one value per sample; its shape is {np.shape(other)}."
            )
        if len(one) != len(other):
            raise SampleMismatchError(
                f"{first} holds {len(one)} samples and {second} {len(other)}. Give one {second} "
                f"per row of {first}, in the same order."
            )
        one = one.to_frame() if isinstance(one, pd.Series) else one
        check_paired_samples(one, other, names=(first, second))
    return _times(time), _events(event)


def _times(time: Any) -> np.ndarray:
    if pd.api.types.is_datetime64_any_dtype(pd.Series(time)):
        raise ValueError(
            "time holds dates, and must hold the time from the start to the event or to censoring. "
            "Subtract the start: time = (date - start).dt.days."
        )
    values = _numbers(time, "time")
    bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    if len(bad):
        raise ValueError(
            f"time must hold finite numbers above 0; found {len(bad)} of {len(values)} that are "
            f"missing, infinite, zero or negative (first: {values[bad[0]]:g} in row {bad[0]}). "
            "Leave these samples out of the table, the times and the events: keep = time > 0."
        )
    return values


def _events(event: Any) -> np.ndarray:
    values = _numbers(event, "event")
    bad = np.flatnonzero(~np.isin(values, (0, 1)))
    if len(bad):
        found = values[bad[0]]
        cure = "Leave out samples without a status."
        if np.isin(values, (1, 2)).all():
            cure = "If 1 means censored and 2 means dead, as in R, give event = status == 2."
        raise ValueError(
            f"event must hold True or False, or 1 and 0; found {len(bad)} other values (first: "
            f"{found:g} in row {bad[0]}). {cure}"
        )
    return values.astype(bool)


def _numbers(values: Any, name: str) -> np.ndarray:
    try:
        return pd.to_numeric(pd.Series(values)).to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers; {error}.") from error


def require_events(event: np.ndarray, *, at_least: int = 1, why: str = "") -> None:
    """Raise an error if too few samples have an event.

    Parameters
    ----------
    event : ndarray of bool of shape (n_samples,)
        Whether the event was seen.
    at_least : int, default=1
        Fewest events.
    why : str, default=""
        Reason for the number, which begins the message.

    Raises
    ------
    ValueError
        If there are fewer events.
    """
    n_events = int(event.sum())
    if n_events == 0:
        raise ValueError(
            f"None of the {len(event)} samples has an event: all are censored, and nothing can be "
            "learned about the hazard. Check the coding of event: True or 1 means the event was "
            "seen."
        )
    if n_events < at_least:
        raise ValueError(
            f"{why} at least {at_least} samples with an event, but only {n_events} of "
            f"{len(event)} samples have one."
        )


def check_expression(expression: Any) -> tuple[np.ndarray, pd.Index, pd.Index]:
    """Return the values of a table of expression, its samples and its genes.

    Parameters
    ----------
    expression : array-like or DataFrame of shape (n_samples, n_genes)
        Expression without missing values.

    Returns
    -------
    values : ndarray of shape (n_samples, n_genes)
        The values, float32 if they were, else float64.
    samples, genes : pandas.Index
        Labels, or numbers if the table has none.

    Raises
    ------
    ValueError
        If the table is empty, not two-dimensional, or holds NaN or infinite values.
    """
    check_column_names(expression, "expression")
    values = check_array(expression, dtype=(np.float64, np.float32), input_name="expression")
    if isinstance(expression, pd.DataFrame):
        return values, expression.index, expression.columns
    return values, pd.RangeIndex(len(values)), pd.RangeIndex(values.shape[1])
