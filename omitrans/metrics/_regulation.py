"""Scores of the correlations along a gene-regulatory network."""

from typing import Any

import numpy as np
import pandas as pd

from omitrans.metrics._correlations import correlations_of_pairs, cosine, pair_sums
from omitrans.metrics._standardized import StandardizedPair
from omitrans.utils._blocks import row_blocks
from omitrans.utils._network_edges import edges_between

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
    regulators, targets, _ = edges_between(network, genes, table="the tables", kind="that vary")
    if not keep_self_loops:
        other = regulators != targets
        regulators, targets = regulators[other], targets[other]
    order = np.lexsort((targets, regulators))
    found, starts = np.unique(regulators[order], return_index=True)
    return dict(zip(found.tolist(), np.split(targets[order], starts[1:]), strict=True))


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
