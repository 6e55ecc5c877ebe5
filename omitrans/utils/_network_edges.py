"""Reading the edges of a gene-regulatory network that a user gives as a frame."""

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from omitrans.utils._callers import user_level


class NetworkEdges(NamedTuple):
    """Edges between known genes, each once.

    Attributes
    ----------
    regulators, targets : ndarray of int of shape (n_edges,)
        Places of the genes at both ends.
    rows : ndarray of int of shape (n_edges,)
        Row of the network that holds each edge.
    """

    regulators: np.ndarray
    targets: np.ndarray
    rows: np.ndarray


def edges_between(network: Any, genes: pd.Index, *, table: str, kind: str = "") -> NetworkEdges:
    """Return the edges of a network that join two of the genes; self-loops are among them.

    Parameters
    ----------
    network : DataFrame
        One row per edge with the columns ``regulator`` and ``target``. An edge that is listed twice
        counts once, with its first row.
    genes : pandas.Index
        Names of the genes.
    table : str
        What holds the genes, for messages: "the tables" or "y".
    kind : str, default=""
        What the genes have in common, for messages: "that vary".

    Returns
    -------
    NetworkEdges
        The edges, in the order of the network.

    Raises
    ------
    TypeError, ValueError
        If the network is no frame, lacks a column, or joins no two different genes.

    Warns
    -----
    UserWarning
        If some edges are left out because a gene is unknown.
    """
    if not isinstance(network, pd.DataFrame):
        raise TypeError(
            "network must be a DataFrame with the columns 'regulator' and 'target'; found "
            f"{type(network).__name__}."
        )
    lacking = [name for name in ("regulator", "target") if name not in network.columns]
    if lacking:
        raise ValueError(
            f"network lacks the columns {lacking}; it has {list(network.columns)[:6]} and the "
            f"index {network.index.name!r}. Rename them: network.reset_index().rename(columns=...)."
        )
    rows = np.flatnonzero(~network.duplicated(["regulator", "target"]).to_numpy())
    edges = network[["regulator", "target"]].iloc[rows]
    regulators = genes.get_indexer(pd.Index(edges["regulator"]))
    targets = genes.get_indexer(pd.Index(edges["target"]))
    known = (regulators >= 0) & (targets >= 0)
    _report_unknown(edges, known, genes, table, kind)
    if (regulators[known] == targets[known]).all():
        raise ValueError(
            f"All {int(known.sum())} edges of network between genes of {table} are self-loops, "
            "which say nothing about other genes. Give edges between different genes."
        )
    return NetworkEdges(regulators[known], targets[known], rows[known])


def _report_unknown(
    edges: pd.DataFrame, known: np.ndarray, genes: pd.Index, table: str, kind: str
) -> None:
    if not known.any():
        raise ValueError(
            f"None of the {len(edges)} edges of network joins two genes {kind}{' ' * bool(kind)}"
            f"in {table}. Regulators of network are named such as "
            f"{edges['regulator'].unique().tolist()[:3]}, targets such as "
            f"{edges['target'].unique().tolist()[:3]}, and genes of {table} such as "
            f"{genes[:3].tolist()}. Give all the same kind of names."
        )
    if not known.all():
        constant = " or is constant there" if kind else ""
        warnings.warn(
            f"{int((~known).sum())} of {len(edges)} edges of network are left out, because a gene "
            f"of theirs is not in {table}{constant}.",
            UserWarning,
            stacklevel=user_level(),
        )
