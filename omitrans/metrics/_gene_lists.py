"""Scores of ranked gene lists: area under precision and recall, overlap of tops, enrichment."""

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from omitrans.exceptions import FeatureMismatchError
from omitrans.utils._sklearn import Interval, StrOptions, validate_params
from omitrans.utils._validation import _some


@validate_params(
    {
        "labels": ["array-like"],
        "scores": ["array-like"],
        "method": [StrOptions({"integral", "average-precision"})],
    },
    prefer_skip_nested_validation=True,
)
def pr_auc(labels: Any, scores: Any, *, method: str = "integral") -> float:
    """Compute the area under the curve of precision against recall.

    A random order scores about the fraction of positive genes, so give that fraction beside the
    area.

    Parameters
    ----------
    labels : array-like or Series of bool or 0/1, shape (n_genes,)
        Whether each gene is positive, such as driven by methylation.
    scores : array-like or Series of shape (n_genes,)
        Score of each gene; larger means more likely positive. Series must have the index of
        `labels`, if that is a Series too.
    method : {"integral", "average-precision"}, default="integral"
        How to read the curve between two neighbouring thresholds. "integral" interpolates the
        numbers of true and false positives and integrates the curve exactly, as ``auc.integral`` of
        the R package PRROC does. "average-precision" is the step function of
        :func:`sklearn.metrics.average_precision_score`. Genes with equal scores are passed at once.

    Returns
    -------
    float
        Area in (0, 1].

    Raises
    ------
    FeatureMismatchError
        If labels and scores have different lengths or indexes.
    ValueError
        If no gene is positive, a label is neither 0 nor 1, or a score is NaN or infinite.

    References
    ----------
    J. Davis and M. Goadrich. The relationship between precision-recall and ROC curves. ICML 2006.

    J. Keilwagen, I. Grosse and J. Grau. Area under precision-recall curves for weighted and
    unweighted data. PLoS ONE 9, e92209 (2014).

    Examples
    --------
    >>> from omitrans.metrics import pr_auc
    >>> round(pr_auc([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]), 4)
    0.7973
    >>> round(pr_auc([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], method="average-precision"), 4)
    0.8333
    """
    positive = _check_labels_of_genes(labels)
    values = _check_scores(scores, "scores")
    _check_same_genes(labels, scores, ("labels", "scores"))
    return area_of_counts(positive, values, method=method)


@validate_params(
    {
        "reference": ["array-like"],
        "scores": ["array-like"],
        "k": [Interval(Integral, 1, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def top_overlap(reference: Any, scores: Any, k: int = 100) -> float:
    """Compute which fraction of the top genes of a reference is among the top genes of a score.

    Parameters
    ----------
    reference, scores : array-like or Series of shape (n_genes,)
        Two scores of the same genes; larger ranks higher. Two Series must have the same index.
    k : int, default=100
        Number of genes in each top list, at most the number of genes.

    Returns
    -------
    float
        Number of genes in both lists divided by `k`. A random order scores ``k / n_genes`` on
        average.

    Raises
    ------
    FeatureMismatchError
        If the two have different lengths or indexes.
    ValueError
        If a value is NaN or infinite, or `k` exceeds the number of genes.

    Notes
    -----
    Of genes that are tied at the end of a list, each counts with the fraction of the tied genes
    that the list still has room for. The result is then the expected overlap if ties were broken at
    random, and does not depend on the order of the genes.

    Examples
    --------
    >>> from omitrans.metrics import top_overlap
    >>> top_overlap([0.9, 0.8, 0.3, 0.1], [0.7, 0.2, 0.6, 0.1], k=2)
    0.5
    """
    first, second = _check_scores(reference, "reference"), _check_scores(scores, "scores")
    _check_same_genes(reference, scores, ("reference", "scores"))
    if k > len(first):
        raise ValueError(
            f"k={k} genes were asked for, but the lists hold {len(first)}. Choose a smaller k."
        )
    return overlap_of_tops(first, second, k)


@validate_params(
    {
        "selected": ["array-like", set, frozenset],
        "active": ["array-like", set, frozenset],
        "n_genes": [Interval(Integral, 1, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def enrichment_factor(selected: Iterable[Any], active: Iterable[Any], *, n_genes: int) -> float:
    """Compute how many times more often known genes are among selected genes than among all.

    Parameters
    ----------
    selected : array-like or set of gene names
        Genes that were selected, such as the top 100 by prediction.
    active : array-like or set of gene names
        Genes known to be active, such as a published list of prognostic genes.
    n_genes : int
        Number of genes from which both lists were taken.

    Returns
    -------
    float
        ``(n_both / n_selected) / (n_active / n_genes)``; 1 is the average of a random selection.

    Raises
    ------
    FeatureMismatchError
        If a list names a gene twice.
    ValueError
        If a list is empty, or the two name more than `n_genes` genes together.

    Examples
    --------
    >>> from omitrans.metrics import enrichment_factor
    >>> enrichment_factor(["TP53", "ESR1"], ["TP53", "KRAS", "EGFR"], n_genes=30)
    5.0
    """
    chosen, known = _check_list(selected, "selected"), _check_list(active, "active")
    n_together = len(chosen.union(known))
    if n_together > n_genes:
        raise ValueError(
            f"n_genes={n_genes}, but selected and active name {n_together} genes together. Give "
            "the number of all genes, and leave out of both lists what is not among them."
        )
    n_both = len(chosen.intersection(known))
    return (n_both / len(chosen)) / (len(known) / n_genes)


def area_of_counts(
    positive: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None, *, method: str
) -> float:
    """Return the area of :func:`pr_auc` of checked arrays, whose genes may be there several times.

    Parameters
    ----------
    positive : ndarray of bool of shape (n_genes,)
        Whether each gene is positive.
    scores : ndarray of shape (n_genes,)
        Finite scores.
    weights : ndarray of shape (n_genes,), default=None
        How often each gene is in the list; None means once.
    method : {"integral", "average-precision"}
        How to read the curve between thresholds.

    Returns
    -------
    float
        The area; NaN if no gene is positive.
    """
    order = np.argsort(-scores, kind="stable")
    weights = np.ones(len(scores)) if weights is None else weights[order]
    last = np.flatnonzero(np.diff(scores[order], append=np.nan) != 0)  # of each run of ties
    true = np.concatenate([[0.0], np.cumsum(weights * positive[order])[last]])
    false = np.concatenate([[0.0], np.cumsum(weights * ~positive[order])[last]])
    if not true[-1]:
        return float("nan")
    gains = np.diff(true) > 0
    t, t_end, f = true[:-1][gains], true[1:][gains], false[:-1][gains]
    if method == "average-precision":
        return float(np.sum((t_end - t) * t_end / (t_end + false[1:][gains])) / true[-1])
    slope = np.diff(false)[gains] / (t_end - t)
    # precision t / (a t + b); its integral is t / a - b / a^2 log(a t + b)
    a, b = 1 + slope, f - slope * t
    start, end = a * t + b, a * t_end + b
    ratio = np.divide(end, start, out=np.ones_like(end), where=start > 0)  # b is 0 where start is
    area = (t_end - t) / a - b / a**2 * np.log(ratio)
    return float(area.sum() / true[-1])


def overlap_of_tops(
    first: np.ndarray, second: np.ndarray, k: int, weights: np.ndarray | None = None
) -> float:
    """Return the overlap of :func:`top_overlap` of genes that may be there several times.

    Parameters
    ----------
    first, second : ndarray of shape (n_genes,)
        Two finite scores.
    k : int
        Number of genes in each top list.
    weights : ndarray of shape (n_genes,), default=None
        How often each gene is in the lists; None means once.

    Returns
    -------
    float
        The overlap.
    """
    weights = np.ones(len(first)) if weights is None else weights
    (one, n_tied_one), (two, n_tied_two) = (_in_top(s, k, weights) for s in (first, second))
    # copies of a single gene at the end of both lists are in the same order
    both = np.minimum(one, two) if n_tied_one == n_tied_two == 1 else one * two
    return float(weights @ both / k)


def _in_top(scores: np.ndarray, k: int, weights: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the fraction of each gene in the top k, and how many genes are tied at its end."""
    order = np.argsort(-scores, kind="stable")
    limit = scores[order[np.searchsorted(np.cumsum(weights[order]), k)]]
    above, tied = scores > limit, (scores == limit) & (weights > 0)
    share = (k - weights[above].sum()) / weights[tied].sum()
    return above + tied * share, int(tied.sum())


def _check_labels_of_genes(labels: Any) -> np.ndarray:
    values = np.asarray(labels)
    if values.ndim != 1:
        raise ValueError(f"labels must have one dimension, one entry per gene; got {values.shape}.")
    bad = np.asarray(pd.isna(values))
    bad[~bad] = ~np.isin(values[~bad], [0, 1])  # a missing value of pandas is not compared
    if bad.any():
        found = values[bad]
        raise ValueError(
            f"labels must be 0 or 1, or False or True; {len(found)} are not (first: {found[0]!r}). "
            "Compare with a threshold: labels = values > threshold."
        )
    positive = values.astype(bool)
    if not positive.any():
        raise ValueError(
            f"labels mark none of {len(positive)} genes as positive, so recall is not defined. "
            "Lower the threshold that made the labels, or leave this score out."
        )
    return positive


def _check_scores(scores: Any, name: str) -> np.ndarray:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"{name} must have one dimension, one entry per gene; got {values.shape}.")
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        gene = scores.index[bad[0]] if isinstance(scores, pd.Series) else bad[0]
        raise ValueError(
            f"{name} holds NaN or infinity for {len(bad)} of {len(values)} genes (first: {gene}). "
            "Leave these genes out, or give them the lowest score if they cannot be positive."
        )
    return values


def _check_same_genes(first: Any, second: Any, names: tuple[str, str]) -> None:
    if isinstance(first, pd.Series) and isinstance(second, pd.Series):
        _check_same_index(first.index, second.index, names)
    if len(first) != len(second):
        raise FeatureMismatchError(
            f"{names[0]} holds {len(first)} genes and {names[1]} {len(second)}. Give one value per "
            "gene, in the same order."
        )


def _check_same_index(first: pd.Index, second: pd.Index, names: tuple[str, str]) -> None:
    if first.equals(second):
        return
    one, other = names
    apart = first.symmetric_difference(second)
    found = f"different genes (first: {_some(apart)})" if len(apart) else "genes in another order"
    raise FeatureMismatchError(
        f"{one} and {other} hold {found}. Give both the same genes: genes = "
        f"{one}.index.intersection({other}.index); {one}, {other} = {one}[genes], {other}[genes]."
    )


def _check_list(genes: Iterable[Any], name: str) -> pd.Index:
    found = pd.Index(list(genes))
    if not len(found):
        raise ValueError(f"{name} names no gene, so the factor is not defined. Name at least one.")
    if not found.is_unique:
        twice = found[found.duplicated()].unique()
        raise FeatureMismatchError(
            f"{name} names {len(twice)} genes twice ({_some(twice)}). Name each once: "
            f"{name} = set({name})."
        )
    return found
