"""Remove versions from gene ids, rename genes, and make one column per gene."""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from omitrans.exceptions import FeatureMismatchError
from omitrans.preprocessing._columns import column_blocks, float_dtype, take_columns
from omitrans.preprocessing.genes._units import parse_unit
from omitrans.utils._blocks import BLOCK_VALUES, rows_per_block
from omitrans.utils._sklearn import StrOptions, validate_params
from omitrans.utils._validation import _some

_PAR_Y = re.compile(r"^(?:(ENS[A-Z]*\d+(?:\.\d+(?:_\d+)?)?)_PAR_Y|ENSGR(\d+(?:\.\d+)?))$")


def x_copy(name: Any) -> str | None:
    """Return the id on chromosome X of a gene copy on Y, or None for any other name."""
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
    """Make one column per gene.

    Parameters
    ----------
    table : DataFrame
        Table whose columns are joined.
    genes : ndarray of shape (n_columns,)
        Gene of each column; None drops the column.
    status : ndarray of shape (n_columns,)
        Status of each column for the report; "" where there is none yet.
    duplicates, unit, return_report
        See :func:`collapse_genes`.

    Returns
    -------
    DataFrame or tuple of two
        Table with one column per gene, and the report if `return_report` is True.
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
    """Return, for each column, the column of the same gene with the highest mean."""
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
    """Return the first column of each gene, or the mean or sum where there are several."""
    kind, pseudocount = ("linear", 0.0) if unit is None else parse_unit(unit)
    values = table.to_numpy(dtype=float_dtype(table), na_value=np.nan)
    result = values[:, firsts]
    order = np.argsort(codes, kind="stable")
    columns = columns[order]
    genes, starts = np.unique(codes[order], return_index=True)
    step = rows_per_block(len(columns), BLOCK_VALUES)
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


_DUPLICATES = [StrOptions({"error", "max_mean", "mean", "sum", "first"})]
# An Ensembl id of a gene, transcript, protein or exon of any species, its version, the number that
# GENCODE adds in lifting to GRCh37, and its mark of the copy on chromosome Y.
_VERSIONED = re.compile(r"^(ENS[A-Z]*\d{6,})\.\d+(?:_\d+)?(_PAR_Y)?$")


@validate_params({"names": ["array-like"]}, prefer_skip_nested_validation=True)
def strip_gene_version(names: Iterable[Any]) -> np.ndarray:
    """Remove the version from Ensembl ids.

    Parameters
    ----------
    names : array-like of str
        Gene ids, such as the columns of a table.

    Returns
    -------
    ndarray of str, dtype object
        Ids without version: "ENSG00000223972.5" becomes "ENSG00000223972". The copies of
        pseudoautosomal genes on chromosome Y keep their mark, ``_PAR_Y`` or the R of old ids
        (ENSGR0000182378), so that they stay distinct from the genes on X. Names that are not
        Ensembl ids are not changed: "RP11-34P13.7" is a gene, not the seventh version of a gene.

    See Also
    --------
    collapse_genes : Removes versions from the columns of a table and handles duplicates.

    Examples
    --------
    >>> from omitrans.preprocessing import strip_gene_version
    >>> strip_gene_version(["ENSG00000223972.5", "ENSG00000002586.18_PAR_Y", "AC006547.1"])
    array(['ENSG00000223972', 'ENSG00000002586_PAR_Y', 'AC006547.1'], dtype=object)
    """
    return np.array(
        [
            _VERSIONED.sub(r"\1\2", name) if isinstance(name, str) else name
            for name in np.asarray(names, dtype=object)
        ],
        dtype=object,
    )


@validate_params(
    {
        "table": [pd.DataFrame],
        "duplicates": _DUPLICATES,
        "unit": [str, None],
        "par_y": [StrOptions({"keep", "drop", "merge"})],
        "return_report": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def collapse_genes(
    table: pd.DataFrame,
    *,
    duplicates: str = "error",
    unit: str | None = None,
    par_y: str = "keep",
    return_report: bool = False,
) -> Any:
    """Remove the versions from the gene ids and make one column per gene.

    Parameters
    ----------
    table : DataFrame of shape (n_samples, n_columns)
        Expression values with gene ids or symbols as columns; NaN is allowed.
    duplicates : {"error", "max_mean", "mean", "sum", "first"}, default="error"
        What to do with several columns of one gene: raise an error; keep the column with the
        highest mean; take the mean or the sum of the observed values, sample by sample; keep the
        first column.
    unit : str or None, default=None
        Unit of the values. With None, "mean" and "sum" use the values as they are: a sum of
        logarithms has no meaning, and a mean of logarithms is the logarithm of a geometric mean.
        With a unit such as "log2(FPKM + 1)" they use the abundances, and the result is converted
        back to logarithms. The other policies need no unit.
    par_y : {"keep", "drop", "merge"}, default="keep"
        What to do with the copies of pseudoautosomal genes on chromosome Y (``_PAR_Y`` or ENSGR
        ids): keep them as separate genes, drop them, or give them the id of the copy on X, so that
        `duplicates` decides. Most aligners count all reads for X and leave zeros on Y.
    return_report : bool, default=False
        Whether to also return a report on each column.

    Returns
    -------
    DataFrame of shape (n_samples, n_genes)
        Table with one column per gene, at the position of its first column; float32 stays float32.
    DataFrame
        Only with `return_report`: one row per column of `table`, in its order and indexed by its
        name, with ``gene`` (the new name, missing if there is none) and ``status``: "kept",
        "renamed", "merged" (with others into one column), "chosen" (of several, by "first" or
        "max_mean"), "not chosen" or "par_y" (dropped).

    Raises
    ------
    FeatureMismatchError
        If a gene has several columns and `duplicates` is "error".

    See Also
    --------
    map_gene_ids : Renames genes by a gene table, with the same policies.

    Notes
    -----
    "max_mean" uses all samples of the table, so that it may select another column in another
    cohort. For a model, select the columns once and use the columns that the report names for all
    cohorts. Where no column is dropped or merged, the result shares its values with `table`.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.preprocessing import collapse_genes
    >>> table = pd.DataFrame(
    ...     [[1.0, 2.0, 3.0]],
    ...     columns=["ENSG00000223972.5", "ENSG00000227232.5", "ENSG00000223972.4"],
    ... )
    >>> collapse_genes(table, duplicates="mean")
       ENSG00000223972  ENSG00000227232
    0              2.0              2.0
    >>> _, report = collapse_genes(table, duplicates="first", return_report=True)
    >>> report["status"].tolist()
    ['chosen', 'renamed', 'not chosen']
    """
    genes = strip_gene_version(table.columns)
    status = np.full(len(genes), "", dtype=object)
    if par_y != "keep":
        copies = np.array([x_copy(name) for name in genes], dtype=object)
        on_y = pd.notna(copies)
        if par_y == "merge":
            genes = np.where(on_y, copies, genes)
        else:
            genes[on_y] = None
            status[on_y] = "par_y"
    return collapse_columns(table, genes, status, duplicates, unit, return_report)


@validate_params(
    {
        "table": [pd.DataFrame],
        "genes": [pd.DataFrame],
        "to": [str],
        "source": [str, None],
        "unmapped": [StrOptions({"drop", "keep", "error"})],
        "duplicates": _DUPLICATES,
        "unit": [str, None],
        "return_report": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def map_gene_ids(
    table: pd.DataFrame,
    genes: pd.DataFrame,
    *,
    to: str = "gene_symbol",
    source: str | None = None,
    unmapped: str = "drop",
    duplicates: str = "error",
    unit: str | None = None,
    return_report: bool = False,
) -> Any:
    """Rename the genes of a table by a gene table, for example from Ensembl ids to symbols.

    Names are compared as they are and, where that fails, without the versions of Ensembl ids on
    both sides.

    Parameters
    ----------
    table : DataFrame of shape (n_samples, n_columns)
        Expression values with gene ids or symbols as columns; NaN is allowed.
    genes : DataFrame
        Gene table, as :func:`omitrans.io.read_gene_table` returns it.
    to : str, default="gene_symbol"
        Column of `genes` with the new names.
    source : str or None, default=None
        Column of `genes` with the present names; None takes "gene_id", or "gene_symbol" if `to` is
        "gene_id".
    unmapped : {"drop", "keep", "error"}, default="drop"
        What to do with columns that have no new name, or more than one: drop them, keep them under
        their present name, or raise an error.
    duplicates : {"error", "max_mean", "mean", "sum", "first"}, default="error"
        What to do with several columns that get the same name, as in :func:`collapse_genes`. In
        GRCh38 some 1,700 ids share about 150 symbols, most of them small RNAs (Y_RNA).
    unit : str or None, default=None
        Unit of the values, for "mean" and "sum", as in :func:`collapse_genes`.
    return_report : bool, default=False
        Whether to also return a report on each column.

    Returns
    -------
    DataFrame of shape (n_samples, n_genes)
        Table with one column per gene, at the position of its first column; float32 stays float32.
    DataFrame
        Only with `return_report`: as in :func:`collapse_genes`; ``status`` may also be "unmapped"
        (not in `genes`, or without a name there) and "ambiguous" (more than one name).

    Raises
    ------
    FeatureMismatchError
        If no column is found in `genes`, or duplicates or unmapped columns are errors.

    See Also
    --------
    collapse_genes : Removes versions and merges duplicates without a gene table.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.preprocessing import map_gene_ids
    >>> genes = pd.DataFrame(
    ...     {"gene_id": ["ENSG00000141510.18"], "gene_symbol": ["TP53"], "chromosome": ["17"]}
    ... )
    >>> table = pd.DataFrame([[3.0, 1.0]], columns=["ENSG00000141510.11", "ENSG00000000001.1"])
    >>> renamed, report = map_gene_ids(table, genes, return_report=True)
    >>> renamed
       TP53
    0   3.0
    >>> report["status"].tolist()
    ['renamed', 'unmapped']
    """
    source = source or ("gene_symbol" if to == "gene_id" else "gene_id")
    for name in (source, to):
        if name not in genes:
            raise ValueError(
                f"genes lacks the column {name!r}; it has: {', '.join(map(str, genes.columns))}."
            )
    names, ambiguous = _look_up(table.columns, genes[source], genes[to])
    status = np.where(ambiguous, "ambiguous", np.where(pd.isna(names), "unmapped", ""))
    status = status.astype(object)
    _check_mapped(table.columns, status, genes[source], unmapped)
    if unmapped == "keep":
        names = np.where(status == "", names, table.columns.to_numpy(dtype=object))
    return collapse_columns(table, names, status, duplicates, unit, return_report)


def _look_up(
    columns: pd.Index, present: pd.Series, wanted: pd.Series
) -> tuple[np.ndarray, np.ndarray]:
    """Return the new name of each column (or None) and whether it has several new names."""
    pairs = pd.DataFrame({"present": present.astype(object), "wanted": wanted.astype(object)})
    pairs = pairs[pairs["present"].notna() & pairs["wanted"].notna() & (pairs["wanted"] != "")]
    names, several = _match(columns.to_numpy(dtype=object), pairs)
    missing = pd.isna(names) & ~several
    if missing.any():
        bare = pairs.assign(present=strip_gene_version(pairs["present"]))
        names[missing], several[missing] = _match(strip_gene_version(columns[missing]), bare)
    return names, several


def _match(names: np.ndarray, pairs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    pairs = pairs.drop_duplicates()
    # of the two ids of a gene on X and Y, the one on X is its name
    on_y = np.array([x_copy(name) is not None for name in pairs["wanted"]], dtype=bool)
    on_x = set(pairs.loc[~on_y, "present"])
    pairs = pairs[~(on_y & pairs["present"].isin(on_x))]
    several = set(pairs.loc[pairs["present"].duplicated(), "present"])
    single = pairs[~pairs["present"].isin(several)].set_index("present")["wanted"]
    found = single.reindex(names).to_numpy(dtype=object, copy=True)
    found[pd.isna(found)] = None
    return found, pd.Index(names).isin(several)


def _check_mapped(columns: pd.Index, status: np.ndarray, known: pd.Series, unmapped: str) -> None:
    lost = columns[status != ""]
    if len(lost) == len(columns) and len(columns):
        raise FeatureMismatchError(
            f"None of the {len(columns)} columns (first: {_some(columns)}) has one name in genes, "
            f"whose column {known.name!r} begins with {_some(known)}. State which column holds "
            "such names (source=...), and take the table of the same species."
        )
    if unmapped == "error" and len(lost):
        raise FeatureMismatchError(
            f"{len(lost)} of {len(columns)} columns have no name or several in genes "
            f"({_some(lost)}). Use unmapped='drop' or 'keep', or the gene table of their release."
        )
