"""Check of the correlations between genes, and along a gene network."""

import warnings
from typing import Any

import numpy as np
import pandas as pd

from omitrans.generation._tables import AuditTables, row
from omitrans.metrics import generation_report
from omitrans.metrics._regulation import targets_of

_GOOD_LOSS, _FAIR_LOSS = 0.1, 0.3
_JUDGED = ("s_dist", "s_tf_tg", "s_tg_tg")  # the others vary too much between real tables
_MIN_GENES = 3


def known_edges(network: pd.DataFrame, genes: np.ndarray) -> pd.DataFrame:
    """Return the edges of a network between genes of the tables.

    Parameters
    ----------
    network : DataFrame
        One row per edge with the columns ``regulator`` and ``target``.
    genes : ndarray
        Names of the genes that vary in the training samples.

    Returns
    -------
    DataFrame
        The rows of which both genes are known.

    Raises
    ------
    TypeError, ValueError
        If `network` is no such table, or has no edge between two different known genes.

    Warns
    -----
    UserWarning
        If edges are left out.
    """
    targets_of(network, pd.Index(genes), keep_self_loops=False)
    return network[network["regulator"].isin(genes) & network["target"].isin(genes)]


def correlations(tables: AuditTables, network: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Compare the correlations between genes with those in the test samples.

    Parameters
    ----------
    tables : AuditTables
        The tables.
    network : DataFrame or None
        Result of :func:`known_edges`.

    Returns
    -------
    list of dict
        One row per score; none if fewer than three genes vary in the test samples.
    """
    varies = np.ptp(tables.test.values, axis=0) > 1e-9
    if varies.sum() < _MIN_GENES:
        return []
    test, train, synthetic = (
        pd.DataFrame(part[0][:, varies], columns=tables.genes[varies])
        for part in (tables.test, tables.train, tables.synthetic)
    )
    found = generation_report(test, synthetic, network)
    with warnings.catch_warnings():  # the call above has said it
        warnings.simplefilter("ignore", UserWarning)
        reference = generation_report(test, train, network)
    return [
        row(
            "gene correlations",
            str(name),
            found[name],
            reference=reference[name],
            verdict=_by(reference[name] - found[name]) if name in _JUDGED else "",
        )
        for name in found.index
    ]


def _by(lost: float) -> str:
    if np.isnan(lost):
        return ""
    return "good" if lost <= _GOOD_LOSS else "fair" if lost <= _FAIR_LOSS else "poor"
