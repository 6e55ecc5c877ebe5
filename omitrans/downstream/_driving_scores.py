"""How well predicted expression finds the genes again that methylation drives."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from omitrans.downstream._driving_genes import adjusted
from omitrans.downstream._list_scores import chance_of_lists, list_scores, with_intervals
from omitrans.downstream._paired_values import read_pair
from omitrans.exceptions import FeatureMismatchError
from omitrans.solvers._best_feature import correlations_with
from omitrans.solvers._selection import correlation_p
from omitrans.utils._sklearn import Interval, validate_params
from omitrans.utils._validation import _some

_COLUMNS = ("probe", "r2", "q")


@dataclass(frozen=True)
class DrivingGeneScores:
    """Result of :func:`score_driving_genes`.

    Parameters
    ----------
    scores : DataFrame
        One row per score, indexed by ``metric`` (``pr_auc_integral``, ``pr_auc_average_precision``,
        ``top_overlap``, ``f_score``), with its ``value``, the interval from ``lower`` to ``upper``,
        and ``chance``, what random scores of the genes reach on average.
    genes : DataFrame
        One row per gene: ``probe``; ``r2`` and ``r2_predicted``, the squared correlation of this
        CpG with measured and predicted expression; ``q`` and ``q_predicted``; ``positive``, the
        label of the areas; ``driving`` and ``driving_predicted``, the calls of the F-score.
    """

    scores: pd.DataFrame
    genes: pd.DataFrame


@validate_params(
    {
        "measured": [pd.DataFrame],
        "methylation": ["array-like"],
        "predicted": ["array-like"],
        "threshold": [Interval(Real, 0, 1, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="right")],
        "k": [Interval(Integral, 1, None, closed="left")],
        "n_bootstrap": [Interval(Integral, 0, None, closed="left")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def score_driving_genes(
    measured: pd.DataFrame,
    methylation: Any,
    predicted: Any,
    *,
    threshold: float = 0.5,
    alpha: float = 0.05,
    k: int = 100,
    n_bootstrap: int = 1000,
    confidence: float = 0.95,
    random_state: Any = None,
) -> DrivingGeneScores:
    """Score how well predicted expression finds driven genes again, as in the TDimpute paper.

    The labels come from measured expression. The score of a gene is the squared correlation of the
    same CpG, the best one for measured expression, with predicted expression.

    Parameters
    ----------
    measured : DataFrame
        Result of :func:`driving_genes` for measured expression.
    methylation : array-like or DataFrame of shape (n_samples, n_probes)
        Methylation of the predicted samples, with the columns that `measured` was computed from.
    predicted : array-like or DataFrame of shape (n_samples, n_genes)
        Predicted expression of these samples. The paper joins the predicted test samples and the
        measured training samples, which makes the task far easier; say which of the two was done.
    threshold : float, default=0.5
        Squared correlation that a positive gene must exceed.
    alpha : float, default=0.05
        False discovery rate below which a gene counts as driven in the F-score. The areas do not
        use it, as in the paper.
    k : int, default=100
        Number of genes in the two top lists.
    n_bootstrap : int, default=1000
        Number of resamples of the genes for the intervals; 0 gives none.
    confidence : float, default=0.95
        Confidence of the intervals.
    random_state : int, RandomState instance or None, default=None
        Seed of the resamples.

    Returns
    -------
    DrivingGeneScores
        The scores with intervals, and a frame of the genes behind them.

    Raises
    ------
    SampleMismatchError, FeatureMismatchError
        If samples, CpGs or genes do not match.
    ValueError
        If no gene is positive, or `k` exceeds the number of genes.

    See Also
    --------
    driving_genes : Finds the CpG of each gene.
    omitrans.metrics.pr_auc : The areas.

    Notes
    -----
    Genes without a correlation in `measured` are left out. A gene that is predicted to be the same
    in all samples gets the score 0. The CpG is not chosen again for the prediction, so that
    ``q_predicted`` needs no correction for its selection.

    The intervals tell how the scores vary over genes of which each is drawn independently. Genes
    that share programmes vary together, so the intervals are rather too narrow.

    Examples
    --------
    >>> from omitrans.datasets import make_paired_omics
    >>> from omitrans.downstream import driving_genes, score_driving_genes
    >>> data = make_paired_omics(100, 300, 50, missing_rate=0, random_state=0)
    >>> measured = driving_genes(data.X, data.Y)
    >>> scores = score_driving_genes(measured, data.X, data.Y, k=10, n_bootstrap=0).scores
    >>> float(scores.loc["pr_auc_integral", "value"])
    1.0
    """
    genes = _both(measured, methylation, predicted, threshold, alpha)
    if not genes["positive"].any():
        raise ValueError(
            f"None of {len(genes)} genes has r2 > threshold={threshold} with measured expression "
            f"(largest: {genes['r2'].max():.3g}), so there is nothing to find. Lower threshold."
        )
    if k > len(genes):
        raise ValueError(f"k={k} exceeds the number of genes, {len(genes)}. Choose a smaller k.")
    # sorted, so that resamples are nearly sorted too
    ranked = genes.sort_values("r2_predicted", ascending=False, kind="stable")
    scores = with_intervals(
        _scores_of(ranked, k),
        _chance(ranked, k),
        n_genes=len(ranked),
        n_bootstrap=n_bootstrap,
        confidence=confidence,
        random_state=random_state,
    )
    return DrivingGeneScores(scores, genes)


def _both(
    measured: pd.DataFrame, methylation: Any, predicted: Any, threshold: float, alpha: float
) -> pd.DataFrame:
    """Return one row per gene with measured and predicted correlations."""
    lacking = [name for name in _COLUMNS if name not in measured]
    if lacking:
        raise ValueError(
            f"measured lacks the columns {_some(lacking)}. Give the result of driving_genes."
        )
    pair = read_pair(methylation, predicted, second="predicted")
    places = _places(pair.genes, measured.index, "predicted", "genes")
    known = measured["probe"].notna().to_numpy() & measured["r2"].notna().to_numpy()
    genes = measured.loc[known, list(_COLUMNS)].copy()
    columns = _places(pair.probes, pd.Index(genes["probe"]), "methylation", "CpGs")
    r2 = correlations_with(pair.methylation, pair.expression[:, places[known]], columns) ** 2
    r2 = np.nan_to_num(r2, nan=0.0)
    genes["r2_predicted"] = r2
    genes["q_predicted"] = adjusted(correlation_p(r2, len(pair.expression)))
    genes["positive"] = genes["r2"] > threshold
    genes["driving"] = genes["positive"] & (genes["q"] < alpha)
    called = (genes["r2_predicted"] > threshold) & (genes["q_predicted"] < alpha)
    return genes.assign(driving_predicted=called)


def _places(names: pd.Index, wanted: pd.Index, table: str, what: str) -> np.ndarray:
    places = names.get_indexer(wanted)
    if (places < 0).any():
        raise FeatureMismatchError(
            f"{table} lacks {int((places < 0).sum())} of {len(wanted)} {what} that measured names "
            f"(first: {wanted[places < 0][0]}). Give the {what} that driving_genes was given."
        )
    return places


def _scores_of(genes: pd.DataFrame, k: int) -> Callable[[np.ndarray], dict[str, float]]:
    """Return a function of how often each gene is counted that returns the scores."""
    positive, driving, called = (
        genes[name].to_numpy(bool) for name in ("positive", "driving", "driving_predicted")
    )
    r2, predicted = genes["r2"].to_numpy(), genes["r2_predicted"].to_numpy()

    def scores(weights: np.ndarray) -> dict[str, float]:
        n_calls = weights @ (driving.astype(float) + called)
        found = 2 * (weights @ (driving & called)) / n_calls if n_calls else np.nan
        return list_scores(positive, r2, predicted, k, weights) | {"f_score": found}

    return scores


def _chance(genes: pd.DataFrame, k: int) -> dict[str, float]:
    share, called = genes["driving"].mean(), genes["driving_predicted"].mean()
    both = share + called
    return chance_of_lists(genes["positive"].to_numpy(), k) | {
        "f_score": 2 * share * called / both if both else np.nan
    }
