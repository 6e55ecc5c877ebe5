"""Folds that predict every sample once, and keep patients together."""

from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, KFold, check_cv

Split = tuple[np.ndarray, np.ndarray]


def make_splits(cv: Any, X: Any, Y: Any, groups: Any) -> list[Split]:
    """Return the (train, test) rows of every fold; no group may stand on both sides.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        An int (or None, meaning 5) is a GroupKFold where there are groups, else a KFold.
    X, Y : array-like
        The tables to split.
    groups : array-like of shape (n_samples,) or None
        What must stay on one side.

    Returns
    -------
    list of (ndarray, ndarray)
        Rows.
    """
    if groups is None:
        return list(check_cv(cv).split(X, Y))
    if cv is None or isinstance(cv, Integral):
        cv = GroupKFold(5 if cv is None else cv)
    splits = list(check_cv(cv).split(X, Y, groups))
    values = np.asarray(groups)
    for fold, (train, test) in enumerate(splits):
        shared = sorted(set(values[train]) & set(values[test]))
        if shared:
            raise ValueError(
                f"Fold {fold} has {len(shared)} groups in both training and test samples "
                f"(first: {', '.join(map(str, shared[:3]))}), so cv does not respect groups. "
                "Use an int or a group splitter such as GroupKFold as cv."
            )
    return splits


def check_tested_once(splits: list[Split]) -> None:
    """Raise if a sample is in several test folds.

    Parameters
    ----------
    splits : list of (ndarray, ndarray)
        Rows.
    """
    tested = np.concatenate([test for _, test in splits])
    repeats = len(tested) - len(np.unique(tested))
    if repeats:
        raise ValueError(
            "return_predictions=True needs every sample in at most one test fold, but cv tests "
            f"samples again {repeats} times. Use a splitter without repeats, such as KFold."
        )


def make_folds(
    cv: Any, X: Any, Y: Any, groups: Any, generator: np.random.RandomState
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return rows to train on and to predict, a pair a fold; each sample is predicted once.

    A number makes shuffled folds, which keep groups together if there are any.
    """
    if isinstance(cv, Integral):
        make = KFold if groups is None else GroupKFold
        cv = make(cv, shuffle=True, random_state=generator.randint(np.iinfo(np.int32).max))
    folds = list(check_cv(cv).split(X, Y, groups))
    tested = np.concatenate([test for _, test in folds])
    if not np.array_equal(np.sort(tested), np.arange(len(X))):
        raise ValueError(
            f"cv must predict each of the {len(X)} samples once; {cv} predicts "
            f"{len(tested)}, {len(np.unique(tested))} of them distinct. Use folds such as "
            "those of KFold or GroupKFold."
        )
    return folds


def check_groups(groups: Any) -> None:
    """Raise if a sample has no group."""
    missing = 0 if groups is None else int(pd.Series(list(groups), dtype=object).isna().sum())
    if missing:
        raise ValueError(
            f"Input groups contains NaN or None: {missing} of {len(groups)} samples have no group. "
            "Name the patient of each, or leave these samples out."
        )
