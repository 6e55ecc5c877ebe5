"""CpGs near to each gene, and models of a gene on its nearby CpGs only."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy import sparse

from omitrans.annotation import check_gene_table, check_locations
from omitrans.exceptions import FeatureMismatchError
from omitrans.solvers._sparse_models import SparseModels, fit_models, largest_penalties

_ENTREZ = re.compile(r"(?<=[A-Za-z0-9])[|_]\d+$")


def columns_in_windows(
    feature_names: np.ndarray | None,
    gene_names: np.ndarray,
    *,
    probes: pd.DataFrame | None,
    genes: pd.DataFrame | None,
    window: int,
    tables: tuple[str, str] = ("X", "Y"),
) -> list[np.ndarray]:
    """Return the columns of X within `window` base pairs of each gene.

    Parameters
    ----------
    feature_names : ndarray of str or None
        Names of the columns of X; None if X has no names.
    gene_names : ndarray of str
        Names of the targets.
    probes, genes : DataFrame
        Annotations of the CpGs and the genes. A gene reaches from ``start`` to ``end``, or is the
        point ``position``.
    window : int
        Number of base pairs on either side of a gene.
    tables : (str, str), default=("X", "Y")
        Names of the tables of CpGs and genes, for error messages.

    Returns
    -------
    list of ndarray of int
        One array of column positions per gene; it is empty if no CpG lies near the gene.

    Raises
    ------
    FeatureMismatchError
        If X has no column names, or an annotation knows none of the names.
    ValueError
        If `probes` or `genes` is None.
    """
    if probes is None or genes is None:
        raise ValueError(
            f"window={window} needs the positions of CpGs and genes. Give both probes= and genes=, "
            "tables as omitrans.annotation.check_probe_table and check_gene_table take them."
        )
    if feature_names is None:
        raise FeatureMismatchError(
            "window needs column names to find CpGs and genes in the annotations, but X has none. "
            "Give X and Y as DataFrames."
        )
    sites = check_locations(probes).reindex(feature_names)
    _check_some_known(sites["chromosome"], tables[0], "probes")
    table = check_gene_table(genes).set_index("gene_id").reindex(gene_names)
    _check_some_known(table["chromosome"], tables[1], "genes")
    body = {"start", "end"} <= set(table.columns)
    first = (table["start"] if body else table["position"]).to_numpy(float, na_value=np.nan)
    last = (table["end"] if body else table["position"]).to_numpy(float, na_value=np.nan)
    groups = _sorted_sites(sites)
    nowhere = (np.empty(0), np.empty(0, dtype=int))
    found = []
    for chromosome, low, high in zip(
        table["chromosome"], first - window, last + window, strict=True
    ):
        positions, columns = nowhere if pd.isna(chromosome) else groups.get(chromosome, nowhere)
        begin, end = np.searchsorted(positions, [low, high + 1])
        found.append(np.sort(columns[begin:end]))
    return found


def columns_of_same_name(feature_names: np.ndarray, target_names: np.ndarray) -> list[np.ndarray]:
    """Return the column of X with the name of each target, as tables of one value per gene have.

    An Entrez number behind a symbol, as TCGA's tables have it ("ESR1|2099" or "ESR1_2099"), is left
    out on both sides if the whole names differ.

    Parameters
    ----------
    feature_names : ndarray of str
        Names of the columns of X.
    target_names : ndarray of str
        Names of the targets.

    Returns
    -------
    list of ndarray of int
        One position for each target, or none.
    """
    whole = {str(name): column for column, name in enumerate(feature_names)}
    symbols: dict[str, list[int]] = {}
    for name, column in whole.items():
        symbols.setdefault(_symbol(name), []).append(column)
    found = []
    for target in map(str, target_names):
        same = [whole[target]] if target in whole else symbols.get(_symbol(target), [])
        found.append(np.array(same if len(same) == 1 else [], dtype=int))
    return found


def _symbol(name: str) -> str:
    return _ENTREZ.sub("", name)


def _check_some_known(places: pd.Series, table: str, annotation: str) -> None:
    if places.isna().all():
        raise FeatureMismatchError(
            f"{annotation} places none of the {len(places)} columns of {table} (first: "
            f"{places.index[0]}). Are the ids of the same kind, with or without version?"
        )


def _sorted_sites(sites: pd.DataFrame) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the positions and the columns of the CpGs of each chromosome, sorted by position."""
    sites = sites.assign(column=np.arange(len(sites))).dropna().sort_values("position")
    return {
        str(chromosome): (part["position"].to_numpy(float), part["column"].to_numpy())
        for chromosome, part in sites.groupby("chromosome")
    }


def penalties_in_windows(
    X: np.ndarray, Y: np.ndarray, windows: list[np.ndarray], **options: Any
) -> np.ndarray:
    """Return the smallest penalty of each target at which none of its columns is selected.

    Parameters
    ----------
    X, Y : ndarray
        Features and targets.
    windows : list of ndarray of int
        Columns of X that each target may use.
    **options
        Keyword arguments of :func:`largest_penalties`.

    Returns
    -------
    ndarray of shape (n_targets,)
        The penalties; 0 for a target without columns.
    """
    return np.array(
        [
            largest_penalties(X[:, columns], Y[:, [t]], **options)[0] if len(columns) else 0.0
            for t, columns in enumerate(windows)
        ]
    )


def fit_in_windows(
    X: np.ndarray,
    Y: np.ndarray,
    alphas: np.ndarray,
    windows: list[np.ndarray],
    *,
    rows: np.ndarray | slice = slice(None),
    n_jobs: int | None = None,
    **options: Any,
) -> Iterator[tuple[slice, SparseModels]]:
    """Train models of each target on its own columns, and yield them target by target.

    Parameters
    ----------
    X, Y : ndarray
        Features and targets.
    alphas : ndarray of shape (n_targets, n_alphas)
        Penalties, in descending order along each row. Every solution starts from the one before.
    windows : list of ndarray of int
        Columns of X that each target may use.
    rows : ndarray of int or slice, default=slice(None)
        The rows to train on.
    n_jobs : int or None
        Number of processes, as in joblib.
    **options
        Keyword arguments of :func:`fit_models`.

    Yields
    ------
    target : slice
        Position of the target.
    models : SparseModels
        Models of the target, with coefficients for all columns of X.
    """
    models = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_fit_window)(
            X[rows][:, columns], Y[rows, t], alphas[[t]], columns, X.shape[1], options
        )
        for t, columns in enumerate(windows)
    )
    for t, model in enumerate(models):
        yield slice(t, t + 1), model


def _fit_window(
    X: np.ndarray,
    y: np.ndarray,
    alphas: np.ndarray,
    columns: np.ndarray,
    n_columns: int,
    options: dict[str, Any],
) -> SparseModels:
    n_alphas = alphas.shape[1]
    if not len(columns):  # without columns the mean is the best prediction
        mean = y.mean(dtype=np.float64) if options["fit_intercept"] else 0.0
        return SparseModels(
            sparse.csr_array((n_alphas, n_columns), dtype=X.dtype),
            np.full(n_alphas, mean),
            np.zeros((1, n_alphas)),
            np.zeros((1, n_alphas), dtype=int),
        )
    ((_, models),) = fit_models(X, y[:, None], alphas, n_jobs=None, **options)
    part = models.coef.tocsr()
    coef = sparse.csr_array(
        (part.data, columns[part.indices], part.indptr), shape=(n_alphas, n_columns)
    )
    return models._replace(coef=coef)
