"""Tables that give the genomic positions of probes and genes, and the checks of such tables."""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from omitrans.utils._validation import check_unique

__all__ = [
    "CHROMOSOMES",
    "ISLAND_RELATIONS",
    "check_gene_table",
    "check_locations",
    "check_probe_table",
    "genomic_order",
    "normalize_chromosomes",
]

CHROMOSOMES = (*map(str, range(1, 23)), "X", "Y", "MT")
ISLAND_RELATIONS = ("island", "shore", "shelf", "open sea")

_PROBE_FLAGS = ("multi_mapped", "on_epic", "snp_within_5bp", "snp_within_10bp")
_STRANDS = {"+": "+", "-": "-", "1": "+", "-1": "-"}
_UNPLACED = {"", "0", "*", ".", "CHR0"}


def check_probe_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Check a table of array probes and bring its columns to fixed types.

    Parameters
    ----------
    frame : DataFrame
        One row per probe. Required columns: ``probe_id`` (it may be the index instead),
        ``chromosome`` and ``position`` (base pairs, a whole number; missing where the probe is
        not mapped). Optional columns with a fixed meaning:

        - ``island_relation``: one of "island", "shore", "shelf", "open sea";
        - ``on_epic``: whether the probe is also on the EPIC array;
        - ``snp_within_5bp``, ``snp_within_10bp``: whether a known SNP lies within that
          distance of the target;
        - ``multi_mapped``: whether the probe maps to more than one place;
        - ``gene_symbol``: the genes of the probe, text;
        - ``design``: "I" or "II".

        Further columns are kept as they are.

    Returns
    -------
    DataFrame
        New table with a default index: ids, chromosomes and texts as strings, positions as
        ``Int64``, flags as bool.

    Raises
    ------
    FeatureMismatchError
        If a probe id occurs more than once.
    ValueError
        If a column is missing or breaks its rule; the message says how to correct it.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.annotation import check_probe_table
    >>> check_probe_table(
    ...     pd.DataFrame({"probe_id": ["cg1", "cg2"], "chromosome": ["chr1", "chrX"],
    ...                   "position": [100, None]})
    ... )
      probe_id chromosome  position
    0      cg1          1       100
    1      cg2          X      <NA>
    """
    table = _check_table(frame, "probe_id", ("chromosome", "position"), kind="probe table")
    table["position"] = _whole_numbers(table, "position", "probe_id")
    for name in _present(table, _PROBE_FLAGS):
        table[name] = _flags(table[name])
    for name, allowed in (("island_relation", ISLAND_RELATIONS), ("design", ("I", "II"))):
        if name in table:
            table[name] = _choices(table[name], {value: value for value in allowed})
    if "gene_symbol" in table:
        table["gene_symbol"] = table["gene_symbol"].astype("string")
    return table


def check_gene_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Check a table of genes and bring its columns to fixed types.

    Parameters
    ----------
    frame : DataFrame
        One row per gene. Required columns: ``gene_id`` (it may be the index instead),
        ``chromosome``, and ``position`` or ``start`` (base pairs, whole numbers; missing where the
        position of the gene is not known). Optional columns: ``end``, ``strand`` ("+" or "-"; 1 and
        -1 are also accepted) and ``gene_symbol``. Further columns are kept as they are.

    Returns
    -------
    DataFrame
        New table with a default index. It always has a column ``position``, which is a copy of
        ``start`` if the given table has no positions.

    Raises
    ------
    FeatureMismatchError
        If a gene id occurs more than once.
    ValueError
        If a column is missing or breaks its rule; the message says how to correct it.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.annotation import check_gene_table
    >>> check_gene_table(
    ...     pd.DataFrame({"gene_id": ["ENSG01"], "chromosome": ["chrM"], "start": [577],
    ...                   "strand": [1]})
    ... )
      gene_id chromosome  start strand  position
    0  ENSG01         MT    577      +       577
    """
    table = _check_table(frame, "gene_id", ("chromosome",), kind="gene table")
    if not _present(table, ("position", "start")):
        raise ValueError(
            "The gene table needs the column 'position' or 'start' (base pairs); it has: "
            f"{_listed(table.columns)}. Rename the column that holds it."
        )
    for name in _present(table, ("position", "start", "end")):
        table[name] = _whole_numbers(table, name, "gene_id")
    if "position" not in table:
        table["position"] = table["start"]
    if "strand" in table:
        table["strand"] = _choices(table["strand"], _STRANDS)
    if "gene_symbol" in table:
        table["gene_symbol"] = table["gene_symbol"].astype("string")
    return table


def check_locations(frame: pd.DataFrame) -> pd.DataFrame:
    """Reduce a probe or gene table to the chromosome and position of each feature.

    Parameters
    ----------
    frame : DataFrame
        A probe table (it has ``probe_id``) or a gene table (it has ``gene_id``).

    Returns
    -------
    DataFrame
        Table with the columns ``chromosome`` and ``position``, indexed by the ids, in the given
        order.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.annotation import check_locations
    >>> check_locations(
    ...     pd.DataFrame({"gene_id": ["ENSG01"], "chromosome": [7], "start": [5]})
    ... )
            chromosome  position
    gene_id
    ENSG01           7         5
    """
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"The annotation must be a pandas DataFrame; got {type(frame).__name__}.")
    names = {*frame.columns, frame.index.name}
    if "probe_id" in names:
        id_column, table = "probe_id", check_probe_table(frame)
    elif "gene_id" in names:
        id_column, table = "gene_id", check_gene_table(frame)
    else:
        raise ValueError(
            "The annotation needs the column 'probe_id' or 'gene_id'; it has: "
            f"{_listed(frame.columns)}. Rename the column that holds the ids."
        )
    table.index = pd.Index(table[id_column].to_numpy(object), name=id_column)
    return table[["chromosome", "position"]]


def normalize_chromosomes(chromosome: Iterable[Any]) -> pd.Series:
    """Convert chromosome names to one form: "1" to "22", "X", "Y", "MT".

    Parameters
    ----------
    chromosome : array-like or Series
        Names such as "chr1", "1", 1, "chrX" or "M". Names of other sequences (unplaced contigs) are
        kept; an empty name, "0", "*" and "." mean that the chromosome is not known.

    Returns
    -------
    Series of strings
        Converted names, missing where the chromosome is not known.

    Examples
    --------
    >>> from omitrans.annotation import normalize_chromosomes
    >>> normalize_chromosomes(["chr1", 2, "chrM", "*"]).tolist()
    ['1', '2', 'MT', <NA>]
    """
    values = pd.Series(chromosome).astype(object)
    names = {value: _chromosome_name(value) for value in values.dropna().unique()}
    return values.map(names).astype("string")


def genomic_order(chromosome: Iterable[Any], position: Iterable[Any]) -> np.ndarray:
    """Return the order that sorts features along the genome.

    Chromosomes are in the order 1 to 22, X, Y, MT, then other sequences by name; within a
    chromosome, features are in ascending position. Features without a chromosome or position come
    last. Ties keep the given order.

    Parameters
    ----------
    chromosome : array-like or Series of shape (n_features,)
        Names in any form that :func:`normalize_chromosomes` accepts.
    position : array-like or Series of shape (n_features,)
        Positions in base pairs.

    Returns
    -------
    ndarray of shape (n_features,)
        Indices that sort the features, as :func:`numpy.argsort` returns them.

    References
    ----------
    The OmiTrans preprint, section Datasets (location alignment).

    Examples
    --------
    >>> from omitrans.annotation import genomic_order
    >>> genomic_order(["chrX", "2", "10", "2", None], [5, 80, 1, 7, 3])
    array([3, 1, 2, 0, 4])
    """
    names = normalize_chromosomes(chromosome)
    place = pd.to_numeric(pd.Series(position)).to_numpy(float, na_value=np.nan, copy=True)
    if len(names) != len(place):
        raise ValueError(
            f"chromosome and position must be of one length; got {len(names)} and {len(place)}."
        )
    others = sorted(set(names.dropna()).difference(CHROMOSOMES))
    ranks = {name: rank for rank, name in enumerate([*CHROMOSOMES, *others])}
    rank = names.map(ranks).to_numpy(float, na_value=np.nan)
    unmapped = np.isnan(rank) | np.isnan(place)
    place[unmapped] = 0
    return np.lexsort((place, np.where(unmapped, len(ranks), rank)))


def _chromosome_name(value: Any) -> str | None:
    text = str(value).strip()
    # a column of numbers with gaps is read as floats: 1.0
    bare = re.sub("^CHR", "", text.upper()).removesuffix(".0")
    if bare in {"M", "MT"}:
        return "MT"
    if bare in CHROMOSOMES:
        return bare
    return None if text.upper() in _UNPLACED else text


def _check_table(
    frame: pd.DataFrame, id_column: str, required: tuple[str, ...], *, kind: str
) -> pd.DataFrame:
    """Check ids and chromosomes, the columns that all tables share."""
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"The {kind} must be a pandas DataFrame; got {type(frame).__name__}.")
    check_unique(
        frame.columns,
        what=f"The {kind} (its columns)",
        cure="Drop the second: frame.loc[:, ~frame.columns.duplicated()].",
    )
    named_index = frame.index.name == id_column and id_column not in frame
    table = frame.reset_index(drop=not named_index)
    missing = [name for name in (id_column, *required) if name not in table]
    if missing:
        raise ValueError(
            f"The {kind} lacks the column {missing[0]!r}; it has: {_listed(table.columns)}. "
            f"Rename the column that holds it: frame.rename(columns={{...: {missing[0]!r}}})."
        )
    ids = table[id_column].astype("string")
    if ids.isna().any() or ids.eq("").any():
        raise ValueError(
            f"The column {id_column!r} of the {kind} must name every row; "
            f"{int((ids.isna() | ids.eq('')).sum())} are empty. Drop those rows first."
        )
    check_unique(
        pd.Index(ids),
        what=f"The {kind} (its column {id_column!r})",
        cure=f"Keep one row each, e.g. frame.drop_duplicates({id_column!r}).",
    )
    table[id_column] = ids
    table["chromosome"] = normalize_chromosomes(table["chromosome"])
    return table


def _whole_numbers(table: pd.DataFrame, name: str, id_column: str) -> pd.Series:
    """Return a column as Int64; raise an error if a value is not a valid position."""
    numbers = pd.to_numeric(table[name], errors="coerce").astype("Float64")
    whole = numbers.ge(0) & numbers.mod(1).eq(0)  # of infinity NaN, in pandas 3 NA
    wrong = table[name].notna() & ~whole.fillna(False).astype(bool)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"The column {name!r} must hold whole numbers of base pairs, not negative, or nothing; "
            f"{int(wrong.sum())} rows break this (first: {table[name].iloc[row]!r} for "
            f"{table[id_column].iloc[row]}). Set places that are not known to pandas.NA."
        )
    return numbers.astype("Int64")


def _flags(column: pd.Series) -> pd.Series:
    """Return a column of yes and no as bool."""
    if not column.isin([True, False]).all():
        found = column[~column.isin([True, False])].unique().tolist()
        raise ValueError(
            f"The column {column.name!r} must hold True or False in every row; found: "
            f"{_listed(found)}. Decide what they mean, e.g. frame[{column.name!r}] == 'yes' or "
            ".fillna(False)."
        )
    return column.astype(bool)


def _choices(column: pd.Series, allowed: dict[str, str]) -> pd.Series:
    """Return a column of known words in their standard form; empty values stay empty."""
    text = column.astype("string")
    unknown = text[text.notna() & ~text.isin(list(allowed))].unique()
    if len(unknown):
        raise ValueError(
            f"The column {column.name!r} may hold {_listed(allowed)} or nothing; found: "
            f"{_listed(unknown)}. Replace them: frame[{column.name!r}].replace({{...}})."
        )
    return text.map(allowed).astype("string")


def _present(table: pd.DataFrame, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if name in table]


def _listed(values: Iterable[Any], n: int = 12) -> str:
    values = list(values)
    return ", ".join(map(repr, values[:n])) + (", ..." if len(values) > n else "")
