"""Genes whose expression goes with the methylation of one CpG."""

from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from omitrans.baselines._cis import columns_in_windows
from omitrans.datasets.simulate._samples import own_generator
from omitrans.downstream._paired_values import PairedValues, read_pair
from omitrans.exceptions import SampleMismatchError
from omitrans.solvers._best_feature import best_features, permuted_maxima
from omitrans.solvers._selection import (
    best_of_independent,
    best_of_permuted,
    best_of_permuted_within,
    correlation_p,
    effective_number,
)
from omitrans.utils._sklearn import Interval, StrOptions, validate_params


@validate_params(
    {
        "methylation": ["array-like"],
        "expression": ["array-like"],
        "threshold": [Interval(Real, 0, 1, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="right")],
        "selection": [StrOptions({"none", "effective", "permutation"})],
        "n_permutations": [Interval(Integral, 10, None, closed="left")],
        "groups": ["array-like", None],
        "cis_window": [Interval(Integral, 0, None, closed="left"), None],
        "probe_annotation": [pd.DataFrame, None],
        "gene_annotation": [pd.DataFrame, None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def driving_genes(
    methylation: Any,
    expression: Any,
    *,
    threshold: float = 0.5,
    alpha: float = 0.05,
    selection: str = "none",
    n_permutations: int = 100,
    groups: Any = None,
    cis_window: int | None = None,
    probe_annotation: pd.DataFrame | None = None,
    gene_annotation: pd.DataFrame | None = None,
    random_state: Any = None,
) -> pd.DataFrame:
    """Find the CpG that correlates best with each gene, and call the genes that it drives.

    This is the definition of the TDimpute paper: a gene is driven by methylation if its squared
    correlation with its best CpG exceeds `threshold` and its q-value is below `alpha`. The
    correlation does not tell the cause.

    Parameters
    ----------
    methylation : array-like or DataFrame of shape (n_samples, n_probes)
        Methylation without NaN; rows are samples.
    expression : array-like or DataFrame of shape (n_samples, n_genes)
        Expression of the same samples without NaN.
    threshold : float, default=0.5
        Squared correlation that a driven gene must exceed.
    alpha : float, default=0.05
        False discovery rate, among the genes, below which a gene counts as driven.
    selection : {"none", "effective", "permutation"}, default="none"
        How to correct p-values for the choice of the best of many CpGs. "none" does not correct
        them, as the paper does; among 20,000 CpGs, nearly every gene then has a small p-value.
        "effective" takes the CpGs for a number of independent ones (Šidák), which costs little.
        "permutation" compares with the best CpG after permuting the samples, which costs one more
        search per permutation.
    n_permutations : int, default=100
        Number of permutations, at least 10. Small p-values are read from a distribution that is
        fitted to the permutations, so that they may be far below ``1 / n_permutations``.
    groups : array-like of shape (n_samples,), default=None
        Groups such as cancer types, within which samples are permuted. What is only a difference
        between groups then gives no small ``p_corrected``. The correlations themselves are still
        over all samples, so that effects within groups are hard to see beside large differences
        between them. Only for "permutation".
    cis_window : int, default=None
        Number of base pairs on either side of a gene in which its CpGs must lie. None allows all
        CpGs.
    probe_annotation, gene_annotation : DataFrame, default=None
        Positions of the CpGs and genes, as :func:`omitrans.annotation.check_probe_table` and
        :func:`omitrans.annotation.check_gene_table` take them. Only for `cis_window`.
    random_state : int, RandomState instance or None, default=None
        Seed of the permutations.

    Returns
    -------
    DataFrame
        One row per gene, indexed by ``gene``, in the order of the columns of `expression`:

        - ``probe``: name (or position) of the best CpG; missing if the gene is constant or no
          CpG is allowed;
        - ``n_probes``: number of CpGs allowed;
        - ``r``, ``r2``: correlation with the best CpG, and its square;
        - ``p``: p-value of this correlation by itself (t-test, two-sided);
        - ``p_corrected``: p-value corrected as `selection` says;
        - ``q``: ``p_corrected`` after Benjamini and Hochberg over genes;
        - ``driving``: whether ``r2 > threshold`` and ``q < alpha``.

    Raises
    ------
    SampleMismatchError
        If the two tables or `groups` hold different samples.
    FeatureMismatchError
        If an annotation knows none of the names.
    ValueError
        If a value is missing or infinite, or if annotations are missing.

    See Also
    --------
    score_driving_genes : How well predicted expression finds these genes again.

    Notes
    -----
    The search computes blocks of correlations in float32 and decides in float64; its result is that
    of float64. Of CpGs that are tied, the first one is taken. The full matrix is never held.

    "effective" uses Galwey's number in blocks of neighbouring columns, so give CpGs in genomic
    order. In simulations with correlated CpGs, 4.5 to 7 % of genes without any effect had
    ``p_corrected`` below 0.05; "permutation" gave 4.5 to 6.5 %.

    References
    ----------
    X. Zhou, H. Chai, H. Zhao, C.-H. Luo and Y. Yang. Imputing missing RNA-sequencing data from DNA
    methylation by using a transfer learning-based neural network. GigaScience 9, giaa076 (2020).

    N. W. Galwey. A new measure of the effective number of tests. Genetic Epidemiology 33, 559-568
    (2009).

    H. Ongen et al. Fast and efficient QTL mapper for thousands of molecular phenotypes.
    Bioinformatics 32, 1479-1485 (2016).

    Examples
    --------
    >>> from omitrans.datasets import make_paired_omics
    >>> from omitrans.downstream import driving_genes
    >>> data = make_paired_omics(100, 300, 50, missing_rate=0, random_state=0)
    >>> found = driving_genes(data.X, data.Y, selection="effective")
    >>> found.columns.tolist()
    ['probe', 'n_probes', 'r', 'r2', 'p', 'p_corrected', 'q', 'driving']
    >>> bool(0 < found["driving"].sum() < 50)
    True
    """
    pair = read_pair(methylation, expression)
    candidates = _candidates(
        pair, methylation, expression, cis_window, probe_annotation, gene_annotation
    )
    best = best_features(pair.methylation, pair.expression, candidates)
    r2 = best.r**2
    p = correlation_p(r2, len(pair.methylation))
    if selection == "permutation":
        strata = _strata(groups, expression, len(pair.expression))
        rng = own_generator(random_state)
        orders = np.array([_permuted(strata, rng) for _ in range(n_permutations)])
        permuted = permuted_maxima(pair.methylation, pair.expression, orders, candidates)
        corrected = (
            best_of_permuted(p, correlation_p(permuted, len(strata)))
            if groups is None
            else best_of_permuted_within(r2, permuted)
        )
    elif groups is not None:
        raise ValueError(
            f"groups is used with selection='permutation' only; got selection={selection!r}."
        )
    else:
        corrected = p if selection == "none" else _for_effective(pair, p, candidates)
    n_probes = len(pair.probes) if candidates is None else [len(found) for found in candidates]
    q = adjusted(corrected)
    return pd.DataFrame(
        {
            "probe": _named(pair.probes, best.column),
            "n_probes": n_probes,
            "r": best.r,
            "r2": r2,
            "p": p,
            "p_corrected": corrected,
            "q": q,
            "driving": (r2 > threshold) & (q < alpha),
        },
        index=pd.Index(pair.genes, name="gene"),
    )


def adjusted(p: np.ndarray) -> np.ndarray:
    """Return q-values by Benjamini and Hochberg; NaN is left out and stays.

    Parameters
    ----------
    p : ndarray of shape (n_genes,)
        p-values.

    Returns
    -------
    ndarray of shape (n_genes,)
        q-values.
    """
    q = np.full(len(p), np.nan)
    known = ~np.isnan(p)
    if known.any():
        q[known] = false_discovery_control(p[known])
    return q


def _candidates(
    pair: PairedValues,
    methylation: Any,
    expression: Any,
    window: int | None,
    probes: pd.DataFrame | None,
    genes: pd.DataFrame | None,
) -> list[np.ndarray] | None:
    """Return the CpGs near each gene; None if all are allowed."""
    if window is None:
        if probes is not None or genes is not None:
            raise ValueError(
                "probe_annotation and gene_annotation are used with cis_window only. Give the "
                "window in base pairs, such as cis_window=500_000, or leave them out."
            )
        return None
    if probes is None or genes is None:
        raise ValueError(
            f"cis_window={window} needs the positions of CpGs and genes. Give both "
            "probe_annotation= and gene_annotation=, tables as "
            "omitrans.annotation.check_probe_table and check_gene_table take them."
        )
    if not (isinstance(methylation, pd.DataFrame) and isinstance(expression, pd.DataFrame)):
        raise ValueError(
            "cis_window needs the names of CpGs and genes. Give methylation and expression as "
            "DataFrames."
        )
    return columns_in_windows(
        pair.probes.to_numpy(object),
        pair.genes.to_numpy(object),
        probes=probes,
        genes=genes,
        window=window,
        tables=("methylation", "expression"),
    )


def _for_effective(
    pair: PairedValues, p: np.ndarray, candidates: list[np.ndarray] | None
) -> np.ndarray:
    if candidates is None:
        return best_of_independent(p, effective_number(pair.methylation))
    numbers = [effective_number(pair.methylation[:, columns]) for columns in candidates]
    return best_of_independent(p, np.array(numbers))


def _strata(groups: Any, expression: Any, n_samples: int) -> np.ndarray:
    """Return a group number for each sample."""
    if groups is None:
        return np.zeros(n_samples, dtype=int)
    labels = isinstance(groups, pd.Series) and isinstance(expression, pd.DataFrame)
    if len(groups) != n_samples or (labels and not groups.index.equals(expression.index)):
        raise SampleMismatchError(
            f"groups must hold one entry for each of the {n_samples} samples, in their order; got "
            f"{len(groups)}. Use groups.loc[expression.index]."
        )
    codes, names = pd.factorize(pd.Series(np.asarray(groups, dtype=object)))
    if (codes < 0).any():
        raise ValueError(
            f"groups is missing for {int((codes < 0).sum())} samples. Name a group for each."
        )
    if len(names) == n_samples:
        raise ValueError("groups has one sample in each group, so nothing can be permuted.")
    return codes


def _permuted(strata: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    order = np.arange(len(strata))
    for code in np.unique(strata):
        rows = np.flatnonzero(strata == code)
        order[rows] = rng.permutation(rows)
    return order


def _named(names: pd.Index, positions: np.ndarray) -> np.ndarray:
    found = names.to_numpy(object)[positions]
    found[positions < 0] = None
    return found
