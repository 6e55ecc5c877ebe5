"""Comparison of several imputers on the same hidden values, in one tidy table."""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omitrans.comparison._cache import OutcomeCache
from omitrans.comparison._imputation_run import METRICS, evaluate_imputer
from omitrans.comparison._imputer_comparison import ImputerComparison
from omitrans.comparison._outcome import COSTS, Outcome
from omitrans.comparison._runs import (
    Run,
    carry_out,
    check_models,
    report_failures,
    report_not_stored,
)
from omitrans.datasets.simulate._masks import MECHANISMS, names_of
from omitrans.exceptions import FeatureMismatchError
from omitrans.model_selection._folds import Split, make_folds, sample_groups
from omitrans.utils._random_state import own_random_state
from omitrans.utils._sklearn import Interval, StrOptions, validate_params
from omitrans.utils._validation import check_paired_samples

_KEYS = ["model", "missing_rate", "mask", "fold"]


@validate_params(
    {
        "imputers": [dict],
        "X": ["array-like"],
        "scenario": [StrOptions({"inductive", "in-place"})],
        "covariates": ["array-like", str, None],
        "missing_rates": ["array-like", Interval(Real, 0, 1, closed="neither")],
        "n_masks": [Interval(Integral, 1, None, closed="left")],
        "mechanism": [StrOptions(set(MECHANISMS))],
        "train_missing_rate": [Interval(Real, 0, 1, closed="left")],
        "cv": ["cv_object"],
        "groups": [StrOptions({"auto"}), "array-like", None],
        "group_by": [str, "array-like", None],
        "n_jobs": [Integral, None],
        "cache_dir": [str, Path, None],
        "return_imputations": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=False,
)
def compare_imputers(
    imputers: Mapping[str, Any],
    X: Any,
    *,
    scenario: str = "inductive",
    covariates: Any = None,
    missing_rates: Any = (0.5,),
    n_masks: int = 3,
    mechanism: str = "mcar",
    train_missing_rate: float = 0.0,
    cv: Any = 5,
    groups: Any = "auto",
    group_by: Any = None,
    n_jobs: int | None = None,
    cache_dir: str | Path | None = None,
    return_imputations: bool = False,
    random_state: Any = None,
    verbose: int = 0,
) -> ImputerComparison:
    """Compare imputers by values that are known and were hidden from them.

    The same values are hidden from all imputers. Each imputer is cloned and sees only the table
    without the hidden values; the metrics are computed over the hidden entries. An imputer that
    fails is reported in a warning and in ``errors`` and does not stop the others.

    Parameters
    ----------
    imputers : dict of str to transformer
        Imputers by name; ``transform`` must return the expression columns only.
    X : array-like or DataFrame of shape (n_samples, n_columns)
        Expression values and covariates. Values that are missing from the start are imputed, but do
        not count in the metrics.
    scenario : {"inductive", "in-place"}, default="inductive"
        "inductive" fits on the training samples of each fold and imputes its test samples.
        "in-place" fits on one table with hidden values and imputes the same table: an imputer
        learns from the observed values of the samples that it imputes, and there are no folds.
    covariates : str or list of str, default=None
        Names of the columns of the DataFrame X that are covariates. Covariates are never hidden,
        and all imputers receive them.
    missing_rates : float or sequence of float, default=(0.5,)
        Fractions of values to hide; the comparison is run for each fraction.
    n_masks : int, default=3
        Number of random masks per missing rate.
    mechanism : {"mcar", "block"}, default="mcar"
        How values are hidden; see :func:`~omitrans.datasets.hide_values`.
    train_missing_rate : float, default=0.0
        Fraction of values that are hidden in the training samples of scenario "inductive".
    cv : int, splitter or iterable of (train, test), default=5
        Cross-validation folds of scenario "inductive".
    groups : "auto", None or array-like of shape (n_samples,), default="auto"
        Donor of each sample; all samples of a donor stay on the same side of a split. "auto" reads
        the donors from the index of a DataFrame X if it holds ids of TCGA, TARGET or GTEx and
        donors have several samples. None splits without regard to donors. Imputers whose `fit`
        takes groups receive the groups of their training samples.
    group_by : str, array-like or Series of shape (n_samples,), default=None
        Name of a column of X, or one label per sample, such as the tissue. R² is also computed
        within each of these groups.
    n_jobs : int, default=None
        Number of fits that run in parallel, through joblib.
    cache_dir : str or pathlib.Path, default=None
        Folder for finished fits. A later call with the same imputer, table and masks reads the
        results from there instead of fitting again. Needs an integer `random_state`.
    return_imputations : bool, default=False
        Whether to keep every imputed table in the result.
    random_state : int, RandomState instance or None, default=None
        Seed of the random masks.
    verbose : int, default=0
        Whether to show a progress bar: 1 or more shows it.

    Returns
    -------
    ImputerComparison
        Metrics of every imputer, missing rate, mask and fold, with methods that summarise them.

    Raises
    ------
    SampleMismatchError
        If X and `groups` are indexed by different samples.
    FeatureMismatchError
        If `covariates` or `group_by` name columns that X does not have.
    ValueError
        If a group stands on both sides of a split, or all fits failed.

    Warns
    -----
    PatientGroupsWarning
        If samples were grouped because their ids name the same donors.

    See Also
    --------
    omitrans.baselines.make_imputers : Imputers to compare with.
    omitrans.metrics.masked_r2_per_feature : R² over hidden entries.

    Notes
    -----
    R² compares with the mean of the values of a gene that were not hidden in the same table, as in
    the paper. Where no values are hidden in the training samples, an imputer is fitted once per
    fold and imputes the table of every mask. ``predict_seconds`` is the time of ``transform``; in
    scenario "in-place", ``fit_seconds`` is the time of ``fit_transform``.

    References
    ----------
    R. Viñas et al., "Deep learning enables fast and accurate imputation of gene expression",
    sections 3.3 and 4.1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.impute import KNNImputer, SimpleImputer
    >>> from omitrans.comparison import compare_imputers
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 10))
    >>> imputers = {"mean": SimpleImputer(), "5-NN": KNNImputer()}
    >>> comparison = compare_imputers(imputers, X, cv=3, random_state=0)
    >>> comparison.summary()["mean_r2_per_feature"] > 0.5
    model
    mean    False
    5-NN     True
    Name: mean_r2_per_feature, dtype: bool
    """
    check_models(imputers, "transform", "imputers")
    if scenario == "inductive" or not isinstance(groups, str):
        groups = sample_groups(X, groups)  # in place nothing is split, but by imputers themselves
    covariates = _check_covariates(X, covariates)
    labels = _labels(X, group_by)
    splits: list[Split] | list[None] = [None]
    if scenario == "inductive":
        splits = make_folds(cv, X, None, groups, each_once=False, shuffle=False)
    rates = [float(rate) for rate in np.ravel(missing_rates)]
    masks = _draw_seeds(rates, n_masks, random_state)

    options = {
        "train_missing_rate": train_missing_rate,
        "mechanism": mechanism,
        "covariates": covariates,
        "groups": groups,
        "labels": labels,
        "keep_imputation": return_imputations,
    }
    cache = None if cache_dir is None else OutcomeCache(cache_dir, (X,), options)
    runs = []
    for name, imputer in imputers.items():
        for fold, split in enumerate(splits):
            parts = {}
            for (rate, mask), seed in masks.items():
                path = None if cache is None else cache.path(name, imputer, rate, seed, split)
                parts[name, rate, mask, fold] = ((rate, seed), path)
            runs.append(Run(evaluate_imputer, (imputer, X, split), options, parts))
    found = carry_out(runs, n_jobs=n_jobs, verbose=verbose)
    report_not_stored(found, cache_dir)
    errors = report_failures(found, _KEYS)
    genes = _genes(X, covariates)
    return ImputerComparison(
        _tidy(found),
        errors,
        per_feature=_per_feature(found, genes),
        per_group=None if labels is None else _per_group(found, genes, labels),
        folds=_sizes(splits),
        imputations=_imputations(found) if return_imputations else None,
    )


def _check_covariates(X: Any, covariates: Any) -> tuple[str, ...]:
    covariates = names_of(covariates)
    if covariates and not isinstance(X, pd.DataFrame):
        raise ValueError("covariates names columns of a frame; X is an array. Give X as a frame.")
    absent = [name for name in covariates if name not in X.columns]
    if absent:
        raise FeatureMismatchError(f"covariates names columns that X does not have: {absent}.")
    return covariates


def _labels(X: Any, group_by: Any) -> np.ndarray | None:
    if group_by is None:
        return None
    if isinstance(group_by, str):
        if not isinstance(X, pd.DataFrame) or group_by not in X.columns:
            raise FeatureMismatchError(f"group_by={group_by!r} is no column of X.")
        group_by = X[group_by]
    check_paired_samples(X, group_by, names=("X", "group_by"))
    labels = np.asarray(group_by).astype(str)
    if labels.shape != (len(X),):
        raise ValueError(f"group_by has the shape {labels.shape} for {len(X)} samples.")
    return labels


def _draw_seeds(
    rates: Sequence[float], n_masks: int, random_state: Any
) -> dict[tuple[float, int], int]:
    """Return the seed of every mask; the seeds of one rate do not depend on the other rates."""
    if not all(0 < rate < 1 for rate in rates) or len(set(rates)) < len(rates):
        raise ValueError(f"missing_rates must be different numbers between 0 and 1. Got {rates}.")
    seeds = own_random_state(random_state).randint(2**31 - 2, size=n_masks)
    return {(rate, mask): int(seed) for rate in rates for mask, seed in enumerate(seeds)}


def _genes(X: Any, covariates: tuple[str, ...]) -> pd.Index:
    if isinstance(X, pd.DataFrame):
        return X.columns.drop(list(covariates))
    return pd.RangeIndex(np.shape(X)[1])


def _tidy(found: Mapping[Any, Outcome]) -> pd.DataFrame:
    rows = [
        (*key, metric, outcome.metrics.get(metric, np.nan))
        for key, outcome in found.items()
        for metric in (*METRICS, *COSTS)
    ]
    return pd.DataFrame(rows, columns=[*_KEYS, "metric", "value"])


def _mean_tables(found: Mapping[Any, Outcome], name: str) -> dict[tuple[str, float], np.ndarray]:
    """Return the mean over masks and folds of an array, NaN where a model failed in one."""
    shape = next(outcome.arrays[name].shape for outcome in found.values() if not outcome.error)
    tables: dict[tuple[str, float], list[np.ndarray | None]] = {}
    for (model, rate, _, _), outcome in found.items():
        tables.setdefault((model, rate), []).append(outcome.arrays.get(name))
    means = {}
    for key, parts in tables.items():
        made = [part for part in parts if part is not None]
        whole = len(made) == len(parts)
        means[key] = _nanmean(np.stack(made)) if whole else np.full(shape, np.nan)
    return means


def _nanmean(parts: np.ndarray) -> np.ndarray:
    """Return the mean over the first axis without NaN values; NaN where all values are NaN."""
    counts = (~np.isnan(parts)).sum(axis=0)
    return np.divide(
        np.nansum(parts, axis=0), counts, out=np.full(counts.shape, np.nan), where=counts > 0
    )


def _per_feature(found: Mapping[Any, Outcome], genes: pd.Index) -> pd.DataFrame:
    columns = _mean_tables(found, "r2")
    names = pd.MultiIndex.from_tuples(columns, names=_KEYS[:2])
    return pd.DataFrame(np.stack(list(columns.values()), axis=1), index=genes, columns=names)


def _per_group(found: Mapping[Any, Outcome], genes: pd.Index, labels: np.ndarray) -> pd.DataFrame:
    tables = _mean_tables(found, "r2_by_group")
    names = [(*key, group) for key in tables for group in np.unique(labels).tolist()]
    columns = pd.MultiIndex.from_tuples(names, names=[*_KEYS[:2], "group"])
    return pd.DataFrame(np.concatenate(list(tables.values()), axis=1), genes, columns)


def _sizes(splits: Sequence[Split | None]) -> pd.DataFrame | None:
    """Return the sizes of the folds, or None without folds."""
    sizes = [(len(split[0]), len(split[1])) for split in splits if split is not None]
    return pd.DataFrame(sizes, columns=["n_train", "n_test"]) if sizes else None


def _imputations(found: Mapping[Any, Outcome]) -> dict[Any, np.ndarray]:
    return {
        key: outcome.arrays["imputation"]
        for key, outcome in found.items()
        if "imputation" in outcome.arrays
    }
