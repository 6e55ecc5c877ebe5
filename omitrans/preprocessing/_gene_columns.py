"""Make one column of each gene."""

import re
from typing import Any

import numpy as np
import pandas as pd

from omitrans.exceptions import FeatureMismatchError
from omitrans.preprocessing._columns import column_blocks, float_dtype, take_columns
from omitrans.preprocessing._units import parse_unit
from omitrans.utils._validation import _some

_PAR_Y = re.compile(r"^(?:(ENS[A-Z]*\d+(?:\.\d+(?:_\d+)?)?)_PAR_Y|ENSGR(\d+(?:\.\d+)?))$")
_BLOCK_ELEMENTS = 2**22


def x_copy(name: Any) -> str | None:
    """Return the id on chromosome X of a copy on Y, None for any other name."""
    found = _PAR_Y.match(name) if isinstance(name, str) else None
    if not found:
        return None
    return found[1] or f"ENSG0{found[2]}"


def collapse_columns(
    table: pd.DataFrame,
    genes: np.ndarray,
    status: np.ndarray,
    duplicates: str,
    unit: str | None,
    return_report: bool,
) -> Any:
    """Make one column of each gene.

    Parameters
    ----------
    table : DataFrame
        The columns.
    genes : ndarray of shape (n_columns,)
        The gene of each column; None drops it.
    status : ndarray of shape (n_columns,)
        What is known of a column for the report; "" where nothing is.
    duplicates, unit, return_report
        As in ``collapse_genes``.

    Returns
    -------
    DataFrame or tuple of two
        The table, and the report if it is asked for.
    """
    kept = np.flatnonzero(~pd.isna(genes))
    codes, names = pd.factorize(genes[kept])
    shared = np.bincount(codes, minlength=len(names))[codes] > 1
    columns, codes_shared = kept[shared], codes[shared]
    if duplicates == "error" and shared.any():
        raise _duplicates_error(genes[columns], table.columns[columns])
    chosen = kept[np.unique(codes, return_index=True)[1]]
    if duplicates == "max_mean":
        chosen[codes_shared] = _highest(table, columns, codes_shared)
    if duplicates in {"mean", "sum"} and shared.any():
        result = _aggregate(table, chosen, columns, codes_shared, duplicates, unit)
    elif np.array_equal(chosen, np.arange(table.shape[1])):
        result = table.copy(deep=False)
    else:
        result = take_columns(table, chosen)
    result.columns = pd.Index(names, name=table.columns.name)
    if not return_report:
        return result
    same = genes == table.columns.to_numpy(dtype=object)
    outcome = np.where(same, "kept", "renamed").astype(object)
    if duplicates in {"mean", "sum"}:
        outcome[columns] = "merged"
    else:
        outcome[columns] = np.where(np.isin(columns, chosen), "chosen", "not chosen")
    status = np.where(status == "", outcome, status)
    return result, pd.DataFrame({"gene": genes, "status": status}, index=table.columns)


def _duplicates_error(genes: np.ndarray, columns: pd.Index) -> FeatureMismatchError:
    counts = pd.Series(genes).value_counts(sort=False)
    first = columns[genes == counts.index[0]]
    on_y = any(x_copy(name) is not None for name in columns)
    cure = "State duplicates='max_mean', 'mean', 'sum' or 'first'" + (
        ", or first drop the copies on chromosome Y: collapse_genes(table, par_y='drop')."
        if on_y
        else "."
    )
    return FeatureMismatchError(
        f"{len(counts)} genes have several columns, {len(columns)} in all (first: "
        f"{counts.index[0]} in {_some(first)}). {cure}"
    )


def _highest(table: pd.DataFrame, columns: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return, for each of the columns, which column of its gene has the highest mean."""
    means = np.full(len(columns), -np.inf)
    blocks = column_blocks(table.iloc[:, columns]) if len(columns) and len(table) else ()
    for part, block in blocks:
        count = (~np.isnan(block)).sum(axis=0)
        total = np.nansum(block, axis=0, dtype=np.float64)
        np.divide(total, count, out=means[part], where=count > 0)
    order = np.lexsort((columns, -means, codes))
    genes, first = np.unique(codes[order], return_index=True)
    return columns[order[first[np.searchsorted(genes, codes)]]]


def _aggregate(
    table: pd.DataFrame,
    firsts: np.ndarray,
    columns: np.ndarray,
    codes: np.ndarray,
    how: str,
    unit: str | None,
) -> pd.DataFrame:
    """Return the first column of each gene, and the mean or sum where there are several."""
    kind, pseudocount = ("linear", 0.0) if unit is None else parse_unit(unit)
    values = table.to_numpy(dtype=float_dtype(table), na_value=np.nan)
    result = values[:, firsts]
    order = np.argsort(codes, kind="stable")
    columns = columns[order]
    genes, starts = np.unique(codes[order], return_index=True)
    step = max(1, _BLOCK_ELEMENTS // len(columns))
    for start in range(0, len(values), step):
        part = values[start : start + step, columns].astype(np.float64)
        if kind == "log2":
            part = np.exp2(part) - pseudocount
        count = np.add.reduceat(~np.isnan(part), starts, axis=1, dtype=np.int64)
        merged = np.add.reduceat(np.nan_to_num(part, copy=False), starts, axis=1)
        if how == "mean":
            merged /= np.maximum(count, 1)
        if kind == "log2":
            merged = np.log2(np.maximum(merged, 0) + pseudocount)
        merged[count == 0] = np.nan
        result[start : start + step, genes] = merged
    return pd.DataFrame(result, index=table.index, copy=False)
