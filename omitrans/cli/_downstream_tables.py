"""The tables of ``omitrans downstream``: test and training samples, shared genes and probes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from omitrans.cli._input import check_samples, read_source
from omitrans.cli._output import listed, report_progress
from omitrans.exceptions import FeatureMismatchError, OmiTransError, SampleMismatchError

FromFile = tuple[Path, pd.DataFrame]


def read_tables(
    expression: Mapping[str, Path], methylation: Path | None, *, what: str, samples: str = "auto"
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame | None]:
    """Read tables of expression and one of methylation, with the samples that all hold.

    Parameters
    ----------
    expression : mapping of str to Path
        Files of expression by name; the first gives the order of the samples.
    methylation : Path or None
        File of methylation.
    what : str
        Kind of the samples, for messages, such as "test".
    samples : {"auto", "rows", "columns"}, default="auto"
        Whether samples are rows or columns of the files.

    Returns
    -------
    expression : dict of str to DataFrame
        Expression of the same samples by name.
    methylation : DataFrame or None
        Methylation of these samples.

    Raises
    ------
    SampleMismatchError
        If no sample is in all tables.
    OmiTransError
        If a file cannot be read, or holds a sample or a feature twice.
    """
    tables = {name: _read(path, samples) for name, path in expression.items()}
    ids = [(expression[name], table.index) for name, table in tables.items()]
    probes = None
    if methylation is not None:
        probes = _read(methylation, samples)
        ids.append((methylation, probes.index))
    shared = _shared(ids, "samples")
    if len(ids) == 1:
        report_progress(f"{len(shared):,} {what} samples.")
        return tables, None
    report_progress(
        f"{len(shared):,} {what} samples are in all of {len(ids)} tables (of "
        f"{listed(f'{len(index):,}' for _, index in ids)})."
    )
    tables = {name: _rows(table, shared) for name, table in tables.items()}
    return tables, None if probes is None else _rows(probes, shared)


def _read(path: Path, samples: str) -> pd.DataFrame:
    table = read_source(path, samples=samples)
    check_samples(table, repr(str(path)))
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise OmiTransError(f"{str(path)!r} holds {twice[0]!r} twice. Keep one of them.")
    return table


def _rows(table: pd.DataFrame, samples: pd.Index) -> pd.DataFrame:
    """Return the samples; a copy of a large table is not made for nothing."""
    return table if table.index.equals(samples) else table.loc[samples]


def _shared(tables: list[tuple[Path, pd.Index]], what: str) -> pd.Index:
    """Return the names that all tables hold, in the order of the first."""
    (first, kept), *others = tables
    for path, names in others:
        both = kept[kept.isin(names)]
        if not len(both):
            kind = SampleMismatchError if what == "samples" else FeatureMismatchError
            raise kind(
                f"{str(first)!r} and {str(path)!r} share no {what}: the first holds {what} such as "
                f"{listed(kept, 2)}, the second such as {listed(names, 2)}. They must be written "
                "alike in both. See --samples if samples are taken for features."
            )
        kept = both
    return kept


# --- genes and probes ---


def with_shared_genes(
    measured: Sequence[FromFile], predicted: Mapping[str, FromFile]
) -> tuple[list[pd.DataFrame], dict[str, pd.DataFrame]]:
    """Return expression with the genes that all tables hold and that are measured in all samples.

    Parameters
    ----------
    measured : sequence of (Path, DataFrame)
        Files and measured expression; the first table gives the order of the genes.
    predicted : mapping of str to (Path, DataFrame)
        File and predicted expression by the name of the model.

    Returns
    -------
    measured : list of DataFrame
        Measured expression of the shared genes, in the given order.
    predicted : dict of str to DataFrame
        Predicted expression of the same genes by the name of the model.

    Raises
    ------
    FeatureMismatchError
        If no gene is in all tables.
    OmiTransError
        If predictions of these genes hold missing values, or all genes do where they are measured.
    """
    tables = [*measured, *predicted.values()]
    genes = _shared([(path, table.columns) for path, table in tables], "genes")
    genes = _complete(genes, measured)
    report_progress(f"{len(genes):,} of {measured[0][1].shape[1]:,} genes are judged.")
    found = {name: table.loc[:, genes] for name, (_, table) in predicted.items()}
    for name, table in found.items():
        n_lacking = int(table.isna().any().sum())
        if n_lacking:
            raise OmiTransError(
                f"the predictions of {str(predicted[name][0])!r} hold missing values in "
                f"{n_lacking:,} of {len(genes):,} genes. Leave these genes out of it."
            )
    return [table.loc[:, genes] for _, table in measured], found


def with_shared_probes(tables: Sequence[FromFile]) -> list[pd.DataFrame]:
    """Return methylation with the probes that all tables hold without missing values.

    Parameters
    ----------
    tables : sequence of (Path, DataFrame)
        Files and methylation; the first table gives the order of the probes.

    Returns
    -------
    list of DataFrame
        The tables in the given order.

    Raises
    ------
    FeatureMismatchError
        If no probe is in all tables.
    OmiTransError
        If all probes have missing values.
    """
    probes = _shared([(path, table.columns) for path, table in tables], "probes")
    probes = _complete(probes, tables)
    return [table if table.columns.equals(probes) else table.loc[:, probes] for _, table in tables]


def _complete(names: pd.Index, tables: Sequence[FromFile]) -> pd.Index:
    """Return the features without missing values in any of the tables."""
    kept = names
    for _, table in tables:
        lacking = table.columns[table.isna().any()]
        kept = kept[~kept.isin(lacking)]
    where = " and ".join(repr(str(path)) for path in dict.fromkeys(path for path, _ in tables))
    if not len(kept):
        raise OmiTransError(
            f"all {len(names):,} features of {where} have missing values. Fill them, or leave out "
            "the samples that lack most."
        )
    if len(kept) < len(names):
        report_progress(
            f"Left out: {len(names) - len(kept):,} of {len(names):,} features of {where} that have "
            "missing values."
        )
    return kept
