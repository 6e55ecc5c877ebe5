"""Helpers that the transformers share: check tables and select columns without extra copies."""

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_array, check_is_fitted

from omitrans.exceptions import FeatureMismatchError
from omitrans.utils import _blocks
from omitrans.utils._sklearn import check_feature_names_in, fit_context
from omitrans.utils._validation import check_beta_values, check_source, refuse_labelled_array
from omitrans.utils._value_range import smallest_and_largest

_FLOATS = (np.float64, np.float32)


class ColumnsMixin(TransformerMixin):
    """Mixin for transformers that return some columns of X in some order.

    A DataFrame is returned for a DataFrame, an array for an array. A class with this mixin calls
    ``_fit_columns`` in fit and has a method ``_choose``, which sets ``column_indices_``: the
    positions in X of the returned columns, in their order. The parameter ``unit`` of the class, if
    present, declares the unit of X.
    """

    column_indices_: np.ndarray
    n_features_in_: int
    unit: str | None = None

    def _choose(self, missing_rates: Callable[[], np.ndarray]) -> None:
        """Set ``column_indices_`` from the column names of X, or from their missing rates."""
        raise NotImplementedError

    def _fit_columns(self, X: Any) -> Self:
        """Check X and select columns."""
        X = check_table(self, X, reset=True, unit=self.unit)
        self._choose(lambda: missing_rates(X))
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def _fit_view(self, view: Any) -> Self:
        """Fit to a :class:`ColumnView` of a checked table."""
        remember_view(self, view)
        self._choose(view.missing_rates)
        return self

    def transform(self, X: Any) -> Any:
        """Return the columns that were selected in fit.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows; NaN is allowed.

        Returns
        -------
        ndarray or DataFrame of shape (n_samples, n_columns)
            Selected columns, as a DataFrame with the same sample index and dtypes if X is a
            DataFrame.
        """
        check_is_fitted(self)
        X = check_table(self, X, reset=False, unit=self.unit)
        return take_columns(X, self.column_indices_)

    def inverse_transform(self, X: Any) -> Any:
        """Put the columns back into the order that they had in fit.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            Table in the form that `transform` returns, or predictions of it.

        Returns
        -------
        ndarray or DataFrame of shape (n_samples, n_features)
            Columns in the order seen in fit; columns that `transform` drops hold NaN.
        """
        check_is_fitted(self)
        self._check_transformed(X)
        source = np.full(self.n_features_in_, -1)
        source[self.column_indices_] = np.arange(len(self.column_indices_))

        def put_back(values: np.ndarray) -> np.ndarray:
            # with allow_fill, -1 gives a column of NaN
            return np.asarray(pd.api.extensions.take(values, source, axis=1, allow_fill=True))

        names = getattr(self, "feature_names_in_", range(self.n_features_in_))
        return map_values(X, put_back, columns=names)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns of X; None takes the names seen in fit, or x0, x1, ...

        Returns
        -------
        ndarray of str
            Names of the returned columns.
        """
        check_is_fitted(self)
        return check_feature_names_in(self, input_features)[self.column_indices_]

    def get_support(self, indices: bool = False) -> np.ndarray:
        """Return which columns of X `transform` returns.

        Parameters
        ----------
        indices : bool, default=False
            Whether to return ascending positions instead of a mask.

        Returns
        -------
        ndarray of shape (n_features,) or (n_columns,)
            True where a column is kept, or the positions of those columns.
        """
        check_is_fitted(self)
        kept = np.zeros(self.n_features_in_, dtype=bool)
        kept[self.column_indices_] = True
        return np.flatnonzero(kept) if indices else kept

    def _check_transformed(self, X: Any) -> None:
        """Raise an error unless X has the columns that transform returns."""
        n_columns = len(self.column_indices_)
        if np.ndim(X) != 2 or np.shape(X)[1] != n_columns:
            raise ValueError(
                f"X must have the {n_columns} columns that transform gives; got an input of shape "
                f"{np.shape(X)}."
            )
        named = isinstance(X, pd.DataFrame) and hasattr(self, "feature_names_in_")
        if named and not np.array_equal(X.columns, self.get_feature_names_out()):
            raise FeatureMismatchError(
                "The columns of X are not those that transform gives, in their order. Reorder "
                "them: X = X[transformer.get_feature_names_out()]."
            )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def remember_view(estimator: Any, view: Any) -> None:
    """Set the attributes that scikit-learn keeps of the table behind a :class:`ColumnView`."""
    estimator.n_features_in_ = view.shape[1]
    if view.names is not None:
        estimator.feature_names_in_ = np.asarray(view.names, dtype=object)
    else:
        estimator.__dict__.pop("feature_names_in_", None)


def check_table(estimator: Any, X: Any, *, reset: bool, unit: str | None = None) -> Any:
    """Validate X and return it, as an array unless it is a DataFrame; infinity is an error.

    NaN is allowed. scikit-learn would copy a DataFrame with NaN and read the dtype of each column,
    which takes seconds for half a million columns. It gets one row only, and the values are read in
    blocks.
    """
    if isinstance(X, pd.DataFrame):
        check_source(estimator, X, reset=reset, skip_check_array=True)
        check_first_row(X)
    else:
        X = check_source(estimator, X, reset=reset, ensure_all_finite=False)
    limits = value_range(X)
    if unit == "beta":
        check_beta_values(limits)
    return X


def check_first_row(X: pd.DataFrame) -> None:
    """Raise an error if a DataFrame has no rows, or columns that are not numeric."""
    if one_dtype(X) in _FLOATS:
        return
    # na_value: pandas' own numbers too; copy: pandas 3 would write it into a read-only view
    first = X.head(1).to_numpy(dtype=object, na_value=np.nan, copy=True)
    try:
        check_array(first, dtype=_FLOATS, ensure_all_finite=False)
    except ValueError as error:
        for name, value in zip(X.columns, first.ravel(), strict=False):
            if isinstance(value, str) and "could not convert" in str(error):
                raise ValueError(
                    f"Column {name!r} of X begins with {value!r}, which is no number. Leave it "
                    f"out: X = X.drop(columns={name!r})."
                ) from error
        raise


def value_range(X: Any) -> np.ndarray:
    """Return the smallest and largest value of a table, or NaN; infinity is an error."""
    low = high = np.nan
    for columns, block in column_blocks(X):
        block_low, block_high = smallest_and_largest(block)
        if np.isinf([block_low, block_high]).any():
            column = columns.start + int(np.flatnonzero(np.isinf(block).any(axis=0))[0])
            raise infinity_error(X.columns[column] if isinstance(X, pd.DataFrame) else column)
        low, high = np.fmin(low, block_low), np.fmax(high, block_high)
    return np.array([low, high])


def missing_rates(X: Any) -> np.ndarray:
    """Return the fraction of missing values in each column of a table."""
    return np.concatenate([np.isnan(block).mean(axis=0) for _, block in column_blocks(X)])


def column_blocks(X: Any) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield the values of X in blocks of columns that together take little memory."""
    for columns in _blocks.column_blocks(*X.shape):
        part = X.iloc[:, columns] if isinstance(X, pd.DataFrame) else X[:, columns]
        yield columns, as_matrix(part)


def column_runs(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Yield small blocks of columns, of at least two columns each if there are two.

    NumPy sums a single column of a row-major table in another order than several columns.
    """
    step = _blocks.columns_per_block(n_rows, _blocks.CACHE_VALUES, at_least=2)
    starts = list(range(0, n_columns, step))
    if len(starts) > 1 and n_columns - starts[-1] == 1:
        starts.pop()
    yield from map(slice, starts, [*starts[1:], n_columns])


def take_columns(X: Any, indices: np.ndarray, order: str | None = None) -> Any:
    """Return the columns at `indices` of a DataFrame or array, in one copy.

    The copy has the memory layout of X or, for an array, the layout `order` ("C" or "F").
    """
    if isinstance(X, pd.DataFrame) or (X.flags.c_contiguous and order != "F"):
        return X.take(indices, axis=1)
    if order != "C":
        return X.T.take(indices, axis=0).T
    taken = np.empty((len(X), len(indices)), X.dtype)
    for columns in _blocks.column_blocks(len(X), len(indices), _blocks.CACHE_VALUES):
        taken[:, columns] = X.T.take(indices[columns], axis=0).T
    return taken


def map_values(X: Any, function: Callable[[np.ndarray], np.ndarray], columns: Any = None) -> Any:
    """Apply `function` to the values of X; for a DataFrame, return one with the new `columns`."""
    refuse_labelled_array(X, "X")
    if not isinstance(X, pd.DataFrame):
        return function(check_array(X, dtype=_FLOATS, ensure_all_finite=False))
    values = function(as_matrix(X))
    columns = X.columns if columns is None else columns
    return pd.DataFrame(values, index=X.index, columns=columns, copy=False)


def find_rows(ids: pd.Index, names: np.ndarray) -> np.ndarray:
    """Return the row of each name among `ids`, -1 if absent; raise an error if all are absent."""
    rows = pd.Index(ids).get_indexer(pd.Index(names))
    if (rows >= 0).any():
        return rows
    bare = pd.Index(names.astype(str)).str.replace(r"\.\d+$", "", regex=True)
    cure = (
        "Without the version suffix they match: table.columns = "
        "table.columns.str.replace(r'\\.\\d+$', '', regex=True)."
        if bare.isin(ids).any()
        else "Give the annotation of this array or these genes. If the names were lost in another "
        "transformer, use its set_output(transform='pandas')."
    )
    raise FeatureMismatchError(
        f"None of the {len(names)} columns (first: {names[0]}) is in the annotation of "
        f"{len(ids)} rows (first: {ids[0] if len(ids) else 'none'}). {cure}"
    )


def as_matrix(X: Any) -> np.ndarray:
    """Return the values of a DataFrame as float32 if all columns are, else as float64; or X."""
    if not isinstance(X, pd.DataFrame):
        return X
    return X.to_numpy(dtype=float_dtype(X), na_value=np.nan)


def float_dtype(frame: pd.DataFrame) -> type:
    """Return float32 if all columns of a DataFrame are float32, else float64."""
    dtype = one_dtype(frame)
    kinds = set(frame.dtypes) if dtype is None else {dtype}
    return np.float32 if kinds == {np.dtype(np.float32)} else np.float64


def one_dtype(frame: pd.DataFrame) -> np.dtype | None:
    """Return the dtype of a DataFrame whose values are one array, None for any other.

    Only one row is read: to read the dtype of each of half a million columns takes a tenth of a
    second.
    """
    row = frame.iloc[:1].to_numpy()
    return row.dtype if np.may_share_memory(row, frame.iloc[:1].to_numpy()) else None


def infinity_error(name: Any) -> ValueError:
    """Return the error about infinity, with the first column that holds it."""
    return ValueError(
        f"The table contains infinity (first in column {name!r}). Mark such values as missing "
        "first: table = table.replace([np.inf, -np.inf], np.nan)."
    )
