"""Find the probes of a model among the columns of a table, and combine replicates."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from omitrans.exceptions import FeatureMismatchError
from omitrans.preprocessing._columns import as_matrix, column_runs, take_columns
from omitrans.preprocessing.probes._probe_names import (
    measures_methylation,
    share_of_probe_names,
    trim_suffix,
)
from omitrans.utils._validation import check_all_named, check_column_names, check_has_columns

REPLICATES = ("mean", "median", "first")


class ProbeColumns(NamedTuple):
    """Assignment of the columns of a table to probes."""

    probes: np.ndarray
    """Names of the requested probes."""
    first: np.ndarray
    """Position of the first column of each probe; -1 if the table lacks the probe."""
    replicates: pd.DataFrame
    """Replicates of probes: the ``column`` and the ``probe`` (a position in `probes`) of each."""

    def are_all(self, X: Any) -> bool:
        """Return whether the probes are the columns of X, one by one."""
        return np.array_equal(self.first, np.arange(X.shape[1])) and not len(self.replicates)

    def part(self, start: int, stop: int) -> "ProbeColumns":
        """Return the assignment for a range of the probes."""
        own = self.replicates[self.replicates["probe"].between(start, stop - 1)]
        return ProbeColumns(
            self.probes[start:stop],
            self.first[start:stop],
            own.assign(probe=own["probe"] - start),
        )

    def subset(self, positions: np.ndarray) -> "ProbeColumns":
        """Return the assignment for some of the probes, in any order."""
        own = self.replicates
        if len(own):
            place = np.full(len(self.first), -1)
            place[positions] = np.arange(len(positions))
            own = own.assign(probe=place[own["probe"]])
            own = own[own["probe"] >= 0]
        return ProbeColumns(self.probes[positions], self.first[positions], own)


def methylation_probes(columns: Iterable[str]) -> np.ndarray:
    """Return the distinct probes that measure methylation, without suffix, in order."""
    trimmed = trim_suffix(columns)
    return np.asarray(pd.unique(trimmed[measures_methylation(trimmed)]), dtype=object)


def find_probes(columns: Iterable[str], probes: np.ndarray) -> ProbeColumns:
    """Find `probes` among the columns of a table; replicates share a name without suffix."""
    trimmed = trim_suffix(columns)
    if np.array_equal(trimmed, probes):  # saves the time to look each of them up
        return every_column(probes)
    probe = pd.Index(probes).get_indexer(pd.Index(trimmed))
    found = pd.DataFrame({"column": np.arange(len(probe)), "probe": probe})
    found = found[found["probe"] >= 0]
    first = np.full(len(probes), -1)
    firsts = found.drop_duplicates("probe")
    first[firsts["probe"]] = firsts["column"]
    return ProbeColumns(probes, first, found[found["probe"].duplicated(keep=False)])


def every_column(names: np.ndarray) -> ProbeColumns:
    """Return the assignment for a table without names, in which each column is one probe."""
    none = pd.DataFrame({"column": np.array([], int), "probe": np.array([], int)})
    return ProbeColumns(names, np.arange(len(names)), none)


def check_probe_columns(X: pd.DataFrame) -> None:
    """Raise an error if columns are unusable; only probes with replicates may repeat."""
    if isinstance(X.columns, pd.MultiIndex):
        raise TypeError(
            f"The columns of X have {X.columns.nlevels} levels (first: {X.columns[0]!r}). Keep the "
            "level that holds the probes: X.columns = X.columns.get_level_values(-1)."
        )
    check_all_named(X, "X")
    check_has_columns(X)
    if not X.columns.is_unique:
        is_probe = [str(name).startswith(("cg", "ch.", "rs", "ctl", "nv-")) for name in X.columns]
        check_column_names(X.loc[:, ~np.array(is_probe)], "X")


def remember_columns(estimator: Any, X: pd.DataFrame) -> None:
    """Set the attributes that scikit-learn keeps of a table, but allow repeated names."""
    estimator.n_features_in_ = X.shape[1]
    if isinstance(X.columns[0], str):
        estimator.feature_names_in_ = np.asarray(X.columns, dtype=object)
    else:
        estimator.__dict__.pop("feature_names_in_", None)


def check_known_probes(X: pd.DataFrame, where: ProbeColumns) -> None:
    """Raise an error with a likely reason if no probe was found in X."""
    probes = where.probes
    if (where.first >= 0).any():
        return
    # pandas hashes; numpy compares objects one by one
    if pd.Index(trim_suffix(map(str, X.index))).isin(probes).any():
        raise FeatureMismatchError(
            "The table is transposed: the model's probes are its rows. Samples must be rows: "
            "X = X.T."
        )
    raise FeatureMismatchError(
        f"The table holds none of the model's {len(probes)} probes (first: {probes[0]}); its first "
        f"column is {X.columns[0]!r}. Give a table whose columns are named by probe."
    )


def refuse_transposed(X: Any) -> None:
    """Raise an error if rows, not columns, are named like CpG probes."""
    if not isinstance(X, pd.DataFrame) or X.empty:
        return
    if share_of_probe_names(X.index) > 0.5 > share_of_probe_names(X.columns):
        raise FeatureMismatchError(
            f"The table is transposed: its rows are probes (first: {X.index[0]}). Samples must be "
            "rows: X = X.T."
        )


def take_probes(
    X: Any, where: ProbeColumns, replicates: str, *, order: str | None = None
) -> np.ndarray:
    """Return the values of the probes; NaN where the table lacks them.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n_samples, n_columns)
        Table with samples as rows.
    where : ProbeColumns
        Columns of the probes, as `find_probes` returns them.
    replicates : {"mean", "median", "first"}
        How replicates of a probe are combined to one value; missing replicates are ignored.
    order : {"C", "F"} or None, default=None
        Memory layout of the values; None keeps the layout of X.

    Returns
    -------
    ndarray of shape (n_samples, n_probes)
        New array, as float32 if X is float32, else as float64.
    """
    values = as_matrix(X)
    absent = where.first < 0
    taken = take_columns(values, np.where(absent, 0, where.first), order)
    if absent.any():
        taken[:, absent] = np.nan
    for probes, columns in _of_one_size(where.replicates):
        taken[:, probes] = _JOIN[replicates]([values[:, ranked] for ranked in columns.T])
    return taken


def probe_blocks(X: Any, where: ProbeColumns, replicates: str) -> Iterator[np.ndarray]:
    """Yield the values of the probes, some probes at a time, so that they take little memory."""
    values = as_matrix(X)  # once: frames of several dtypes are copied
    for run in column_runs(len(values), len(where.probes)):
        yield take_probes(values, where.part(run.start, run.stop), replicates)


def framed(X: Any, values: np.ndarray, names: np.ndarray) -> Any:
    """Return new values as a DataFrame with the samples of X, if X is a DataFrame."""
    if not isinstance(X, pd.DataFrame):
        return values
    return pd.DataFrame(values, index=X.index, columns=names, copy=False)


def unchanged(X: Any, values: np.ndarray, names: Any) -> Any:
    """Return X, with other column names if given, without a copy if its dtype is right.

    Other dtypes, such as float16, become the dtype of tables that have missing values.
    """
    if not isinstance(X, pd.DataFrame):
        return X
    names = np.asarray(X.columns if names is None else names)
    if set(X.dtypes) != {values.dtype}:
        return framed(X, values, names)
    if np.array_equal(X.columns, names):
        return X.copy(deep=False)  # set_output names the columns of what it is given, in place
    return X.set_axis(names, axis=1)


def _of_one_size(replicates: pd.DataFrame) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield probes with equally many replicates, and their columns (one row per probe)."""
    if not len(replicates):
        return
    replicates = replicates.sort_values(["probe", "column"])
    size = replicates.groupby("probe")["column"].transform("size")
    for number, group in replicates.groupby(size):
        columns = group["column"].to_numpy().reshape(-1, int(cast(int, number)))
        yield group["probe"].to_numpy()[:: columns.shape[1]], columns


# Columns are joined one after the other: a sum along an axis would round by the shape of the batch.


def _mean(columns: list[np.ndarray]) -> np.ndarray:
    total = np.zeros_like(columns[0])
    count = np.zeros_like(total)
    for values in columns:
        observed = ~np.isnan(values)
        total += np.where(observed, values, 0)
        count += observed
    with np.errstate(invalid="ignore"):  # 0 / 0: no replicate is observed
        return total / count


def _median(columns: list[np.ndarray]) -> np.ndarray:
    ordered = np.sort(np.stack(columns), axis=0)  # NaN last
    count = (~np.isnan(ordered)).sum(axis=0)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0)[None] // 2, axis=0)[0]
    high = np.take_along_axis(ordered, np.minimum(count // 2, len(columns) - 1)[None], axis=0)[0]
    return (low + high) / 2


def _first(columns: list[np.ndarray]) -> np.ndarray:
    result = columns[0].copy()
    for values in columns[1:]:
        np.copyto(result, values, where=np.isnan(result))
    return result


_JOIN = {"mean": _mean, "median": _median, "first": _first}
