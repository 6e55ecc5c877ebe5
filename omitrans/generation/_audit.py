"""audit_synthetic: all checks of a table of synthetic expression."""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from tqdm import tqdm

from omitrans.generation._correlations import correlations, known_edges
from omitrans.generation._privacy import attribute_privacy, memorisation
from omitrans.generation._realism import clusters, coverage, distributions
from omitrans.generation._result import SyntheticAudit
from omitrans.generation._sketch import sketch
from omitrans.generation._tables import AuditTables, read_tables
from omitrans.generation._utility import classifier_named, discrimination, utility
from omitrans.utils._callers import user_level
from omitrans.utils._sklearn import HasMethods, Interval, StrOptions, validate_params

_FEW_SAMPLES = 30


@validate_params(
    {
        "covariates": [str, "array-like"],
        "classifier": [StrOptions({"mlp", "logistic"}), HasMethods(["fit", "predict_proba"])],
        "n_seeds": [Interval(Integral, 1, None, closed="left")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "n_clusters": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def audit_synthetic(
    real_train: pd.DataFrame,
    train_covariates: pd.DataFrame,
    real_test: pd.DataFrame,
    test_covariates: pd.DataFrame,
    synthetic: pd.DataFrame,
    synthetic_covariates: pd.DataFrame | None = None,
    *,
    covariates: str | Sequence[str] = "auto",
    network: pd.DataFrame | None = None,
    classifier: Any = "mlp",
    n_seeds: int = 3,
    n_neighbors: int = 5,
    n_clusters: int = 10,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> SyntheticAudit:
    """Check whether synthetic expression is useful, realistic and no copy of its training samples.

    Every number stands beside the same number for real samples, or beside what is expected without
    any fault.

    Parameters
    ----------
    real_train : DataFrame of shape (n_train, n_genes)
        Expression that the generator was fitted to.
    train_covariates : DataFrame of shape (n_train, n_covariates)
        Covariates of the same samples.
    real_test : DataFrame of shape (n_test, n_genes)
        Expression of samples that the generator has not met, of other donors.
    test_covariates : DataFrame of shape (n_test, n_covariates)
        Covariates of the same samples.
    synthetic : DataFrame of shape (n_synthetic, n_genes)
        Synthetic expression, as ``sample_y`` of a generator returns it. The genes of the three
        tables may stand in any order.
    synthetic_covariates : DataFrame of shape (n_synthetic, n_covariates), default=None
        Covariates of the synthetic samples. None takes `test_covariates`, once for each draw.
    covariates : "auto", str or sequence of str, default="auto"
        Names of the categorical covariates to check. "auto" takes all columns of text, categories
        and booleans with two levels or more, and fewer levels than half of the training samples.
    network : DataFrame of shape (n_edges, n_columns), default=None
        Gene network with one row per edge and the columns ``regulator`` and ``target``, which hold
        names of genes. None leaves out the two scores along a network.
    classifier : {"mlp", "logistic"} or classifier, default="mlp"
        Classifier that learns from each table to tell the levels of a covariate. "mlp" is that of
        the paper, two layers of 64 units; "logistic" is faster.
    n_seeds : int, default=3
        Number of fits of the classifier, whose scores are averaged.
    n_neighbors : int, default=5
        A sample is near another one if their distance is that of a training sample to its
        neighbour of this rank (the 90 % quantile over the samples of a level).
    n_clusters : int, default=10
        Number of clusters of genes; at most half the number of genes.
    random_state : int, RandomState instance or None, default=None
        Seed of classifiers, folds, clusters and intervals.
    n_jobs : int or None, default=None
        Number of classifiers that are fitted at the same time.
    verbose : int, default=0
        Whether to show a progress bar: 1 or more shows it.

    Returns
    -------
    SyntheticAudit
        The numbers as a table (``frame``), their meaning (``verdict``), and a page (``to_html``).

    Raises
    ------
    FeatureMismatchError
        If the tables hold other genes, or if covariates are absent.
    SampleMismatchError
        If expression and covariates of a table do not hold the same samples.
    TypeError
        If a table is not a DataFrame.
    ValueError
        If expression is missing, if a table has fewer than five samples, if no covariate is
        categorical, or if `network` has no edge between two different genes of the tables.

    Warns
    -----
    UserWarning
        If a table has fewer than 30 samples, so that intervals are wide; if edges of the network
        are left out, because they have other genes; or if genes are constant in `synthetic`.

    See Also
    --------
    omitrans.baselines.GaussianGenerator : A generator that a better one should surpass.

    Notes
    -----
    ``utility``
        Scores on `real_test` of a classifier fitted to synthetic and, as reference, to training
        samples. "good" within 3 points of the reference, "poor" below 10 points.
    ``discrimination``
        Cross-validated AUC of classifiers that tell synthetic from test samples, in pairs with the
        same covariates where there are such. 0.5 or less is perfect. The reference tells training
        from test samples.
    ``memorisation``
        Near copies are synthetic samples nearer to a training sample than half the distance of any
        test sample, and than half their own distance to the test samples. The share of unusually
        close samples (below the 5 % quantile of the test samples, and much nearer to training than
        to test samples) is tested by Fisher's exact test at 1 %. Draws with too little spread lie
        near to training and test samples alike, and are no copies. A sample whose nearest neighbour
        is rather a training than a test sample has learned from training, or repeats it; as test
        samples of other conditions have the same effect, only a share far above one half is poor.
    ``attribute privacy``
        An attacker knows half of the genes of a sample, and looks up its nearest synthetic sample.
        The number is how much better this tells training samples than test samples: the share of
        right levels, or the explained part of the other genes' variance.
    ``recall``, ``precision``
        Share of the test samples of a level with a near synthetic sample of that level, and the
        reverse. The reference is the recall by training samples. Levels with fewer than five test
        samples get no verdict.
    ``gene clusters``
        k-means of the genes in the synthetic and in the test table. Clusters are matched one to
        one.
    ``gene correlations``
        The scores of :func:`omitrans.metrics.generation_report` of the synthetic table, and as
        reference of the training table, both against `real_test`. ``s_dend`` and ``s_sdcc`` differ
        much between tables of real samples too, and get no verdict.
    ``genes``
        The distribution of each gene.

    References
    ----------
    R. Viñas et al., "Adversarial generation of gene expression data", Bioinformatics 38(3), 2022,
    section 5, for the classifiers and the clusters, and section 4.3 for the scores.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from omitrans.baselines import GaussianGenerator
    >>> from omitrans.generation import audit_synthetic
    >>> rng = np.random.default_rng(0)
    >>> covariates = pd.DataFrame({"tissue": ["liver", "lung"] * 60})
    >>> expression = pd.DataFrame(rng.normal(size=(120, 20))).add_prefix("gene")
    >>> expression.loc[::2, ["gene0", "gene1", "gene2"]] += 3
    >>> train, test = (covariates[:80], expression[:80]), (covariates[80:], expression[80:])
    >>> synthetic = GaussianGenerator(random_state=0).fit(*train).sample_y(test[0], random_state=0)
    >>> audit = audit_synthetic(
    ...     train[1], train[0], test[1], test[0], synthetic, classifier="logistic", random_state=0
    ... )
    >>> memorised = audit.frame[audit.frame["check"] == "memorisation"]
    >>> "poor" in set(memorised["verdict"])
    False
    """
    if synthetic_covariates is None:
        synthetic_covariates = _for_each_draw(test_covariates, synthetic)
    tables = read_tables(
        {
            "real_train": (real_train, train_covariates),
            "real_test": (real_test, test_covariates),
            "synthetic": (synthetic, synthetic_covariates),
        },
        covariates if isinstance(covariates, str) else list(covariates),
    )
    n_samples = {name: len(getattr(tables, name).values) for name in ("train", "test", "synthetic")}
    _warn_of_few(n_samples)
    seed = int(check_random_state(random_state).randint(2**31 - 1000))
    edges = None if network is None else known_edges(network, tables.genes)
    model = classifier_named(classifier) if isinstance(classifier, str) else classifier
    checks: dict[str, Callable[[AuditTables], list[dict[str, Any]]]] = {
        "utility": partial(utility, classifier=model, n_seeds=n_seeds, seed=seed, n_jobs=n_jobs),
        "discrimination": partial(discrimination, seed=seed),
        "memorisation": partial(memorisation, seed=seed),
        "attribute privacy": partial(attribute_privacy, seed=seed),
        "coverage": partial(coverage, n_neighbors=n_neighbors),
        "gene clusters": partial(clusters, n_clusters=n_clusters, seed=seed),
        "gene correlations": partial(correlations, network=edges),
        "genes": distributions,
    }
    rows = []
    for check in tqdm(checks.values(), desc="audit", unit="check", disable=verbose < 1):
        rows += check(tables)
    columns = ["check", "target", "level", "value", "reference", "low", "high", "verdict"]
    drawn = sketch(tables, real_train.var(), seed)
    return SyntheticAudit(pd.DataFrame(rows)[columns], n_samples, drawn)


def _for_each_draw(covariates: Any, synthetic: Any) -> Any:
    """Return the covariates of the test samples for every draw, with the index of the draws."""
    if not isinstance(covariates, pd.DataFrame) or not isinstance(synthetic, pd.DataFrame):
        return covariates
    n_draws, rest = divmod(len(synthetic), max(len(covariates), 1))
    if rest or n_draws < 1:
        raise ValueError(
            f"synthetic has {len(synthetic)} rows, which is no multiple of the {len(covariates)} "
            "rows of test_covariates. Give synthetic_covariates."
        )
    if n_draws == 1:
        return covariates
    return pd.concat([covariates] * n_draws).set_axis(synthetic.index)


def _warn_of_few(n_samples: dict[str, int]) -> None:
    few = [f"{name} {n}" for name, n in n_samples.items() if n < _FEW_SAMPLES]
    if few:
        warnings.warn(
            f"Fewer than {_FEW_SAMPLES} samples ({', '.join(few)}): the intervals are wide, and a "
            "generator that copies some samples may stay undetected.",
            UserWarning,
            stacklevel=user_level(),
        )
