"""Rank genes by what changes in generated samples when one covariate changes."""

import inspect
import warnings
from collections.abc import Iterator, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy import stats
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, check_scalar
from tqdm.auto import tqdm

from omitrans.generation._confounding import warn_of_confounding
from omitrans.generation._contrast import (
    Contrast,
    check_used,
    find_contrast,
    having_value,
    ignored_by,
)
from omitrans.model_selection._folds import sample_groups
from omitrans.solvers._moderated_variance import moderate_variances
from omitrans.utils._callers import user_level
from omitrans.utils._validation import check_paired_samples

BLOCK_ROWS = 256
_FEWEST_DRAWN = 3  # samples or patients of a value, below which refits hardly differ
_COLUMNS = ["gene", "rank", "effect", "se", "low", "high", "p_value", "q_value"]


def counterfactual_ranking(
    generator: Any,
    X: pd.DataFrame,
    change: Mapping[str, tuple[Any, Any]],
    *,
    y: pd.DataFrame | None = None,
    within: str | list[str] | None = None,
    by: str | None = None,
    groups: Any = "auto",
    n_latents: int = 500,
    n_refits: int = 20,
    level: float = 0.95,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> pd.DataFrame:
    """Rank genes by what changes when one covariate of generated samples changes.

    The covariates of real samples and latent states are drawn. For each, the generator draws
    expression before and after the change, with everything else the same. The mean difference is
    the effect on a gene. It is causal within the model only: the generator has learned it from the
    samples, and where another covariate goes together with the changed one, a warning says so.

    With `y` the generator is fitted again on samples drawn with replacement. The spread of the
    effect over these fits gives intervals and p-values; the errors of single genes are moderated by
    those of all genes (Smyth 2004), because few refits estimate them badly. Without `y` intervals
    show the spread over latent states only, which says nothing about other samples than those of
    the fit.

    Parameters
    ----------
    generator : estimator
        An estimator with ``fit`` and ``sample_y``, such as :class:`~omitrans.WGANGPGenerator`.
        It may be unfitted if `y` is given.
    X : DataFrame of shape (n_samples, n_columns)
        Covariates of the samples that the generator was fitted on, or of others.
    change : dict of str to tuple
        Name of the covariate, and its two values: ``{"condition": ("healthy", "tumour")}``. The
        samples with either value take part. Of a covariate of numbers with more than two values,
        such as the age, all samples take part, and any two values within their range will do.
    y : DataFrame of shape (n_samples, n_genes), default=None
        Expression of the samples, for the refits.
    within : str or list of str, default=None
        Covariates, such as the study, within whose levels the contrast is taken. Samples of levels
        in which only one of the two values occurs are left out.
    by : str, default=None
        Covariate for each of whose levels genes are ranked separately, such as the tissue. Samples
        where it is missing are left out.
    groups : "auto", array-like of shape (n_samples,) or None, default="auto"
        Patient of each sample; patients are drawn whole. "auto" reads patients from sample ids of
        TCGA, TARGET or GTEx.
    n_latents : int, default=500
        Number of pairs of samples that are drawn for each ranking.
    n_refits : int, default=20
        Number of refits, if `y` is given. 0 refits nothing.
    level : float, default=0.95
        Probability of the intervals.
    random_state : int, RandomState instance or None, default=None
        Seed of latents, drawn samples and refits.
    n_jobs : int, default=None
        Number of processes for the refits, as in joblib.
    verbose : int, default=0
        Whether to show a progress bar over the refits.

    Returns
    -------
    DataFrame
        One row per gene, the strongest first, and for each level of `by`: ``gene``, ``rank``,
        ``effect`` (second value minus first, in units of the expression), ``se``, ``low`` and
        ``high``, ``p_value``, and ``q_value``, which controls the false discovery rate (Benjamini
        and Hochberg). Genes are ranked by effect divided by its standard error after refits, and
        by the size of the effect without them; p-values are NaN then.

    Raises
    ------
    FeatureMismatchError
        If `X` lacks a covariate that is named.
    TypeError
        If X or y is no DataFrame.
    ValueError
        If a value does not occur, if the two values never meet within a level of `within`, or if
        the generator does not use the covariate.

    Warns
    -----
    ConfoundedChangeWarning
        If another covariate goes together with the changed one.
    UserWarning
        If fewer than three samples or patients have one of the two values, so that the refits
        hardly differ and intervals are too narrow.

    See Also
    --------
    omitrans.displays.CounterfactualRankingDisplay : Draw the strongest genes.

    References
    ----------
    R. Viñas et al., "Adversarial generation of gene expression data", Bioinformatics 2021, section
    5.2. The paper contrasts 1,000 pairs of one fit, without intervals, and normal samples of GTEx
    with tumours of TCGA, so that study and cancer cannot be told apart.

    Examples
    --------
    >>> from omitrans.baselines import GaussianGenerator
    >>> from omitrans.datasets import make_disease_expression
    >>> from omitrans.generation import counterfactual_ranking
    >>> data = make_disease_expression(
    ...     n_samples=200, n_genes=60, n_drivers=5, effect=2.0, random_state=0
    ... )
    >>> ranking = counterfactual_ranking(
    ...     GaussianGenerator(),
    ...     data.covariates,
    ...     {"condition": ("healthy", "disease")},
    ...     y=data.expression,
    ...     within="study",
    ...     groups=data.samples["donor"],
    ...     n_refits=5,
    ...     random_state=0,
    ... )
    >>> bool(ranking["gene"].head(3).isin(data.truth.drivers).all())
    True
    """
    check_scalar(n_latents, "n_latents", Integral, min_val=2)
    check_scalar(n_refits, "n_refits", Integral, min_val=0)
    check_scalar(level, "level", Real, min_val=0, max_val=1, include_boundaries="neither")
    if by in _COLUMNS:
        raise ValueError(
            f"by={by!r} is also the name of a column of the ranking. Rename the covariate."
        )
    contrast, second = find_contrast(generator, X, change, within, by)
    if y is None:
        check_is_fitted(generator, "covariates_")
        n_refits = 0
    else:
        if not isinstance(y, pd.DataFrame):
            raise TypeError(
                f"y must be a DataFrame, whose columns name the genes. Got {type(y).__name__}."
            )
        check_paired_samples(X, y)
    if n_refits == 1:
        raise ValueError("n_refits=1 shows no spread. Give 2 or more, or 0 for none.")
    held = [within] if isinstance(within, str) else list(within or [])
    ignored = ignored_by(generator, X)
    check_used(generator, contrast.column, X, ignored)
    warn_of_confounding(contrast.covariates.drop(columns=ignored), contrast.column, second, held)
    random = check_random_state(random_state)
    seed = int(random.randint(np.iinfo(np.int32).max))
    is_fitted = hasattr(generator, "covariates_")
    donors = None if is_fitted and not n_refits else sample_groups(X, groups)
    if not is_fitted:
        generator = _fit(generator, X, y, donors, seed)
    check_used(generator, contrast.column, X, ignored)
    observed = _effects(generator, contrast, n_latents, seed)
    refitted: list[dict[Any, pd.DataFrame]] = []
    if n_refits and y is not None:
        donors = np.arange(len(X)) if donors is None else pd.factorize(np.asarray(donors))[0]
        first, last = (having_value(X[contrast.column], value) for value in contrast.levels)
        strata = first + 2 * last
        _warn_of_few(donors, strata, contrast)
        jobs = (
            delayed(_refit)(generator, X, y, rows, copies, contrast, n_latents, seed + number + 1)
            for number, (rows, copies) in enumerate(_resamples(donors, strata, n_refits, random))
        )
        refitted = list(
            tqdm(
                Parallel(n_jobs=n_jobs, return_as="generator")(jobs),
                total=n_refits,
                desc="refits",
                disable=not verbose,
            )
        )
    tables = []
    for name, effects in observed.items():
        spread = [refit[name]["effect"].to_numpy() for refit in refitted if name in refit]
        table = _summarise(effects, spread if len(spread) > 1 else [], n_latents, level)
        if by is not None:
            table.insert(0, by, name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _warn_of_few(donors: np.ndarray, strata: np.ndarray, contrast: Contrast) -> None:
    for i, value in enumerate(contrast.levels):
        n_drawn = len(np.unique(donors[strata == i + 1]))
        if 0 < n_drawn < _FEWEST_DRAWN:
            warnings.warn(
                f"Only {n_drawn} samples or patients have {value!r} in {contrast.column!r}: the "
                "refits hardly differ in them, and intervals and p-values are too small.",
                UserWarning,
                stacklevel=user_level(),
            )


# --- effects of one fit ---


def _effects(
    generator: Any, contrast: Contrast, n_latents: int, seed: int
) -> dict[Any, pd.DataFrame]:
    """Return effect and standard deviation over latents of each gene, by level of `by`."""
    random = np.random.default_rng(seed)
    result = {}
    for name, covariates in _by_level(contrast):
        rows = covariates.iloc[random.integers(len(covariates), size=n_latents)]
        mean = squares = 0
        for start in range(0, n_latents, BLOCK_ROWS):
            block = rows.iloc[start : start + BLOCK_ROWS]
            draw = int(random.integers(np.iinfo(np.int32).max))
            before, after = (
                generator.sample_y(_changed(block, contrast.column, value), random_state=draw)
                for value in contrast.levels
            )
            difference = after.to_numpy(np.float64) - before.to_numpy(np.float64)
            mean = mean + difference.sum(axis=0) / n_latents
            squares = squares + (difference**2).sum(axis=0) / n_latents
            genes = after.columns
        deviation = np.sqrt(np.maximum(squares - mean**2, 0))
        result[name] = pd.DataFrame({"effect": mean, "deviation": deviation}, index=genes)
    return result


def _changed(covariates: pd.DataFrame, column: Any, value: Any) -> pd.DataFrame:
    changed = covariates.copy()
    changed[column] = value
    return changed


def _by_level(contrast: Contrast) -> Iterator[tuple[Any, pd.DataFrame]]:
    if contrast.by is None:
        yield None, contrast.covariates
    else:
        yield from contrast.covariates.groupby(contrast.by, sort=True, observed=True)


# --- refits ---


def _resamples(
    donors: np.ndarray, strata: np.ndarray, n_refits: int, random: np.random.RandomState
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield rows drawn by donors with replacement, and the donor of each row.

    Donors with samples of the second value, those with the first one only, and the others are drawn
    apart, so that both values occur.
    """
    members = [np.flatnonzero(donors == donor) for donor in range(donors.max() + 1)]
    kind = np.array([strata[rows].max() for rows in members])
    parts = [np.flatnonzero(kind == value) for value in np.unique(kind)[::-1]]
    for _ in range(n_refits):
        drawn = np.concatenate([random.choice(part, len(part)) for part in parts])
        rows = np.concatenate([members[donor] for donor in drawn])
        yield rows, np.repeat(drawn, [len(members[donor]) for donor in drawn])


def _refit(
    generator: Any,
    X: pd.DataFrame,
    y: pd.DataFrame,
    rows: np.ndarray,
    donors: np.ndarray,
    contrast: Contrast,
    n_latents: int,
    seed: int,
) -> dict[Any, pd.DataFrame]:
    """Fit a copy of the generator on drawn rows, and return its effects.

    Covariates that have levels which were not drawn keep the samples of X that have them.
    """
    X_drawn, y_drawn = (
        table.iloc[rows].set_axis(pd.RangeIndex(len(rows)), axis=0) for table in (X, y)
    )
    fitted = _fit(generator, X_drawn, y_drawn, donors, seed)
    known = contrast._replace(covariates=_drawable(fitted, contrast.covariates))
    return _effects(fitted, known, n_latents, seed)


def _drawable(generator: Any, covariates: pd.DataFrame) -> pd.DataFrame:
    """Return the samples whose levels the generator has met."""
    keep = np.ones(len(covariates), dtype=bool)
    encoder = generator.covariates_
    names = getattr(encoder, "feature_names_in_", covariates.columns)
    for place, known in zip(encoder.columns_["categorical"], encoder.categories_, strict=True):
        column = covariates[names[place]]
        keep &= (column.isin(list(known)) | column.isna()).to_numpy()
    return covariates[keep]


def _fit(generator: Any, X: pd.DataFrame, y: Any, donors: Any, seed: int) -> Any:
    copy = clone(generator)
    if "random_state" in copy.get_params(deep=False):
        copy.set_params(random_state=seed)
    if "groups" in inspect.signature(copy.fit).parameters:
        return copy.fit(X, y, groups=donors)
    return copy.fit(X, y)


# --- summary ---


def _summarise(
    effects: pd.DataFrame, refitted: list[np.ndarray], n_latents: int, level: float
) -> pd.DataFrame:
    effect = effects["effect"].to_numpy()
    p_value = q_value = np.full(len(effect), np.nan)
    if refitted:
        # few refits leave some errors too small by chance, and their genes would come first
        variance = np.var(refitted, axis=0, ddof=1)
        variance, freedom = moderate_variances(variance, len(refitted) - 1)
        se = np.sqrt(variance)
        ratio = np.abs(effect) / np.where(se > 0, se, np.inf)
        p_value = 2 * stats.t.sf(ratio, freedom)
        q_value = stats.false_discovery_control(p_value)
        order = np.lexsort((-np.abs(effect), -ratio))
    else:
        se, freedom = effects["deviation"].to_numpy() / np.sqrt(n_latents), n_latents - 1
        order = np.argsort(-np.abs(effect), kind="stable")
    reach = stats.t.ppf((1 + level) / 2, freedom) * se
    table = pd.DataFrame(
        {
            "gene": effects.index,
            "rank": 0,
            "effect": effect,
            "se": se,
            "low": effect - reach,
            "high": effect + reach,
            "p_value": p_value,
            "q_value": q_value,
        }
    ).iloc[order]
    table["rank"] = np.arange(1, len(table) + 1)
    return table.reset_index(drop=True)
