"""Clusters of samples by the genes that go with survival, and how the clusters fare."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from omitrans.exceptions import FeatureMismatchError, SampleMismatchError
from omitrans.metrics._kaplan_meier import kaplan_meier, log_rank_test
from omitrans.solvers._cox import cox_fits
from omitrans.solvers._standardize import spread_of_extremes
from omitrans.utils._random_state import own_random_state
from omitrans.utils._sklearn import Interval, validate_params
from omitrans.utils._survival import check_expression, check_survival, require_events
from omitrans.utils._validation import check_paired_samples


@dataclass(frozen=True, eq=False)
class ClusterSurvival:
    """Result of :func:`cluster_survival`: clusters of samples and their survival.

    Parameters
    ----------
    labels : Series
        Cluster of each sample: 1, 2, ..., from the lowest to the highest rate of events.
    genes : Index
        Genes by which the samples were clustered.
    curves : DataFrame
        Kaplan-Meier estimates by cluster, as of :func:`omitrans.metrics.kaplan_meier`.
    statistic, p_value : float
        Log-rank test of the clusters. If the genes were chosen by the same outcomes, clusters
        differ more often than the p-value says.
    ari, nmi : float
        Adjusted Rand index and normalised mutual information with the reference; NaN without one.
    """

    labels: pd.Series
    genes: pd.Index
    curves: pd.DataFrame
    statistic: float
    p_value: float
    ari: float
    nmi: float


@validate_params(
    {
        "n_clusters": [Interval(Integral, 2, None, closed="left")],
        "n_genes": [Interval(Integral, 1, None, closed="left")],
        "min_expressed": [Interval(Real, 0, 1, closed="left"), None],
        "mad_share": [Interval(Real, 0, 1, closed="right")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "level": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=False,
)
def cluster_survival(
    expression: Any,
    time: Any,
    event: Any,
    *,
    n_clusters: int = 2,
    genes: Any = None,
    n_genes: int = 100,
    min_expressed: float | None = 0.5,
    mad_share: float = 0.8,
    n_init: int = 20,
    reference: Any = None,
    level: float = 0.95,
    random_state: int | np.random.RandomState | None = None,
) -> ClusterSurvival:
    """Cluster samples by k-means on genes that go with survival, and compare the clusters.

    Parameters
    ----------
    expression : array-like or DataFrame of shape (n_samples, n_genes)
        Expression without missing values.
    time : array-like or Series of shape (n_samples,)
        Time of the event or of censoring, in any unit; numbers above 0.
    event : array-like or Series of shape (n_samples,)
        True or 1 where the event was seen, False or 0 where the sample was censored.
    n_clusters : int, default=2
        Number of clusters.
    genes : list of str or int, default=None
        Genes to cluster by, such as those that :func:`prognosis_genes` found in other samples: then
        the log-rank test is a fair one. None chooses genes by the next three parameters, from the
        samples that are clustered.
    n_genes : int, default=100
        Number of genes with the smallest p-values (score test of a Cox model of one gene) to keep.
    min_expressed : float, default=0.5
        Genes are kept if more than this share of samples has a value above 0, before others are
        chosen. None keeps all, as values that are centred need it.
    mad_share : float, default=0.8
        Share of the genes that is kept then, with the largest median absolute deviations.
    n_init : int, default=20
        Number of starts of k-means.
    reference : array-like or Series of shape (n_samples,), default=None
        Other labels of the samples, such as a subtype or the clusters of measured expression.
        Samples whose label is missing do not count in the comparison.
    level : float, default=0.95
        Level of the confidence intervals of the curves.
    random_state : int, RandomState instance or None, default=None
        Seed of k-means.

    Returns
    -------
    ClusterSurvival
        Clusters, genes, curves, and the tests.

    Raises
    ------
    MissingDependencyError
        If lifelines is not installed.
    FeatureMismatchError
        If the table lacks one of `genes`.
    SampleMismatchError
        If the tables do not hold the same samples in the same order.
    ValueError
        If there are fewer distinct samples than clusters, if no gene passes, if all samples are
        censored, or if a value is unusable.

    See Also
    --------
    omitrans.displays.KaplanMeierDisplay : Draws the curves.

    References
    ----------
    X. Zhou et al., "Imputing missing RNA-sequencing data from DNA methylation by using a transfer
    learning-based neural network", GigaScience 9(7), 2020, figure 4.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.downstream import cluster_survival
    >>> rng = np.random.default_rng(0)
    >>> severe = np.arange(100) % 2
    >>> expression = rng.normal(size=(100, 50)) + 2 * severe[:, None] * (np.arange(50) < 10)
    >>> time = rng.exponential(np.where(severe, 10, 100))
    >>> result = cluster_survival(
    ...     expression, time, np.ones(100), n_genes=10, min_expressed=None, reference=severe,
    ...     random_state=0,
    ... )
    >>> result.ari > 0.9
    True
    """
    values, samples, names = check_expression(expression)
    times, events = check_survival(time, event, expression)
    require_events(events)
    labels_given = _reference_labels(reference, expression)
    if genes is None:
        chosen = _choose(values, times, events, n_genes, min_expressed, mad_share)
    else:
        chosen = _places(genes, names)
    clusters = _k_means(values[:, chosen], n_clusters, n_init, random_state)
    rates = [events[clusters == i].sum() / times[clusters == i].sum() for i in range(n_clusters)]
    clusters = 1 + np.argsort(np.argsort(rates, kind="stable"))[clusters]
    curves = kaplan_meier(times, events, clusters, level=level)
    statistic, p_value = log_rank_test(times, events, clusters)
    known = pd.notna(labels_given)
    compared = (labels_given[known].astype(str), clusters[known])
    return ClusterSurvival(
        labels=pd.Series(clusters, samples, name="cluster"),
        genes=names[chosen],
        curves=curves.sort_values("group", kind="stable", ignore_index=True),
        statistic=statistic,
        p_value=p_value,
        ari=float(adjusted_rand_score(*compared)) if known.any() else np.nan,
        nmi=float(normalized_mutual_info_score(*compared)) if known.any() else np.nan,
    )


def _reference_labels(reference: Any, expression: Any) -> np.ndarray:
    """Return the given labels, or missing ones."""
    n_samples = len(expression)
    if reference is None:
        return np.full(n_samples, None, dtype=object)
    if len(reference) != n_samples:
        raise SampleMismatchError(
            f"expression holds {n_samples} samples and reference {len(reference)}. Give one label "
            "per sample."
        )
    check_paired_samples(expression, reference, names=("expression", "reference"))
    return pd.Series(reference).astype(object).to_numpy()


def _choose(
    values: np.ndarray,
    time: np.ndarray,
    event: np.ndarray,
    n_genes: int,
    min_expressed: float | None,
    mad_share: float,
) -> np.ndarray:
    """Return the places of expressed, variable genes that go with survival."""
    kept = np.arange(values.shape[1])
    if min_expressed is not None:
        if values.min() < 0:
            raise ValueError(
                f"expression holds values below 0 (the lowest is {values.min():.4g}), so that "
                "min_expressed, the share of samples with a value above 0, says nothing about "
                "expression. Give min_expressed=None."
            )
        kept = np.flatnonzero((values > 0).mean(axis=0) > min_expressed)
    deviation = stats.median_abs_deviation(values[:, kept], axis=0) if len(kept) else np.empty(0)
    order = np.argsort(-deviation, kind="stable")[: int(np.ceil(mad_share * len(kept)))]
    kept = np.sort(kept[order])
    score = cox_fits(values[:, kept], time, event, score_only=True).score
    usable = np.isfinite(score)
    if not usable.any():
        raise ValueError(
            f"No gene is left to cluster by: of {values.shape[1]}, {len(kept)} pass min_expressed="
            f"{min_expressed} and mad_share={mad_share}, and none of them varies among the samples "
            "at risk. Lower min_expressed, or name genes."
        )
    order = np.argsort(-np.where(usable, score, -1.0), kind="stable")
    return np.sort(kept[order[: min(n_genes, int(usable.sum()))]])


def _places(genes: Any, names: pd.Index) -> np.ndarray:
    """Return the columns of named genes."""
    wanted = pd.Index(genes)
    places = names.get_indexer(wanted)
    missing = wanted[places < 0]
    if len(missing) or not len(wanted):
        raise FeatureMismatchError(
            f"genes names {len(wanted)} genes, of which expression lacks {len(missing)} "
            f"({', '.join(map(str, missing[:3]))}). Name at least one column of the table, and "
            "none that it lacks: genes = expression.columns.intersection(genes)."
        )
    return places


def _k_means(values: np.ndarray, n_clusters: int, n_init: int, random_state: Any) -> np.ndarray:
    """Return the cluster of each sample, by standardised genes."""
    values = values.astype(np.float64)
    values -= values.mean(axis=0)
    with np.errstate(over="ignore"):
        scale = spread_of_extremes(values.std(axis=0), values)
    values /= np.where(scale > 0, scale, 1.0)
    n_distinct = len(np.unique(values, axis=0))
    if n_distinct < n_clusters:
        raise ValueError(
            f"n_clusters={n_clusters} needs at least that many samples that differ in the chosen "
            f"genes; found {n_distinct} among {len(values)} samples."
        )
    model = KMeans(
        n_clusters, n_init=n_init, max_iter=100, random_state=own_random_state(random_state)
    )
    return model.fit_predict(values)
