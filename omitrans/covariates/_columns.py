"""Split one table into its expression, its covariates and its ignored columns."""

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import check_array

from omitrans.exceptions import FeatureMismatchError
from omitrans.utils._blocks import rows_per_block
from omitrans.utils._sklearn import get_column_indices
from omitrans.utils._validation import _some, check_column_names, check_source

_QUIET = np.uint64(1 << 51)  # bit of a NaN that does not signal

# The parameter that names the columns of each kind.
PARAMETERS = {
    "categorical": "categorical_covariates",
    "numeric": "numeric_covariates",
    "ignored": "ignored_columns",
}


class CovariateTable(NamedTuple):
    """The expression and the covariates of a table.

    Attributes
    ----------
    expression : ndarray of shape (n_samples, n_genes)
        Expression in float32 or float64; NaN marks a missing value.
    categorical : ndarray of shape (n_samples, n_categorical), dtype object
        Categories as the user gave them; NaN marks a missing value.
    numeric : ndarray of shape (n_samples, n_numeric), float64
        Numeric covariates; NaN marks a missing value.
    """

    expression: np.ndarray
    categorical: np.ndarray
    numeric: np.ndarray


def split_columns(
    owner: Any, X: Any, columns: dict[str, np.ndarray], *, reset: bool, **options: Any
) -> CovariateTable:
    """Validate X and return its expression and covariates.

    Parameters
    ----------
    owner : estimator
        The estimator that X was given to. With `reset` it gets ``n_features_in_`` and
        ``feature_names_in_``.
    X : array-like or DataFrame of shape (n_samples, n_columns)
        Expression and covariates in any order.
    columns : dict of str to ndarray
        Positions of each kind of column, as returned by :func:`find_columns`. If all of X is
        expression, the positions of the expression are added.
    reset : bool
        True in fit, False in transform.
    **options : object
        Keyword arguments of :func:`sklearn.utils.check_array` for the expression.

    Returns
    -------
    CovariateTable
        The parts of X. They are copies if X has covariates; else the expression may share memory
        with X.

    Raises
    ------
    FeatureMismatchError
        If the columns differ from those seen in fit.
    ValueError
        If expression or numeric covariates hold infinite values or text.
    """
    options = {"ensure_all_finite": "allow-nan", **options}
    if not any(len(columns[kind]) for kind in PARAMETERS):
        with _naming_text_columns(X, "expression"):
            expression = _with_quiet_nan(check_source(owner, X, reset=reset, **options))
        if reset:
            columns["expression"] = np.arange(expression.shape[1])
        return CovariateTable(
            expression, np.empty((len(expression), 0), dtype=object), np.empty((len(expression), 0))
        )
    if not isinstance(X, pd.DataFrame):
        X = check_array(X, dtype=None, ensure_all_finite=False)
    check_source(owner, X, reset=reset, skip_check_array=True)
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(X)
    options.setdefault("dtype", (np.float64, np.float32))
    return CovariateTable(
        _numbers(frame, columns["expression"], "expression", **options),
        _categories(frame.iloc[:, columns["categorical"]]),
        _numbers(
            frame, columns["numeric"], "a numeric covariate", ensure_all_finite="allow-nan"
        ).astype(np.float64),
    )


def find_columns(
    X: Any, keys: dict[str, Any], *, only_covariates: bool = False
) -> dict[str, np.ndarray]:
    """Return the positions of each kind of column.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_samples, n_columns)
        Table of expression and covariates.
    keys : dict
        The column specifiers of "categorical", "numeric" and "ignored", as
        :class:`~sklearn.compose.ColumnTransformer` takes them.
    only_covariates : bool, default=False
        Whether X holds no expression. Columns that are not named are then left out.

    Returns
    -------
    dict of str to ndarray of int
        The positions of each kind of column, those of "expression" included. They are empty for
        "expression" with `only_covariates`, or if no other columns are named.

    Raises
    ------
    FeatureMismatchError
        If a column is absent or listed twice.
    ValueError
        If no expression column is left.
    """
    check_column_names(X, "X")
    columns = {kind: np.array([], dtype=int) for kind in ("expression", *keys)}
    if all(key is None for key in keys.values()):
        return columns
    if not isinstance(X, pd.DataFrame):
        X = check_array(X, dtype=None, ensure_all_finite=False)
    for kind, key in keys.items():
        columns[kind] = _positions(X, key, PARAMETERS[kind])
    covariates = np.concatenate([columns[kind] for kind in keys])
    values, counts = np.unique(covariates, return_counts=True)
    labels = np.asarray(X.columns if isinstance(X, pd.DataFrame) else range(X.shape[1]))
    if (counts > 1).any():
        raise FeatureMismatchError(
            f"A covariate is listed twice: {_some(labels[values[counts > 1]])}. Name each column "
            "once, in one of categorical_covariates, numeric_covariates and ignored_columns."
        )
    if only_covariates:
        return columns
    columns["expression"] = np.setdiff1d(np.arange(X.shape[1]), covariates)
    if not len(columns["expression"]):
        raise ValueError(
            f"All {X.shape[1]} columns of X are covariates; there is no expression to impute. "
            "Check categorical_covariates, numeric_covariates and ignored_columns."
        )
    return columns


def _positions(X: Any, key: Any, parameter: str) -> np.ndarray:
    if callable(key):
        key = key(X)
    if isinstance(key, bool | np.bool_):
        raise ValueError(f"{parameter} must name columns; got {key!r}. Give names or positions.")
    if isinstance(key, Integral | str):  # of NumPy too
        key = int(key) if isinstance(key, Integral) else str(key)
    if key is None or (not isinstance(key, str | int | slice) and len(key) == 0):
        return np.array([], dtype=int)
    if not isinstance(key, str | int | slice):
        key = list(key)
    try:
        return np.asarray(get_column_indices(X, key), dtype=int)
    except (ValueError, IndexError, KeyError) as error:
        held = list(X.columns) if isinstance(X, pd.DataFrame) else [f"0 to {X.shape[1] - 1}"]
        raise FeatureMismatchError(
            f"{parameter}={key!r} names columns that X does not have ({error}). X holds "
            f"{X.shape[1]} columns ({_some(held)}). Correct the parameter, or add the column to X."
        ) from error


def _numbers(frame: pd.DataFrame, positions: np.ndarray, role: str, **options: Any) -> np.ndarray:
    """Return the columns at `positions` as one array of numbers."""
    part = frame.iloc[:, positions]
    if part.shape[1] == 0:
        return np.empty((len(part), 0))
    with _naming_text_columns(part, role), np.errstate(invalid="ignore"):
        return _with_quiet_nan(check_array(part, input_name="X", **options))


def _with_quiet_nan(values: np.ndarray) -> np.ndarray:
    """Return the values; a copy if they hold R's NA, a NaN on which every computation warns."""
    if values.dtype != np.float64:
        return values
    step = rows_per_block(values.shape[1])
    for start in range(0, len(values), step):
        block = values[start : start + step]
        bits = block[np.isnan(block)].view(np.uint64)
        if not (bits & _QUIET).all():
            return np.where(np.isnan(values), np.nan, values)
    return values


@contextmanager
def _naming_text_columns(X: Any, role: str) -> Iterator[None]:
    """Name the text columns of a frame in the error if it cannot be read as numbers."""
    try:
        yield
    except FeatureMismatchError:
        raise
    except (ValueError, TypeError) as error:
        named = isinstance(X, pd.DataFrame)
        odd = [name for name in X.columns if not _is_numeric(X[name])] if named else []
        if not odd:
            raise
        raise ValueError(
            f"X holds {len(odd)} columns of text where {role} is expected (first: {_some(odd)}). "
            "Name them in categorical_covariates, drop them, or convert them to numbers."
        ) from error


def _is_numeric(column: pd.Series) -> bool:
    try:
        column.to_numpy(dtype=float, na_value=np.nan)
    except (ValueError, TypeError):
        return False
    return True


def _categories(part: pd.DataFrame) -> np.ndarray:
    """Return categories as objects; every kind of missing value becomes NaN."""
    values = part.astype(object).to_numpy(dtype=object, copy=True)
    values[pd.isna(values)] = np.nan
    return values
