"""Folds that predict every sample once, and keep patients together."""

from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, KFold, check_cv


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
