"""Scores of the correlations along a gene-regulatory network."""

import warnings
from typing import Any

import numpy as np
import pandas as pd

from omitrans.metrics._correlations import correlations_of_pairs, cosine, pair_sums
from omitrans.metrics._standardized import StandardizedPair
from omitrans.utils._blocks import row_blocks
from omitrans.utils._callers import user_level

Targets = dict[int, np.ndarray]


def targets_of(network: Any, genes: pd.Index, *, keep_self_loops: bool) -> Targets:
    """Return the target genes of every regulator.

    Parameters
    ----------
    network : DataFrame
        One row per edge with the columns ``regulator`` and ``target``.
    genes : pandas.Index
        Names of the genes of the tables that vary.
    keep_self_loops : bool
        Whether a regulator may be a target of its own.

    Returns
    -------
    dict of int to ndarray of int
        Column of every regulator, and the columns of its targets.
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
    edges = network[["regulator", "target"]].drop_duplicates()
    regulators = genes.get_indexer(pd.Index(edges["regulator"]))
    targets = genes.get_indexer(pd.Index(edges["target"]))
    known = (regulators >= 0) & (targets >= 0)
    _report_unknown(edges, known, genes)
    regulators, targets = regulators[known], targets[known]
    other = regulators != targets
    if not other.any():
        raise ValueError(
            f"All {len(other)} edges of network between genes of the tables are self-loops, whose "
            "correlation is 1 in any table. Give edges between different genes."
        )
    if not keep_self_loops:
        regulators, targets = regulators[other], targets[other]
    order = np.lexsort((targets, regulators))
    found, starts = np.unique(regulators[order], return_index=True)
    return dict(zip(found.tolist(), np.split(targets[order], starts[1:]), strict=True))


def _report_unknown(edges: pd.DataFrame, known: np.ndarray, genes: pd.Index) -> None:
    if not known.any():
        raise ValueError(
            f"None of the {len(edges)} edges of network joins two genes that vary in the tables. "
            f"network has regulators such as {edges['regulator'].tolist()[:3]} and targets such as "
            f"{edges['target'].tolist()[:3]}; the tables have genes such as "
            f"{genes[:3].tolist()}. Give both the same kind of names."
        )
    if not known.all():
        warnings.warn(
            f"{int((~known).sum())} of {len(edges)} edges of network are left out, because a gene "
            "of theirs is not in the tables or is constant there.",
            UserWarning,
            stacklevel=user_level(),
        )


def tf_tg_score(pair: StandardizedPair, targets: Targets, formula: str) -> float:
    """Return the weighted mean over regulators of the cosine of their edges' correlations.

    Parameters
    ----------
    pair : StandardizedPair
        The two tables.
    targets : dict of int to ndarray of int
        Result of :func:`targets_of`.
    formula : {"code", "paper"}
        "paper" takes the distances 1 - r in place of the correlations r.

    Returns
    -------
    float
        The score.
    """
    sizes = np.array([len(those) for those in targets.values()])
    first, second = np.repeat(list(targets), sizes), np.concatenate(list(targets.values()))
    x = correlations_of_pairs(pair.real, first, second)
    z = correlations_of_pairs(pair.synthetic, first, second)
    if formula == "paper":
        x, z = 1 - x, 1 - z
    starts = np.cumsum(sizes) - sizes
    sums = (np.add.reduceat(values, starts) for values in (x * z, x * x, z * z))
    cosines = [cosine(*map(float, of_one)) for of_one in zip(*sums, strict=True)]
    return float(np.average(cosines, weights=sizes))


def tg_tg_score(pair: StandardizedPair, targets: Targets, formula: str) -> float:
    """Return the weighted score of the correlations among the targets of each regulator.

    Parameters
    ----------
    pair : StandardizedPair
        The two tables.
    targets : dict of int to ndarray of int
        Result of :func:`targets_of`.
    formula : {"code", "paper"}
        "code": one cosine of correlations per regulator, whose weight is the number of its targets
        less 1. "paper": the sum over targets of cosines of distances, whose weight is the number
        of targets.

    Returns
    -------
    float
        The score; NaN if no regulator has two targets.
    """
    total, weight = 0.0, 0.0
    for those in targets.values():
        if len(those) < 2:
            continue
        real, synthetic = pair.real[:, those], pair.synthetic[:, those]
        if formula == "code":
            total += (len(those) - 1) * pair_sums(real, synthetic).cosine()
            weight += len(those) - 1
        else:
            total += len(those) * _sum_of_cosines(real, synthetic)
            weight += len(those)
    return total / weight if weight else float("nan")


def _sum_of_cosines(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Sum over genes the cosine of their distances to all the other genes."""
    total, n_genes = 0.0, real.shape[1]
    for rows in row_blocks(n_genes, n_genes):
        places = np.arange(rows.start, rows.stop)
        x, z = (
            1 - np.clip(table[:, rows].T.astype(np.float64) @ table, -1, 1)
            for table in (real, synthetic)
        )
        x[places - rows.start, places] = z[places - rows.start, places] = 0.0
        sums = (np.einsum("ij,ij->i", a, b) for a, b in ((x, z), (x, x), (z, z)))
        total += sum(cosine(*map(float, of_one)) for of_one in zip(*sums, strict=True))
    return total
