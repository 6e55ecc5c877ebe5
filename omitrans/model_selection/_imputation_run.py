"""One imputer on one mask: values hidden, filled, judged."""

import warnings
from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from omitrans.datasets import hide_values
from omitrans.exceptions import TrainingInterrupted
from omitrans.metrics import masked_r2_by_group, masked_r2_per_feature, masked_rmse
from omitrans.model_selection._memory import PeakMemory
from omitrans.model_selection._outcome import COSTS, Outcome
from omitrans.model_selection._splits import Split
from omitrans.utils._sklearn import safe_indexing

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
    missing_rate: float,
    train_missing_rate: float,
    mechanism: str,
    seed: int,
    covariates: Sequence[str],
    groups: np.ndarray | None,
    keep_imputation: bool,
) -> Outcome:
    """Hide values, fit a clone of `imputer`, fill them and compare.

    Parameters
    ----------
    imputer : estimator
        Is cloned.
    X : array-like or DataFrame
        All samples.
    split : (ndarray, ndarray) or None
        Rows to fit on and rows to impute; None fits on the table with its holes and imputes it.
    missing_rate, train_missing_rate : float
        Shares hidden in what is imputed and in the rows to fit on.
    mechanism : str
        As :func:`~omitrans.datasets.hide_values` takes it.
    seed : int
        Of the mask.
    covariates : sequence of str
        Columns that are never hidden.
    groups : ndarray of shape (n_samples,) or None
        Groups for R² within groups.
    keep_imputation : bool
        Whether the outcome holds the imputed table.

    Returns
    -------
    Outcome
        Numbers over hidden entries with R² of every gene, or the text of the error.
    """
    mask = {"mechanism": mechanism, "exclude": list(covariates) or None}
    try:
        imputer = clone(imputer)
        holes, hidden = hide_values(X, missing_rate, random_state=seed, **mask)
        whole = X if split is None else safe_indexing(X, split[1])
        if split is None:
            train = test = holes
        else:
            train, test = safe_indexing(X, split[0]), safe_indexing(holes, split[1])
            hidden = safe_indexing(hidden, split[1])
            if train_missing_rate > 0:
                train, _ = hide_values(train, train_missing_rate, random_state=seed + 1, **mask)
        imputed, costs = _fill(imputer, train, test)
        truth = whole.drop(columns=list(covariates)) if isinstance(whole, pd.DataFrame) else whole
        _check_shape(imputed, truth)
        r2 = np.asarray(masked_r2_per_feature(truth, imputed, hidden))
        numbers = {
            "rmse": masked_rmse(truth, imputed, hidden),
            "mean_r2_per_feature": float(np.nanmean(r2)),
            "median_r2_per_feature": float(np.nanmedian(r2)),
            "fraction_r2_per_feature_above": float((r2 > R2_THRESHOLD)[~np.isnan(r2)].mean()),
        }
        arrays = {"r2": r2}
        if groups is not None:
            mine = groups if split is None else groups[split[1]]
            table = masked_r2_by_group(truth, imputed, hidden, mine)
            arrays["r2_by_group"] = table.reindex(columns=np.unique(groups)).to_numpy()
        if keep_imputation:
            arrays["imputation"] = imputed
    except TrainingInterrupted:
        raise KeyboardInterrupt from None
    except Exception as error:  # whatever an imputer does, the others go on
        return Outcome({}, error=f"{type(error).__name__}: {error}")
    return Outcome(numbers | dict(zip(COSTS, costs, strict=True)), arrays=arrays)


def _fill(imputer: Any, train: Any, test: Any) -> tuple[np.ndarray, tuple[float, float, float]]:
    """Fit, fill, and return the result with the costs.

    In place the table is filled by ``fit_transform``, all of whose time counts as that of the fit.
    """
    start = perf_counter()
    with warnings.catch_warnings(), PeakMemory() as memory:
        # a training that Ctrl-C cut short is no result: the user wants the comparison to end
        warnings.simplefilter("error", TrainingInterrupted)
        filled = imputer.fit_transform(train) if train is test else imputer.fit(train)
    fitted = perf_counter()
    if train is not test:
        filled = imputer.transform(test)
    return np.asarray(filled), (fitted - start, perf_counter() - fitted, memory.mib)


def _check_shape(imputed: np.ndarray, truth: Any) -> None:
    if imputed.shape != np.shape(truth):
        raise ValueError(
            f"it returned a table of shape {imputed.shape} for expression of shape "
            f"{np.shape(truth)}. An imputer must return the expression columns only, and all of "
            "them; wrap those of scikit-learn in omitrans.baselines.CovariateImputer."
        )
