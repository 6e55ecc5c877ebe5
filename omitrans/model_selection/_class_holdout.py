"""Hold samples of every class out, whole groups together, and leave every class to train on."""

from typing import Any

import numpy as np
import pandas as pd

from omitrans.model_selection._folds import Split


def class_holdout(
    codes: np.ndarray, fraction: float, groups: Any, random: np.random.RandomState
) -> Split:
    """Split the samples of one fit into training rows and validation rows, class by class.

    Groups are taken in random order, as long as each brings the numbers of held-out samples of its
    classes nearer to the wanted share of these classes. A class keeps at least one training sample,
    so that a class with one sample, or one group, is not validated.

    Parameters
    ----------
    codes : ndarray of shape (n_samples,)
        Number of the class of each sample, from 0.
    fraction : float
        Share of the samples of each class to hold out.
    groups : array-like of shape (n_samples,) or None
        Group of each sample, such as its patient; None makes every sample a group.
    random : numpy.random.RandomState
        Source of the random order.

    Returns
    -------
    train_rows, validation_rows : ndarray of int
        Row numbers, in ascending order.

    Raises
    ------
    ValueError
        If no group can be held out, because every group is the only one of a class.
    """
    members = np.arange(len(codes)) if groups is None else pd.factorize(np.asarray(groups))[0]
    counts = np.zeros((members.max() + 1, codes.max() + 1))
    np.add.at(counts, (members, codes), 1)
    total = counts.sum(axis=0)
    wanted, held = fraction * total, np.zeros_like(total)
    taken = np.zeros(len(counts), dtype=bool)
    order = random.permutation(len(counts))
    allowed = []
    for group in order:
        own = counts[group]
        after = held + own
        if np.any((own > 0) & (after >= total)):
            continue
        allowed.append(group)
        if np.abs(after - wanted).sum() < np.abs(held - wanted).sum():
            taken[group], held = True, after
    if not taken.any():
        if not allowed:
            what = "sample" if groups is None else "group"
            raise ValueError(
                f"Every {what} is the only one of a class, so none can be held out to stop "
                f"training by. Give every class at least two {what}s, or early_stopping=False."
            )
        taken[min(allowed, key=lambda group: counts[group].sum())] = True
    is_held_out = taken[members]
    return np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out)
