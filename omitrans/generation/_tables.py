"""The three tables of an audit, checked and standardised."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import check_array

from omitrans.exceptions import FeatureMismatchError
from omitrans.utils._validation import _some, check_paired_samples, holds_numbers

_MAX_SHARE_OF_LEVELS = 0.5  # a column with more levels per sample holds ids


class Part(NamedTuple):
    """One table: standardised expression, and the categories of its samples."""

    values: np.ndarray
    labels: pd.DataFrame


class AuditTables(NamedTuple):
    """The tables of an audit, in units of the standard deviations of the training samples."""

    train: Part
    test: Part
    synthetic: Part
    genes: np.ndarray


def read_tables(pairs: dict[str, tuple[Any, Any]], covariates: str | Sequence[str]) -> AuditTables:
    """Check three tables of expression with their covariates.

    Parameters
    ----------
    pairs : dict of (expression, covariates)
        The tables by the names of their parameters, in the order of training, test and synthetic
        samples.
    covariates : "auto" or sequence of str
        Names of the categorical covariates.

    Returns
    -------
    AuditTables
        The tables without genes that are constant in training.
    """
    expression = {name: _frame(pair[0], name) for name, pair in pairs.items()}
    (train_name, train), *others = expression.items()
    for name, table in others:
        lacking = train.columns.difference(table.columns)
        more = table.columns.difference(train.columns)
        if len(lacking) or len(more):
            raise FeatureMismatchError(
                f"{name} and {train_name} hold other genes: {len(lacking)} are absent from {name} "
                f"({_some(lacking)}), {len(more)} are in {name} only ({_some(more)}). Give "
                "tables of the same genes."
            )
    mean, scale = train.to_numpy().mean(axis=0), train.to_numpy().std(axis=0)
    varies = scale > 1e-9 * np.maximum(1.0, np.abs(mean))
    if not varies.any():
        raise ValueError(f"All genes of {train_name} are constant; there is nothing to compare.")
    named = _named(pairs[train_name][1], covariates)
    parts = {}
    for name, table in expression.items():
        values = (table[train.columns].to_numpy() - mean)[:, varies] / scale[varies]
        parts[name] = Part(values, _labels(table, pairs[name][1], named, name))
    real_train, real_test, synthetic = parts.values()
    return AuditTables(real_train, real_test, synthetic, np.asarray(train.columns)[varies])


def _frame(expression: Any, name: str) -> pd.DataFrame:
    if not isinstance(expression, pd.DataFrame):
        raise TypeError(
            f"{name} must be a DataFrame with genes as columns; got {type(expression).__name__}. "
            "Give it names: pd.DataFrame(values, index=samples, columns=genes)."
        )
    if not expression.columns.is_unique:
        twice = expression.columns[expression.columns.duplicated()]
        raise FeatureMismatchError(f"{name} holds genes twice ({_some(twice)}). Keep one of each.")
    holes = expression.columns[expression.isna().any()]
    if len(holes):
        raise ValueError(
            f"{name} holds NaN in {len(holes)} of {expression.shape[1]} genes ({_some(holes)}). "
            "Impute or drop them."
        )
    values = check_array(expression, dtype=np.float64, ensure_min_samples=5, input_name=name)
    return pd.DataFrame(values, expression.index, expression.columns)


def _named(covariates: Any, names: str | Sequence[str]) -> list[str]:
    if not isinstance(covariates, pd.DataFrame):
        raise TypeError(f"Covariates must be a DataFrame; got {type(covariates).__name__}.")
    if not isinstance(names, str):
        return list(names)
    if names != "auto":
        return [names]
    found: list[Any] = []
    for name, column in covariates.items():
        numbers = holds_numbers(column)
        n_levels = column.nunique()
        if not numbers and 2 <= n_levels <= _MAX_SHARE_OF_LEVELS * len(column):
            found.append(name)
    if not found:
        raise ValueError(
            "train_covariates holds no categorical covariate with two levels or more, and fewer "
            "levels than half of the samples. Name some in covariates=[...]."
        )
    return found


def _labels(expression: pd.DataFrame, covariates: Any, names: list[str], name: str) -> pd.DataFrame:
    if not isinstance(covariates, pd.DataFrame):
        raise TypeError(
            f"The covariates of {name} must be a DataFrame; got {type(covariates).__name__}."
        )
    lacking = [column for column in names if column not in covariates.columns]
    if lacking:
        raise FeatureMismatchError(
            f"The covariates of {name} lack {_some(lacking)}. The columns are "
            f"{_some(covariates.columns, 8)}."
        )
    if expression.index.equals(covariates.index):
        pass  # draws under the covariates of one sample may share its id
    elif expression.index.nlevels == covariates.index.nlevels:
        check_paired_samples(covariates, expression, names=(f"the covariates of {name}", name))
    elif len(covariates) != len(expression):
        raise ValueError(
            f"{name} has {len(expression)} rows and its covariates {len(covariates)}. Give one row "
            "of covariates per sample."
        )
    labels = covariates[names].astype(object).set_axis([str(column) for column in names], axis=1)
    return labels.where(labels.notna(), "missing").astype(str).reset_index(drop=True)


def row(check: str, target: str, value: float, **more: Any) -> dict[str, Any]:
    """Return one row of an audit; what is not given is empty."""
    empty = {"level": "", "reference": np.nan, "low": np.nan, "high": np.nan, "verdict": ""}
    return {"check": check, "target": target, "value": float(value)} | empty | more


def distances(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the Euclidean distances between the rows of two tables."""
    squares = np.sum(left**2, axis=1)[:, None] + np.sum(right**2, axis=1) - 2 * left @ right.T
    return np.sqrt(np.maximum(squares, 0.0))
