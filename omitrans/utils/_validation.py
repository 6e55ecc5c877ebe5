"""Checks of input tables: same samples, usable names, declared units."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from omitrans.exceptions import FeatureMismatchError, SampleMismatchError
from omitrans.utils._sklearn import validate_data

_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal"}  # of pandas' infer_dtype


def _some(values: Iterable[Any], n: int = 3) -> str:
    """Return the first values as text for a message."""
    values = list(values)
    return ", ".join(map(str, values[:n])) + (", ..." if len(values) > n else "")


def check_unique(ids: pd.Index, *, what: str, cure: str) -> None:
    """Raise an error if an id occurs more than once.

    Parameters
    ----------
    ids : pandas.Index
        Sample or feature ids.
    what : str
        Description of the ids, printed before "has duplicated ids", such as "X (its index of
        samples)".
    cure : str
        Sentence that says what to do.
    """
    if ids.is_unique:
        return
    twice = ids[ids.duplicated()].unique()
    error = SampleMismatchError if "sample" in what else FeatureMismatchError
    raise error(f"{what} has {len(twice)} duplicated ids ({_some(twice)}). {cure}")


def check_paired_samples(X: Any, Y: Any, *, names: tuple[str, str] = ("X", "Y")) -> None:
    """Raise an error unless X and Y have usable names and, if indexed, the same samples in order.

    Arrays carry no ids, so only their lengths are compared (by scikit-learn's checks).

    Parameters
    ----------
    X, Y : array-like, DataFrame or Series
        Source and target tables; only two pandas objects are compared.
    names : tuple of str, default=("X", "Y")
        Names of the two tables, for error messages.
    """
    x, y = names
    for table, name in ((X, x), (Y, y)):
        check_column_names(table, name)
        if isinstance(table, pd.DataFrame | pd.Series):
            check_unique(
                table.index,
                what=f"{name} (its index of samples)",
                cure=f"Keep one row per sample, e.g. {name}[~{name}.index.duplicated()].",
            )
    if not (isinstance(X, pd.DataFrame) and isinstance(Y, pd.DataFrame | pd.Series)):
        return
    if X.index.equals(Y.index):
        return
    only_x, only_y = X.index.difference(Y.index), Y.index.difference(X.index)
    if len(only_x) or len(only_y):
        raise SampleMismatchError(
            f"{x} and {y} hold different samples: {len(only_x)} only in {x} ({_some(only_x)}), "
            f"{len(only_y)} only in {y} ({_some(only_y)}). Keep the shared ones: "
            f"ids = {x}.index.intersection({y}.index); {x}, {y} = {x}.loc[ids], {y}.loc[ids]."
        )
    moved = np.flatnonzero(np.asarray(X.index, object) != np.asarray(Y.index, object))
    if not len(moved):
        return  # the same ids, in indexes of other dtypes
    first = int(moved[0])
    raise SampleMismatchError(
        f"{x} and {y} hold the same samples in another order (row {first}: {X.index[first]!r} in "
        f"{x}, {Y.index[first]!r} in {y}). Sort one of them: {y} = {y}.loc[{x}.index]."
    )


def refuse_labelled_array(table: Any, name: str) -> None:
    """Raise an error for an xarray object, whose names NumPy would drop without a word.

    Parameters
    ----------
    table : array-like or DataFrame
        Table to check.
    name : str
        Name of the table, "X" or "Y", for error messages.
    """
    if all(hasattr(type(table), attribute) for attribute in ("dims", "coords", "to_pandas")):
        raise TypeError(
            f"{name} is an xarray.{type(table).__name__}, as readers of R files return it, and the "
            f"names of its samples and features would be lost. Give {name}.to_pandas(), with "
            f"samples as rows: {name}.to_pandas().T if they are columns."
        )


def check_column_names(table: Any, name: str) -> None:
    """Raise an error if the columns of a DataFrame repeat or mix names with numbers.

    Parameters
    ----------
    table : array-like or DataFrame
        Table to check; only a DataFrame is checked.
    name : str
        Name of the table, "X" or "Y", for error messages.
    """
    refuse_labelled_array(table, name)
    if not isinstance(table, pd.DataFrame):
        return
    check_unique(
        table.columns,
        what=f"{name} (its columns)",
        cure=f"Keep one column per feature, e.g. {name}.loc[:, ~{name}.columns.duplicated()], "
        f"or average them: {name}.T.groupby(level=0).mean().T.",
    )
    check_all_named(table, name)


def check_all_named(table: pd.DataFrame, name: str) -> None:
    """Raise an error if the columns of a DataFrame mix names with numbers.

    Parameters
    ----------
    table : DataFrame
        Table to check.
    name : str
        Name of the table, "X" or "Y", for error messages.
    """
    kinds = {isinstance(column, str) for column in table.columns}
    if len(kinds) == 2:
        odd = [column for column in table.columns if not isinstance(column, str)]
        # a TypeError, as scikit-learn raises for the same fault
        raise TypeError(
            f"{name} mixes {len(odd)} unnamed columns ({_some(map(repr, odd))}) with named ones: "
            "feature names are only supported if all input features have string names. Name all "
            f"columns, or none: {name}.columns = {name}.columns.astype(str)."
        )


def check_has_columns(X: pd.DataFrame) -> None:
    """Raise an error if a DataFrame has no columns.

    Parameters
    ----------
    X : DataFrame
        Samples as rows.
    """
    if X.shape[1] == 0:
        raise ValueError(
            f"Found array with 0 feature(s) (shape={X.shape}) while a minimum of 1 is required: "
            "X has no columns. Check how it was read or filtered."
        )


def check_source(estimator: Any, X: Any, *, reset: bool, **options: Any) -> np.ndarray:
    """Validate X against `estimator` and add the cure to scikit-learn's message.

    Parameters
    ----------
    estimator : estimator
        Estimator that gets ``n_features_in_`` and ``feature_names_in_`` if `reset` is True.
    X : array-like or DataFrame of shape (n_samples, n_features)
        Samples as rows.
    reset : bool
        True in fit; False in predict and transform.
    **options
        Further parameters of :func:`sklearn.utils.validation.validate_data`.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        X as float32 if it was float32, else as float64.
    """
    check_column_names(X, "X")
    if isinstance(X, pd.DataFrame):
        check_has_columns(X)
    options.setdefault("dtype", (np.float64, np.float32))
    try:
        with np.errstate(invalid="ignore"):  # R's NA is a NaN that signals
            return validate_data(estimator, X, reset=reset, **options)
    except ValueError as error:
        text = str(error)
        if "feature names should match" in text or "features, but" in text:
            raise FeatureMismatchError(
                f"{text.rstrip()}\nGive X the columns seen in fit, in their order: "
                "X = X.reindex(columns=model.feature_names_in_), and fill what is then missing."
            ) from error
        if "Input X contains" in text:
            raise ValueError(f"{text}\n{_where_not_finite(X)}") from error
        raise


def _where_not_finite(X: Any) -> str:
    """Return a message about the columns that hold NaN or infinite values."""
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X))
    # column by column: the table may be too large for a second copy of it
    counts = [
        int((~np.isfinite(frame.iloc[:, i].to_numpy(float))).sum()) for i in range(frame.shape[1])
    ]
    columns = frame.columns[np.flatnonzero(counts)]
    return (
        f"Found {sum(counts)} such values in {len(columns)} columns (first: {_some(columns)}). "
        "Fill them first, e.g. with SimpleImputer() at the head of a Pipeline."
    )


def holds_numbers(column: pd.Series) -> bool:
    """Return whether a column holds numbers only, in any dtype; booleans are no numbers.

    Parameters
    ----------
    column : Series
        The column.

    Returns
    -------
    bool
        True for a column of numbers.
    """
    if column.dtype == object:  # numbers beside None, or of several types
        return pd.api.types.infer_dtype(column, skipna=True) in _NUMBERS
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def target_names(Y: Any, n_targets: int) -> np.ndarray:
    """Return the target names of Y: its columns, its Series name, or y0, y1, ...

    Parameters
    ----------
    Y : array-like, DataFrame or Series
        Targets as the user passed them.
    n_targets : int
        Number of targets.

    Returns
    -------
    ndarray of shape (n_targets,), dtype object
        Names of the targets.
    """
    check_column_names(Y, "Y")
    if isinstance(Y, pd.DataFrame):
        return np.asarray(Y.columns, dtype=object)
    if isinstance(Y, pd.Series) and Y.name is not None:
        return np.asarray([Y.name], dtype=object)
    return np.asarray([f"y{i}" for i in range(n_targets)], dtype=object)


def check_no_missing_targets(Y: Any) -> None:
    """Raise an error if targets have missing values, whose errors could not be measured.

    Parameters
    ----------
    Y : DataFrame, Series or ndarray
        Targets to check.
    """
    table = pd.DataFrame(Y, copy=False)
    rows, columns = np.zeros(len(table), dtype=bool), np.zeros(table.shape[1], dtype=bool)
    for start in range(0, len(columns), 1000):  # no mask of the size of Y
        block = table.iloc[:, start : start + 1000].isna().to_numpy()
        rows |= block.any(axis=1)
        columns[start : start + 1000] = block.any(axis=0)
    if not columns.any():
        return
    names = target_names(Y, len(columns))[columns]
    raise ValueError(
        f"Y contains NaN in {columns.sum()} of {len(columns)} targets (first: {_some(names)}) and "
        f"{rows.sum()} of {len(rows)} samples. Leave out these targets or samples, or fill them."
    )


def check_beta_values(X: np.ndarray, *, name: str = "X") -> None:
    """Raise an error if declared beta values lie outside [0, 1]; NaN is allowed.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Methylation beta values.
    name : str, default="X"
        Name of the table, for error messages.
    """
    if X.size == 0:
        return
    with np.errstate(invalid="ignore"):
        low, high = np.fmin.reduce(X, axis=None), np.fmax.reduce(X, axis=None)
    if not (low < 0 or high > 1):
        return
    if low >= -0.5 and high <= 1.5:
        guess = "They leave it slightly, as normalised betas may: clip them, X = X.clip(0, 1)."
    elif low >= 0 and 20 < high <= 100:
        guess = "They look like percentages: divide by 100."
    elif low >= 0 and high <= 20:
        guess = "They look like logarithms of expression: are two tables swapped?"
    elif low == -1 and high <= 1:
        guess = "If -1 stands for missing values, make it NaN."
    elif low < 0 and high < 30:
        guess = "They look like M-values: convert with omitrans.preprocessing.m_to_beta."
    else:
        guess = "They look like neither betas nor M-values: check which matrix was read."
    raise ValueError(
        f"{name} is declared to hold beta values, which lie in [0, 1], "
        f"but its values range from {low:.4g} to {high:.4g}. {guess}"
    )
