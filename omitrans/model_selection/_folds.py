"""Make folds, and find out which samples belong together."""

import warnings
from collections.abc import Callable, Iterable
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, KFold, check_cv

from omitrans.exceptions import PatientGroupsWarning
from omitrans.model_selection._patients import patients_in_ids
from omitrans.utils._callers import called_by_user, caller, user_level
from omitrans.utils._sklearn import IgnoresGroups, num_samples
from omitrans.utils._validation import check_paired_samples

Split = tuple[np.ndarray, np.ndarray]


def sample_groups(X: Any, groups: Any = "auto", *, n_samples: int | None = None) -> Any:
    """Return the group of each sample, or None if samples are not grouped.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_samples, n_features)
        Samples as rows. The index of a DataFrame may name patients.
    groups : "auto", None or array-like of shape (n_samples,), default="auto"
        Group of each sample. "auto" reads patients from the index of a DataFrame X if it holds ids
        of TCGA, TARGET or GTEx. None does not group samples.
    n_samples : int, default=None
        Number of samples, if it cannot be read from X.

    Returns
    -------
    ndarray of shape (n_samples,) or None
        Group of each sample. With "auto" the result is None unless a patient has several samples; a
        sample whose id names no patient then forms a group of its own.

    Raises
    ------
    SampleMismatchError
        If X and `groups` are both indexed and do not hold the same samples in the same order.
    ValueError
        If `groups` has another length than X, or holds missing values.

    Warns
    -----
    PatientGroupsWarning
        If samples were grouped because their ids name the same patients. There is no warning in the
        many fits of a search.
    """
    if groups is None:
        return None
    if isinstance(groups, str):
        if groups != "auto":
            raise ValueError(
                f"groups must be 'auto', None or one value for each sample. Got {groups!r}."
            )
        return _patients_that_repeat(X, say=called_by_user(__name__, caller()))
    check_paired_samples(X, groups, names=("X", "groups"))
    n_samples = num_samples(X) if n_samples is None else n_samples
    values = np.asarray(groups)
    if values.shape != (n_samples,):
        raise ValueError(
            f"groups has the shape {values.shape} for {n_samples} samples. Give one value for each "
            "sample, in their order."
        )
    missing = int(pd.Series(list(groups), dtype=object).isna().sum())  # an array may write "nan"
    if missing:
        raise ValueError(
            f"Input groups contains NaN or None: {missing} of {n_samples} samples have no group. "
            "Name the patient of each, or leave these samples out."
        )
    return values


def _patients_that_repeat(X: Any, *, say: bool) -> np.ndarray | None:
    """Return the patients in the index of X, with a warning; None if no patient repeats."""
    if not isinstance(X, pd.DataFrame | pd.Series):
        return None
    patients = patients_in_ids(X.index)
    if patients is None:
        return None
    n_patients = len(set(patients))
    if n_patients == len(patients):
        return None
    if not say:  # whoever fits many models says it, or the user groups the folds
        return patients
    warnings.warn(
        f"The {len(patients)} samples come from {n_patients} patients, as their ids say, and were "
        "grouped by patient: all samples of a patient stand on one side of a split. Give "
        "groups=None to switch this off, or groups= with the group of each sample (on the command "
        "line: --groups none, or --groups FILE).",
        PatientGroupsWarning,
        stacklevel=user_level(),
    )
    return patients


def make_folds(
    cv: Any,
    X: Any,
    y: Any,
    groups: Any,
    random_state: Any = None,
    *,
    each_once: bool = True,
    shuffle: bool = True,
) -> list[Split]:
    """Return the rows to train on and the rows to predict of each fold.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        Cross-validation splitter. A number makes folds of KFold, or of GroupKFold if there are
        groups; None means 5. Splitters and iterables are used as they are.
    X, y : array-like
        Tables to split.
    groups : ndarray of shape (n_samples,) or None
        Group of each sample, as :func:`sample_groups` returns it.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffling, if `cv` is a number.
    each_once : bool, default=True
        Whether every sample must be predicted in exactly one fold.
    shuffle : bool, default=True
        Whether a number as `cv` means shuffled folds.

    Returns
    -------
    list of (ndarray, ndarray)
        Row numbers to train on and row numbers to predict, for each fold.

    Raises
    ------
    ValueError
        If a group stands on both sides of a split, if there are fewer samples or groups than folds,
        or if samples are not predicted exactly once although `each_once` is True.
    """
    if cv is None or isinstance(cv, Integral):
        n_folds = 5 if cv is None else int(cv)
        make = KFold if groups is None else GroupKFold
        _check_enough_samples(n_folds, num_samples(X))
        _check_enough_groups(n_folds, groups)
        cv = make(n_folds, shuffle=shuffle, random_state=random_state if shuffle else None)
    splitter = check_cv(cv)
    # what ignores groups would only warn; it is refused below, if it tears one apart
    known = None if isinstance(splitter, IgnoresGroups) else groups
    folds = list(splitter.split(X, y, known))
    _check_groups_stay_together(folds, groups)
    if each_once:
        _check_each_once(folds, cv, num_samples(X))
    return folds


def _check_enough_samples(n_folds: int, n_samples: int) -> None:
    if n_samples < n_folds:
        raise ValueError(
            f"cv={n_folds} needs at least {n_folds} samples, but there are n_samples={n_samples}. "
            f"Lower cv{f' to {n_samples} at most' if n_samples > 1 else ''}, or add samples."
        )


def _check_enough_groups(n_folds: int, groups: Any) -> None:
    n_groups = n_folds if groups is None else len(pd.unique(groups))
    if n_groups < n_folds:
        raise ValueError(
            f"cv={n_folds} needs at least {n_folds} groups, such as patients, but there are "
            f"{n_groups}. Lower cv, or give groups=None if samples of a group may stand on both "
            "sides of a split."
        )


def _check_groups_stay_together(folds: list[Split], groups: Any) -> None:
    if groups is None:
        return
    codes, values = pd.factorize(np.asarray(groups))
    for fold, (train, test) in enumerate(folds):
        shared = sorted(map(str, values[np.intersect1d(codes[train], codes[test])]))
        if shared:
            raise ValueError(
                f"Fold {fold} has {len(shared)} groups in both training and test samples "
                f"(first: {', '.join(shared[:3])}), so cv does not respect groups. Use an int or "
                "a group splitter such as GroupKFold as cv. If the groups may stand on both sides, "
                "give groups=None."
            )


def _check_each_once(folds: list[Split], cv: Any, n_samples: int) -> None:
    tested = np.concatenate([test for _, test in folds])
    if not np.array_equal(np.sort(tested), np.arange(n_samples)):
        raise ValueError(
            f"cv must hold each of the {n_samples} samples out once; {cv} holds out "
            f"{len(tested)}, {len(np.unique(tested))} of them distinct. Use folds such as "
            "those of KFold or GroupKFold."
        )


def check_tested_once(splits: list[Split]) -> None:
    """Raise an error if a sample is in several test folds.

    Parameters
    ----------
    splits : list of (ndarray, ndarray)
        Row numbers to train on and row numbers to predict, for each fold.
    """
    tested = np.concatenate([test for _, test in splits])
    repeats = len(tested) - len(np.unique(tested))
    if repeats:
        raise ValueError(
            "return_predictions=True needs every sample in at most one test fold, but cv tests "
            f"samples again {repeats} times. Use a splitter without repeats, such as KFold."
        )


def grouped_holdout(
    n_samples: int,
    fraction: float,
    groups: Any,
    permutation: Callable[[int], Any],
) -> Split:
    """Split the training samples of one fit into training rows and validation rows.

    Parameters
    ----------
    n_samples : int
        Number of samples, at least 2.
    fraction : float
        Fraction of the samples to hold out; it is rounded up to whole samples.
    groups : ndarray of shape (n_samples,) or None
        Group of each sample, as :func:`sample_groups` returns it. Whole groups are held out.
    permutation : callable
        Function that returns the numbers below ``n`` in random order, such as
        :func:`torch.randperm`. It is called once, as ``permutation(n)``, and is the only source of
        randomness. Without groups, ``n`` is `n_samples`; with groups, ``n`` is the number of
        groups.

    Returns
    -------
    train_rows, validation_rows : ndarray of int
        Row numbers. Without groups, or if every group holds one sample, the validation rows are the
        first numbers of the permutation and the training rows are the other numbers, in its order.
        With groups, whole groups are held out in random order, as long as each group brings the
        number of validation rows closer to the requested number.

    Raises
    ------
    ValueError
        If all samples belong to one group.
    """
    wanted = min(n_samples - 1, int(np.ceil(fraction * n_samples)))
    if groups is None:
        order = np.asarray(permutation(n_samples))
        return order[wanted:], order[:wanted]
    codes, _ = pd.factorize(np.asarray(groups))  # numbered as they first appear
    sizes = np.bincount(codes)
    if len(sizes) < 2:
        raise ValueError(
            "All training samples are of one group, so none can be held out to stop training by. "
            "Give samples of several groups, groups=None, or early_stopping=False."
        )
    order = np.asarray(permutation(len(sizes)))
    held_out = _nearest_to(wanted, sizes, order)
    place = np.empty(len(sizes), dtype=int)
    place[order] = np.arange(len(sizes))
    rows = np.argsort(place[codes], kind="stable")  # group by group, in their random order
    is_held_out = held_out[codes[rows]]
    return rows[~is_held_out], rows[is_held_out]


def _nearest_to(wanted: int, sizes: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return the groups to take, in this order, to get nearly the wanted number of samples."""
    taken = np.zeros(len(sizes), dtype=bool)
    total = 0
    for group in order:
        nearer = abs(total + sizes[group] - wanted) < abs(total - wanted)
        if nearer and taken.sum() < len(sizes) - 1:
            taken[group] = True
            total += sizes[group]
    if not taken.any():  # even the smallest group is far too large
        taken[order[np.argmin(sizes[order])]] = True
    return taken


def checked_folds(
    folds: Iterable[tuple[Any, Any]], n_samples: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the rows of given folds as arrays of int.

    Parameters
    ----------
    folds : iterable of (training rows, test rows)
        Positions of samples, as a splitter yields them.
    n_samples : int
        Number of samples.

    Returns
    -------
    list of (ndarray, ndarray)
        Training rows and test rows of each fold.

    Raises
    ------
    ValueError
        If a fold is too small, holds no positions, or tests a sample that it trains on or that was
        tested before.
    """
    parts, tested = [], np.zeros(n_samples, dtype=bool)
    for number, fold in enumerate(folds):
        train, test = (_positions(rows, n_samples, number) for rows in fold)
        if len(np.unique(train)) < 2 or not len(test):
            raise ValueError(
                f"Fold {number} has {len(train)} training and {len(test)} test samples. It needs "
                "at least two different training samples and one test sample: make fewer folds."
            )
        if np.isin(test, train).any() or tested[test].any() or len(np.unique(test)) < len(test):
            raise ValueError(
                f"Fold {number} tests a sample that it trains on or that was tested before. Give "
                "each sample one test fold, as KFold and GroupKFold do."
            )
        tested[test] = True
        parts.append((train, test))
    return parts


def _positions(rows: Any, n_samples: int, number: int) -> np.ndarray:
    """Return the rows of one side of a fold as positions."""
    rows = np.asarray(rows)
    try:
        return np.arange(n_samples)[rows if rows.size else rows.astype(int)]
    except IndexError as error:
        raise ValueError(
            f"Fold {number} does not hold positions of {n_samples} samples ({error}). Give pairs "
            "of arrays of int, as the split method of a splitter yields them."
        ) from error
