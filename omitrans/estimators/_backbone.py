"""The backbone of a model: the regressor whose predictions networks may correct."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from omitrans.baselines import MultiKernelRidgeRegressor
from omitrans.model_selection._folds import Split, make_folds
from omitrans.utils._sklearn import safe_indexing
from omitrans.utils._wrapped import fit_with_groups

_MIN_SAMPLES, _MIN_GROUPS = 10, 3  # with fewer, the held-out samples tell too little


def new_backbone(backbone: Any) -> Any:
    """Return an unfitted regressor.

    Parameters
    ----------
    backbone : "multi-kernel" or regressor
        Parameter of an estimator. A regressor is cloned.

    Returns
    -------
    regressor
        The backbone to fit.
    """
    return MultiKernelRidgeRegressor() if isinstance(backbone, str) else clone(backbone)


def takes(method: Callable[..., Any], argument: str) -> bool:
    """Return whether a method names an argument in its signature."""
    return argument in inspect.signature(method).parameters


def inner_folds(
    n_folds: int, n_samples: int, groups: np.ndarray | None, seed: int, *, early_stopping: bool
) -> list[Split]:
    """Return the folds whose held-out samples judge the networks.

    Parameters
    ----------
    n_folds : int
        Number of folds that is wanted. There are fewer if there are fewer groups.
    n_samples : int
        Number of samples.
    groups : ndarray of shape (n_samples,) or None
        Group of each sample; no group stands on both sides.
    seed : int
        Seed of the shuffling.
    early_stopping : bool
        Whether training sets groups aside, so that it needs two of them.

    Returns
    -------
    list of (ndarray, ndarray)
        Row numbers to train on and row numbers to predict, for each fold. The list is empty if
        there are too few samples or groups to judge a network.
    """
    codes = np.arange(n_samples) if groups is None else pd.factorize(groups)[0]
    n_groups = codes.max() + 1
    if n_samples < _MIN_SAMPLES or n_groups < _MIN_GROUPS:
        return []
    rows = np.empty((n_samples, 0))
    folds = make_folds(min(n_folds, n_groups), rows, None, groups, seed)
    needed = 2 if early_stopping else 1
    enough = [len(train) > 1 and len(np.unique(codes[train])) >= needed for train, _ in folds]
    return folds if all(enough) else []


def fit_cross_predict(
    backbone: Any, X: Any, y: Any, groups: np.ndarray | None, folds: list[Split]
) -> np.ndarray:
    """Fit a backbone on all samples, and predict the held-out samples of folds without them.

    Parameters
    ----------
    backbone : regressor
        The backbone; it is fitted.
    X, y : array-like or DataFrame of shape (n_samples, n_features or n_targets)
        The tables, as the user gave them.
    groups : ndarray of shape (n_samples,) or None
        Group of each sample, for backbones whose fit takes groups.
    folds : list of (ndarray, ndarray)
        Row numbers to train on and row numbers to predict, for each fold.

    Returns
    -------
    ndarray of shape (n_samples, n_targets)
        Predictions of the held-out samples; NaN for samples that no fold holds out.
    """
    if hasattr(backbone, "fit_cross_predict") and folds:
        known = {"groups": groups} if takes(backbone.fit_cross_predict, "groups") else {}
        predicted = np.asarray(backbone.fit_cross_predict(X, y, folds, **known))
        return predicted.reshape(len(predicted), -1)

    def fit(model: Any, rows: np.ndarray | None = None) -> Any:
        known = groups if rows is None or groups is None else groups[rows]
        source, target = (table if rows is None else safe_indexing(table, rows) for table in (X, y))
        return fit_with_groups(model, source, target, known)

    fit(backbone)
    held_out = np.full((len(np.asarray(y)), 0), np.nan)
    for train, test in folds:
        part = np.asarray(fit(clone(backbone), train).predict(safe_indexing(X, test)))
        part = part.reshape(len(test), -1)
        if not held_out.shape[1]:
            held_out = np.full((len(held_out), part.shape[1]), np.nan, dtype=part.dtype)
        held_out[test] = part
    return held_out
