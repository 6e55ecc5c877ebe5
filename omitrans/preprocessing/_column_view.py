"""View of table columns that are selected and filled step by step, and copied once at the end."""

from collections.abc import Iterator
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd

from omitrans.preprocessing._columns import column_runs, take_columns
from omitrans.utils._blocks import CACHE_VALUES, row_blocks


class Source(Protocol):
    """Source from which a view takes its columns."""

    shape: tuple[int, int]
    dtype: np.dtype
    complete: bool
    """Whether the gathered values have no missing values."""

    def gather(self, columns: np.ndarray | None) -> np.ndarray:
        """Return the values of some columns; None means all columns, which need no copy."""


class TableSource:
    """Table of numbers that is read without changes.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_columns)
        Values of the table.
    complete : bool
        Whether the table has no missing values.
    spare : bool, default=False
        Whether the memory of the table may be reused, because no other code needs the table.
    """

    def __init__(self, values: np.ndarray, *, complete: bool, spare: bool = False) -> None:
        self.values, self.complete, self.spare = values, complete, spare
        self.shape, self.dtype = values.shape, values.dtype

    def gather(self, columns: np.ndarray | None) -> np.ndarray:
        """Return the values of some columns, in the layout of the table."""
        return self.values if columns is None else take_columns(self.values, columns)

    def give_up(self, columns: np.ndarray | None) -> np.ndarray:
        """Return the values of some columns, in the memory of the table where that is faster."""
        if columns is None or not self.spare or 2 * len(columns) < self.shape[1]:
            return self.gather(columns)
        n_rows, n_columns = self.shape[0], len(columns)
        if self.values.flags.c_contiguous:  # no row reaches one that was not yet read
            kept = self.values.reshape(-1)[: n_rows * n_columns].reshape(n_rows, n_columns)
        else:
            kept = self.values[:, :n_columns]
        for rows in row_blocks(n_rows, n_columns, CACHE_VALUES, at_least=8):
            kept[rows] = self.values[rows].take(columns, axis=1)
        return kept


class ColumnView:
    """Some columns of a source, in some order, with the values that replace missing values.

    The steps of a Pipeline pass on a view instead of a table. Selecting columns costs only an array
    of positions; the values are copied when :meth:`to_table` or :meth:`blocks` is called. All
    values are finite or missing: the code that makes a view has checked this.

    Parameters
    ----------
    source : Source
        Source of the values.
    names : Index or ndarray of str, or None
        Names of the columns; None for an array.
    index : Index or None
        Sample index; None for an array.
    table : DataFrame or ndarray, default=None
        Table that equals the whole source, so that an unchanged table is passed on without a copy.
    is_beta : bool, default=False
        Whether all values are known to lie in [0, 1].
    """

    def __init__(
        self,
        source: Source,
        *,
        names: pd.Index | np.ndarray | None,
        index: pd.Index | None,
        table: Any = None,
        is_beta: bool = False,
    ) -> None:
        self.source, self.names, self.index = source, names, index
        self.table, self.is_beta = table, is_beta
        self.columns: np.ndarray | None = None
        self.statistics: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Number of samples and of columns."""
        if self.columns is None:
            return self.source.shape
        return self.source.shape[0], len(self.columns)

    @property
    def complete(self) -> bool:
        """Whether no value is missing."""
        return self.source.complete or self.statistics is not None

    def take(self, indices: np.ndarray) -> Self:
        """Return the view of some of the columns, in the order of `indices`."""
        view = self._copy()
        view.columns = indices if self.columns is None else self.columns[indices]
        view.names = None if self.names is None else self.names.take(indices)
        view.statistics = None if self.statistics is None else self.statistics[indices]
        return view

    def impute(self, statistics: np.ndarray) -> Self:
        """Return the view in which missing values of a column are replaced by its statistic."""
        view = self._copy()
        if self.columns is None:  # what is filled is a copy
            view.columns = np.arange(self.shape[1])
        if not self.complete:
            view.statistics = statistics
        return view

    def named(self, names: np.ndarray | None, *, framed: bool) -> Self:
        """Return the view as a DataFrame with other names, or as an array."""
        view = self._copy()
        view.names = names if framed else None
        if not framed:
            view.index = None
        elif self.index is None:
            view.index = pd.RangeIndex(self.shape[0])
        return view

    def held(self) -> Self:
        """Return a view of a filled copy, if there are missing values to fill."""
        if self.complete == self.source.complete and isinstance(self.source, TableSource):
            return self
        values = self.to_array()
        view = self._copy()
        view.source = TableSource(values, complete=self.complete, spare=True)
        view.columns = view.statistics = None
        return view

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield small blocks of consecutive columns, and their values."""
        for run in column_runs(*self.shape):
            if self.columns is None and isinstance(self.source, TableSource):
                yield run, self.source.gather(None)[:, run]
            else:
                every = np.arange(run.start, run.stop)
                yield run, self.take(every).to_array()

    def missing_rates(self) -> np.ndarray:
        """Return the fraction of missing values in each column."""
        if self.complete:
            return np.zeros(self.shape[1])
        return np.concatenate([np.isnan(block).mean(axis=0) for _, block in self.blocks()])

    def to_array(self, *, last: bool = False) -> np.ndarray:
        """Return the values; `last` promises that the view is not used again."""
        if last and isinstance(self.source, TableSource):
            values = self.source.give_up(self.columns)
        else:
            values = self.source.gather(self.columns)
        if self.statistics is not None:
            for rows in row_blocks(len(values), values.shape[1], CACHE_VALUES):
                missing = np.isnan(values[rows])
                np.copyto(values[rows], self.statistics, where=missing, casting="same_kind")
        return values

    def to_table(self, *, last: bool = False) -> Any:
        """Return the values as a DataFrame, or as an array if the view has no names."""
        if isinstance(self.table, pd.DataFrame):
            return self.table.copy(deep=False)  # whoever gets it may name its columns anew
        if self.table is not None:
            return self.table
        values = self.to_array(last=last)
        if self.names is None:
            return values
        return pd.DataFrame(values, index=self.index, columns=self.names, copy=False)

    def _copy(self) -> Self:
        view = type(self).__new__(type(self))
        view.__dict__.update(self.__dict__, table=None)
        return view
