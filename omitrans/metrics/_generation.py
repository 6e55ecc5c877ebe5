"""Scores of generated expression: does it keep the correlations between genes?

The five scores are those of the adversarial generator of expression (R. Viñas et al., 2022).
"""

import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import UndefinedMetricWarning

from omitrans.metrics._correlations import (
    PairSums,
    correlation_matrix,
    pair_sums,
    pair_sums_of_matrices,
    samples_are_few,
)
from omitrans.metrics._dendrogram import (
    Dendrogram,
    complete_linkage,
    cophenetic_correlation,
    cophenetic_sums,
)
from omitrans.metrics._regulation import targets_of, tf_tg_score, tg_tg_score
from omitrans.metrics._standardized import StandardizedPair, standardize_pair
from omitrans.utils._callers import user_level
from omitrans.utils._sklearn import StrOptions, validate_params

_TABLES = {"real": ["array-like"], "synthetic": ["array-like"]}
_SWITCHES = {
    "formula": [StrOptions({"code", "paper"})],
    "self_loops": [StrOptions({"drop", "keep"})],
}


@validate_params(_TABLES, prefer_skip_nested_validation=True)
def s_dist(real: Any, synthetic: Any) -> float:
    """Compare the distances between all pairs of genes in real and generated expression.

    The score is Pearson's correlation, over all pairs of genes, of the distance in the real table
    and the distance in the synthetic one. The distance of two genes is 1 - r, where r is their
    Pearson correlation over samples.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_real_samples, n_genes)
        Real expression, for example log2(TPM + 1), without NaN.
    synthetic : array-like or DataFrame of shape (n_synthetic_samples, n_genes)
        Generated expression. Its samples need not be those of `real`. The genes of two frames are
        aligned by name, those of arrays by position.

    Returns
    -------
    float
        The score in [-1, 1]: 1 for identical tables, about 0 for random ones. NaN if all the
        distances of a table are equal.

    Raises
    ------
    FeatureMismatchError
        If the tables do not hold the same genes.
    ValueError
        If a value is NaN or infinite, if a table has fewer than two samples, or if fewer than
        three genes vary in `real`.

    Warns
    -----
    UserWarning
        If genes are constant. The correlations of a gene that is constant in `real` are not
        defined, and it is left out of both tables. A gene that varies in `real` and is constant in
        `synthetic` counts as uncorrelated with all others, so that a generator gains nothing from
        it.
    UndefinedMetricWarning
        If the score is NaN.

    See Also
    --------
    generation_report : All five scores, which share the correlations.

    Notes
    -----
    No matrix of all pairs is held. With few samples, the score comes from products of samples:
    for standardised tables A and B the sum of products of the correlations AᵀA and BᵀB is the sum
    of squares of ABᵀ. The formula for γ as printed lacks the factor 2 / (n (n - 1)), with which it
    is Pearson's correlation.

    References
    ----------
    R. Viñas et al., "Adversarial generation of gene expression data", Bioinformatics 38(3), 2022,
    section 4.3.1.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.metrics import s_dist
    >>> real = np.array([[1.0, 2.0, 4.0], [2.0, 4.0, 1.0], [3.0, 5.0, 3.0], [4.0, 9.0, 0.0]])
    >>> round(s_dist(real, 2 * real[::-1] + 1), 6)
    1.0
    """
    pair = standardize_pair(real, synthetic)
    return _defined("s_dist", pair_sums(pair.real, pair.synthetic).pearson())


@validate_params(_TABLES, prefer_skip_nested_validation=True)
def s_dend(real: Any, synthetic: Any) -> float:
    """Compare the dendrograms of genes in real and generated expression.

    The genes of each table are clustered by complete linkage of the distances 1 - r. The score is
    Pearson's correlation, over all pairs of genes, of the heights at which the two genes join
    (cophenetic distances).

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_real_samples, n_genes)
        Real expression, for example log2(TPM + 1), without NaN.
    synthetic : array-like or DataFrame of shape (n_synthetic_samples, n_genes)
        Generated expression. Its samples need not be those of `real`. The genes of two frames are
        aligned by name, those of arrays by position.

    Returns
    -------
    float
        The score in [-1, 1]: 1 for identical tables, about 0 for random ones. NaN if all the
        heights of a tree are equal.

    Raises
    ------
    FeatureMismatchError, ValueError
        For the same reasons as :func:`s_dist`.

    Warns
    -----
    UserWarning, UndefinedMetricWarning
        For the same reasons as :func:`s_dist`.

    See Also
    --------
    s_sdcc : How well each of the two dendrograms fits its own distances.

    Notes
    -----
    Needs one square float32 matrix at a time: 1.3 GB for 18,000 genes. Where distances are equal
    to seven digits, the tree may differ from that of other programs.

    References
    ----------
    R. Viñas et al., "Adversarial generation of gene expression data", Bioinformatics 38(3), 2022,
    section 4.3.1.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.metrics import s_dend
    >>> real = np.array([[1.0, 2.0, 4.0], [2.0, 4.0, 1.0], [3.0, 5.0, 3.0], [4.0, 9.0, 0.0]])
    >>> round(s_dend(real, 2 * real[::-1] + 1), 6)
    1.0
    """
    pair = standardize_pair(real, synthetic)
    return _defined("s_dend", cophenetic_sums(*_trees(pair)).pearson())


@validate_params(_TABLES, prefer_skip_nested_validation=True)
def s_sdcc(real: Any, synthetic: Any) -> float:
    """Compute the squared difference of two cophenetic correlations.

    The cophenetic correlation of a table says how well the dendrogram of its genes keeps their
    distances. Tables with unrelated dendrograms may have similar ones, so this number says less
    than :func:`s_dend`. It is in the published code only, not in the paper.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_real_samples, n_genes)
        Real expression, for example log2(TPM + 1), without NaN.
    synthetic : array-like or DataFrame of shape (n_synthetic_samples, n_genes)
        Generated expression. Its samples need not be those of `real`. The genes of two frames are
        aligned by name, those of arrays by position.

    Returns
    -------
    float
        The squared difference in [0, 4]: 0 is best. NaN if all distances of a table are equal.

    Raises
    ------
    FeatureMismatchError, ValueError
        For the same reasons as :func:`s_dist`.

    Warns
    -----
    UserWarning, UndefinedMetricWarning
        For the same reasons as :func:`s_dist`.

    See Also
    --------
    s_dend : Compares the two dendrograms with each other.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.metrics import s_sdcc
    >>> real = np.array([[1.0, 2.0, 4.0], [2.0, 4.0, 1.0], [3.0, 5.0, 3.0], [4.0, 9.0, 0.0]])
    >>> round(s_sdcc(real, 2 * real[::-1] + 1), 6)
    0.0
    """
    pair = standardize_pair(real, synthetic)
    sums = pair_sums(pair.real, pair.synthetic)
    return _defined("s_sdcc", _squared_difference(pair, _trees(pair), sums))


@validate_params({**_TABLES, **_SWITCHES}, prefer_skip_nested_validation=True)
def s_tf_tg(
    real: Any, synthetic: Any, network: Any, *, formula: str = "code", self_loops: str = "drop"
) -> float:
    """Compare the correlations of transcription factors with their targets.

    For every regulator the correlations with its targets are a vector. The score is the mean over
    regulators of the cosine of the real and the synthetic vector, weighted by the number of
    targets.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_real_samples, n_genes)
        Real expression, for example log2(TPM + 1), without NaN.
    synthetic : array-like or DataFrame of shape (n_synthetic_samples, n_genes)
        Generated expression. Its samples need not be those of `real`. The genes of two frames are
        aligned by name, those of arrays by position.
    network : DataFrame of shape (n_edges, n_columns)
        One row per edge, with the columns ``regulator`` and ``target``, which hold names of genes
        (column numbers, if the tables are arrays). Other columns are ignored. An edge that is
        listed twice counts once.
    formula : {"code", "paper"}, default="code"
        "code" takes the cosine of correlations, as the published code does. "paper" takes the
        cosine of the distances 1 - r, as the paper is written. Distances lie close to 1 in any
        table, so random data score close to 1 with them.
    self_loops : {"drop", "keep"}, default="drop"
        Whether an edge from a regulator to itself counts. The correlation of a gene with itself is
        1 in any table, which lifts the cosine of random data from 0 to about 1 / √(1 + S) for
        every regulator with a self-loop, where S is the sum of its other squared real correlations.

    Returns
    -------
    float
        The score in [-1, 1]: 1 for identical tables. Random data score about 0 with the defaults.
        A regulator whose vector is 0 in a table counts as 0.

    Raises
    ------
    FeatureMismatchError, ValueError
        For the same reasons as :func:`s_dist`; and if no edge of the network joins two different
        genes that vary in `real`.

    Warns
    -----
    UserWarning
        If genes are constant, as for :func:`s_dist`; and if edges are left out because their genes
        are not in the tables or are constant in `real`.

    See Also
    --------
    s_tg_tg : Compares the correlations among the targets of a regulator.

    Notes
    -----
    The published scores were computed with self-loops. There the score of random data is 0.23,
    above that of both simulators of gene networks (0.21 and 0.18). Use ``self_loops="keep"`` only
    to compare with them.

    References
    ----------
    R. Viñas et al., "Adversarial generation of gene expression data", Bioinformatics 38(3), 2022,
    section 4.3.2.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from omitrans.metrics import s_tf_tg
    >>> real = np.array([[1.0, 2.0, 4.0], [2.0, 4.0, 1.0], [3.0, 5.0, 3.0], [4.0, 9.0, 0.0]])
    >>> network = pd.DataFrame({"regulator": [0, 0], "target": [1, 2]})
    >>> round(s_tf_tg(real, real[::-1], network), 6)
    1.0
    """
    pair = standardize_pair(real, synthetic)
    targets = targets_of(network, pair.genes, keep_self_loops=self_loops == "keep")
    return tf_tg_score(pair, targets, formula)


@validate_params({**_TABLES, **_SWITCHES}, prefer_skip_nested_validation=True)
def s_tg_tg(
    real: Any, synthetic: Any, network: Any, *, formula: str = "code", self_loops: str = "drop"
) -> float:
    """Compare the correlations among the targets of the same transcription factor.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_real_samples, n_genes)
        Real expression, for example log2(TPM + 1), without NaN.
    synthetic : array-like or DataFrame of shape (n_synthetic_samples, n_genes)
        Generated expression. Its samples need not be those of `real`. The genes of two frames are
        aligned by name, those of arrays by position.
    network : DataFrame of shape (n_edges, n_columns)
        One row per edge, with the columns ``regulator`` and ``target``, which hold names of genes
        (column numbers, if the tables are arrays). Other columns are ignored. An edge that is
        listed twice counts once.
    formula : {"code", "paper"}, default="code"
        "code" takes, as the published code does, one cosine per regulator over the correlations
        of all pairs of its n targets, and their mean with the weights n - 1. "paper" is the sum as
        printed: for every regulator the sum over its targets of cosines of the distances 1 - r,
        times n, over the sum of all n. That is no mean: identical tables score far above 1, the
        mean number of targets weighted by itself, and random data score nearly as much.
    self_loops : {"drop", "keep"}, default="drop"
        Whether an edge from a regulator to itself counts. It makes the regulator one
        of its own targets. No pair joins a gene with itself, so the score of random data stays
        about 0.

    Returns
    -------
    float
        The score, in [-1, 1] with "code": 1 for identical tables, about 0 for random data. NaN if
        no regulator has two targets; those with one are left out.

    Raises
    ------
    FeatureMismatchError, ValueError
        For the same reasons as :func:`s_dist`; and if no edge of the network joins two different
        genes that vary in `real`.

    Warns
    -----
    UserWarning
        For the same reasons as :func:`s_tf_tg`.
    UndefinedMetricWarning
        If the score is NaN.

    See Also
    --------
    s_tf_tg : Compares the correlations of regulators with their targets.

    References
    ----------
    R. Viñas et al., "Adversarial generation of gene expression data", Bioinformatics 38(3), 2022,
    section 4.3.2.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from omitrans.metrics import s_tg_tg
    >>> real = np.array([[1.0, 2.0, 4.0], [2.0, 4.0, 1.0], [3.0, 5.0, 3.0], [4.0, 9.0, 0.0]])
    >>> network = pd.DataFrame({"regulator": [0, 0], "target": [1, 2]})
    >>> round(s_tg_tg(real, real[::-1], network), 6)
    1.0
    """
    pair = standardize_pair(real, synthetic)
    targets = targets_of(network, pair.genes, keep_self_loops=self_loops == "keep")
    return _defined("s_tg_tg", tg_tg_score(pair, targets, formula))


@validate_params({**_TABLES, **_SWITCHES}, prefer_skip_nested_validation=True)
def generation_report(
    real: Any,
    synthetic: Any,
    network: Any = None,
    *,
    formula: str = "code",
    self_loops: str = "drop",
) -> pd.Series:
    """Compute all scores of generated expression at once.

    Parameters
    ----------
    real : array-like or DataFrame of shape (n_real_samples, n_genes)
        Real expression, for example log2(TPM + 1), without NaN.
    synthetic : array-like or DataFrame of shape (n_synthetic_samples, n_genes)
        Generated expression. Its samples need not be those of `real`. The genes of two frames are
        aligned by name, those of arrays by position.
    network : DataFrame of shape (n_edges, n_columns)
        One row per edge, with the columns ``regulator`` and ``target``, which hold names of genes
        (column numbers, if the tables are arrays). Other columns are ignored. An edge that is
        listed twice counts once. If None, the two scores along the
        network are left out.
    formula : {"code", "paper"}, default="code"
        See :func:`s_tf_tg` and :func:`s_tg_tg`.
    self_loops : {"drop", "keep"}, default="drop"
        See :func:`s_tf_tg` and :func:`s_tg_tg`.

    Returns
    -------
    Series of shape (5,) or (3,)
        The results of :func:`s_dist`, :func:`s_dend`, :func:`s_sdcc` and, with a network,
        :func:`s_tf_tg` and :func:`s_tg_tg`, under these names.

    Raises
    ------
    FeatureMismatchError, ValueError
        For the same reasons as :func:`s_dist`; and if no edge of the network joins two different
        genes that vary in `real`.

    Warns
    -----
    UserWarning, UndefinedMetricWarning
        For the same reasons as the single scores.

    See Also
    --------
    reconstruction_report : Scores of predictions for the same samples.

    Notes
    -----
    With 18,000 genes the report holds one or, if a table has 6,000 samples or more, two square
    float32 matrices of 1.3 GB at a time.

    References
    ----------
    R. Viñas et al., "Adversarial generation of gene expression data", Bioinformatics 38(3), 2022,
    section 4.3.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.metrics import generation_report
    >>> real = np.random.default_rng(0).normal(size=(50, 8))
    >>> generation_report(real, real + 1).round(3)
    s_dist    1.0
    s_dend    1.0
    s_sdcc    0.0
    Name: score, dtype: float64
    """
    pair = standardize_pair(real, synthetic)
    scores = {}
    if network is not None:  # first, as it may be refused
        targets = targets_of(network, pair.genes, keep_self_loops=self_loops == "keep")
        scores["s_tf_tg"] = tf_tg_score(pair, targets, formula)
        scores["s_tg_tg"] = tg_tg_score(pair, targets, formula)
    report = pd.Series(_scores_of_all_pairs(pair) | scores, name="score", dtype=np.float64)
    for name, score in report.items():
        _defined(str(name), score)
    return report


def _scores_of_all_pairs(pair: StandardizedPair) -> dict[str, float]:
    if samples_are_few(len(pair.real), len(pair.synthetic), len(pair.genes)):
        sums = pair_sums(pair.real, pair.synthetic)
        trees = _trees(pair)
    else:
        matrices = [correlation_matrix(table) for table in pair[:2]]
        sums = pair_sums_of_matrices(*matrices)
        trees = [complete_linkage(matrix) for matrix in matrices]
    return {
        "s_dist": sums.pearson(),
        "s_dend": cophenetic_sums(*trees).pearson(),
        "s_sdcc": _squared_difference(pair, trees, sums),
    }


def _trees(pair: StandardizedPair) -> list[Dendrogram]:
    """Return the trees of both tables, made in the same memory."""
    n_genes = len(pair.genes)
    memory = np.empty((n_genes, n_genes), dtype=np.float32)
    return [complete_linkage(correlation_matrix(table, out=memory)) for table in pair[:2]]


def _squared_difference(pair: StandardizedPair, trees: list[Dendrogram], sums: PairSums) -> float:
    """Return the squared difference of the cophenetic correlations."""
    fit = cophenetic_correlation(trees[0], pair.real, sums.x, sums.xx)
    other = cophenetic_correlation(trees[1], pair.synthetic, sums.z, sums.zz)
    return (fit - other) ** 2


def _defined(name: str, score: float) -> float:
    """Return the score, and warn if it is NaN."""
    if np.isnan(score):
        cause = (
            "no regulator has two targets"
            if name == "s_tg_tg"
            else "all distances between genes are equal in a table"
        )
        warnings.warn(f"{name} is NaN: {cause}.", UndefinedMetricWarning, stacklevel=user_level())
    return score
