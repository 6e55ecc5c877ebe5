"""How well one ranking of genes finds the genes of another, with intervals over genes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from omitrans.datasets.simulate._samples import own_generator
from omitrans.metrics._gene_lists import area_of_counts, overlap_of_tops

Scores = dict[str, float]


def list_scores(
    positive: np.ndarray, reference: np.ndarray, scores: np.ndarray, k: int, weights: np.ndarray
) -> Scores:
    """Return the areas under precision and recall and the overlap of the tops.

    Parameters
    ----------
    positive : ndarray of bool of shape (n_genes,)
        The genes to be found.
    reference, scores : ndarray of shape (n_genes,)
        The two rankings; larger is better.
    k : int
        Number of genes in the tops.
    weights : ndarray of shape (n_genes,)
        How often each gene counts.

    Returns
    -------
    dict of str to float
        The scores by name.
    """
    return {
        "pr_auc_integral": area_of_counts(positive, scores, weights, method="integral"),
        "pr_auc_average_precision": area_of_counts(
            positive, scores, weights, method="average-precision"
        ),
        "top_overlap": overlap_of_tops(reference, scores, k, weights),
    }


def chance_of_lists(positive: np.ndarray, k: int) -> Scores:
    """Return what random scores of the genes reach on average."""
    share = float(np.mean(positive))
    return {
        "pr_auc_integral": share,
        "pr_auc_average_precision": share,
        "top_overlap": k / len(positive),
    }


def with_intervals(
    compute: Callable[[np.ndarray], Scores],
    chance: Scores,
    *,
    n_genes: int,
    n_bootstrap: int,
    confidence: float,
    random_state: Any,
) -> pd.DataFrame:
    """Return scores with intervals from genes that are drawn with replacement.

    Parameters
    ----------
    compute : callable
        Function of the weights of the genes that returns the scores.
    chance : dict of str to float
        What random scores of the genes reach.
    n_genes : int
        Number of genes.
    n_bootstrap : int
        Number of resamples; 0 gives no intervals.
    confidence : float
        Confidence of the intervals.
    random_state : int, RandomState instance or None
        Seed of the resamples.

    Returns
    -------
    DataFrame
        One row per score, with its ``value``, ``lower``, ``upper`` and ``chance``.
    """
    value, rng = compute(np.ones(n_genes)), own_generator(random_state)
    draws = pd.DataFrame(
        [
            compute(np.bincount(rng.integers(0, n_genes, n_genes), minlength=n_genes))
            for _ in range(n_bootstrap)
        ],
        columns=list(value),
    ).astype(float)
    tail = (1 - confidence) / 2
    return pd.DataFrame(
        {
            "value": pd.Series(value),
            "lower": draws.quantile(tail),
            "upper": draws.quantile(1 - tail),
            "chance": pd.Series(chance),
        }
    ).rename_axis(index="metric")


def score_gene_list(
    positive: pd.Series,
    reference: pd.Series,
    scores: pd.Series,
    *,
    k: int,
    n_bootstrap: int,
    random_state: Any,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Score one ranking of genes against another, with intervals over genes.

    Parameters
    ----------
    positive : Series of bool
        The genes to be found.
    reference, scores : Series of float
        The rankings of the same genes in the same order; larger is better.
    k : int
        Number of genes in the tops.
    n_bootstrap : int
        Number of resamples of the genes.
    random_state : int, RandomState instance or None
        Seed of the resamples.
    confidence : float, default=0.95
        Confidence of the intervals.

    Returns
    -------
    DataFrame
        One row per score; see :func:`with_intervals`.

    Raises
    ------
    ValueError
        If no gene is to be found.
    """
    if not positive.any():
        raise ValueError(f"None of {len(positive)} genes is to be found. Choose a higher limit.")
    order = np.argsort(-scores.to_numpy(), kind="stable")  # resamples are nearly sorted then
    labels, first, second = (table.to_numpy()[order] for table in (positive, reference, scores))
    return with_intervals(
        lambda weights: list_scores(labels, first, second, k, weights),
        chance_of_lists(labels, k),
        n_genes=len(labels),
        n_bootstrap=n_bootstrap,
        confidence=confidence,
        random_state=random_state,
    )
