"""Evaluation of one imputer: hide values, impute them, compare them with the truth."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from omitrans.comparison._outcome import COSTS, Outcome, PeakMemory
from omitrans.datasets import hide_values
from omitrans.metrics import masked_r2_by_group, masked_r2_per_feature, masked_rmse
from omitrans.model_selection._folds import Split
from omitrans.utils._sklearn import safe_indexing
from omitrans.utils._wrapped import fit_with_groups

R2_THRESHOLD = 0.3
METRICS = (
    "rmse",
    "mean_r2_per_feature",
    "median_r2_per_feature",
    "fraction_r2_per_feature_above",
)


def evaluate_imputer(
    imputer: Any,
    X: Any,
    split: Split | None,
    *,
    parts: Sequence[tuple[float, int]],
    train_missing_rate: float,
    mechanism: str,
    covariates: Sequence[str],
    groups: Any,
    labels: np.ndarray | None,
    keep_imputation: bool,
) -> list[Outcome]:
    """Hide values, fit a clone of `imputer`, impute the values and compare them with the truth.

    Parameters
    ----------
    imputer : estimator
        Imputer to fit; it is cloned first.
    X : array-like or DataFrame
        Table with all samples.
    split : (ndarray, ndarray) or None
        Row numbers to fit on and row numbers to impute. None fits on the table with hidden values
        and imputes the same table.
    parts : sequence of (float, int)
        Fraction of values to hide and seed of each mask.
    train_missing_rate : float
        Fraction of values that are hidden in the rows to fit on.
    mechanism : str
        How values are hidden; see :func:`~omitrans.datasets.hide_values`.
    covariates : sequence of str
        Names of the columns that are never hidden.
    groups : ndarray of shape (n_samples,), "auto" or None
        Donor of each sample, for imputers whose `fit` takes groups. "auto" is allowed only where
        `split` is None and is passed on to the imputer.
    labels : ndarray of shape (n_samples,) or None
        Group of each sample, to compute R² within groups.
    keep_imputation : bool
        Whether to keep the imputed table in the outcomes.

    Returns
    -------
    list of Outcome
        For each mask, the metrics over hidden entries and R² of every gene, or the text of the
        error.
    """
    hide = {"mechanism": mechanism, "exclude": list(covariates) or None}
    rows = slice(None) if split is None else split[1]
    truth = safe_indexing(X, rows)
    if isinstance(truth, pd.DataFrame):
        truth = truth.drop(columns=list(covariates))
    known = None if groups is None or split is None else groups[split[0]]
    fit_once = split is not None and train_missing_rate == 0
    fitted: _Filler | None = None
    outcomes = []
    for missing_rate, seed in parts:
        try:
            holes, hidden = hide_values(X, missing_rate, random_state=seed, **hide)
            holes, hidden = safe_indexing(holes, rows), safe_indexing(hidden, rows)
            if split is None:
                filler = _Filler(imputer).fit(holes, groups, fill=True)
            elif not fit_once:
                train, _ = hide_values(
                    safe_indexing(X, split[0]), train_missing_rate, random_state=seed + 1, **hide
                )
                filler = _Filler(imputer).fit(train, known)
            else:  # whole training samples are the same for every mask
                fitted = fitted or _Filler(imputer).fit(safe_indexing(X, split[0]), known)
                filler = fitted
            imputed, costs = filler.fill(holes)
            numbers, arrays = _judge(truth, imputed, hidden, labels, rows)
        except Exception as error:  # whatever an imputer does, the others go on
            failure = Outcome({}, error=f"{type(error).__name__}: {error}")
            if fit_once and fitted is None:  # nothing would be different for the other masks
                return [failure] * len(parts)
            outcomes.append(failure)
            continue
        if keep_imputation:
            arrays["imputation"] = imputed
        outcomes.append(Outcome(numbers | dict(zip(COSTS, costs, strict=True)), arrays=arrays))
    return outcomes


class _Filler:
    """Clone of an imputer that records the time and memory of its fit."""

    def __init__(self, imputer: Any) -> None:
        self.imputer = clone(imputer)
        self.filled: Any = None

    def fit(self, train: Any, groups: Any, *, fill: bool = False) -> "_Filler":
        """Fit; if `fill` is True, also impute the same table, which counts as part of the fit."""
        start = perf_counter()
        with PeakMemory() as memory:
            method = "fit_transform" if fill else "fit"
            result = fit_with_groups(self.imputer, train, None, groups, method=method)
        self.filled = result if fill else None
        self.seconds, self.mib = perf_counter() - start, memory.mib
        return self

    def fill(self, holes: Any) -> tuple[np.ndarray, tuple[float, float, float]]:
        """Return the imputed table, and the costs."""
        start = perf_counter()
        filled = self.imputer.transform(holes) if self.filled is None else self.filled
        return np.asarray(filled), (self.seconds, perf_counter() - start, self.mib)


def _judge(
    truth: Any, imputed: np.ndarray, hidden: Any, labels: np.ndarray | None, rows: Any
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Return the metrics and R² of every gene, over all samples and within groups."""
    _check_shape(imputed, truth)
    r2 = np.asarray(masked_r2_per_feature(truth, imputed, hidden))
    defined = pd.Series(r2).dropna()  # a Series, as its mean of nothing is NaN without a warning
    numbers = {
        "rmse": masked_rmse(truth, imputed, hidden),
        "mean_r2_per_feature": float(defined.mean()),
        "median_r2_per_feature": float(defined.median()),
        "fraction_r2_per_feature_above": float((defined > R2_THRESHOLD).mean()),
    }
    arrays = {"r2": r2}
    if labels is not None:
        table = masked_r2_by_group(truth, imputed, hidden, labels[rows])
        arrays["r2_by_group"] = table.reindex(columns=np.unique(labels)).to_numpy()
    return numbers, arrays


def _check_shape(imputed: np.ndarray, truth: Any) -> None:
    if imputed.shape != np.shape(truth):
        raise ValueError(
            f"it returned a table of shape {imputed.shape} for expression of shape "
            f"{np.shape(truth)}. An imputer must return the expression columns only, and all of "
            "them; wrap those of scikit-learn in omitrans.baselines.CovariateImputer."
        )
