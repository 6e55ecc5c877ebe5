"""Groups of neighbouring columns of X, for networks with one block per chromosome."""

from collections.abc import Mapping
from itertools import groupby
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from omitrans.annotation import check_locations
from omitrans.exceptions import FeatureMismatchError


def group_widths(groups: Any, names: Any, n_columns: int) -> tuple[int, ...] | None:
    """Return the number of columns in each group of neighbouring columns.

    Parameters
    ----------
    groups : None, sequence of int, mapping, Series or DataFrame
        The number of columns in each group, the group of every column by name, or a probe table,
        whose chromosomes are the groups.
    names : ndarray of str or None
        Names of the columns; None if they have no names.
    n_columns : int
        Number of columns.

    Returns
    -------
    tuple of int or None
        The number of columns in each group, which add up to `n_columns`. None if `groups` is None.

    Raises
    ------
    FeatureMismatchError
        If columns have no group.
    ValueError
        If the numbers do not add up to `n_columns`, or the columns of a group are not neighbours.
    """
    if groups is None:
        return None
    if not isinstance(groups, Mapping | pd.Series | pd.DataFrame):
        return _check_widths(groups, n_columns)
    if names is None:
        raise ValueError(
            "column_groups names the columns of X, but X has no column names. Give X as a "
            "DataFrame, or column_groups as a list of widths."
        )
    if isinstance(groups, pd.DataFrame):
        groups = check_locations(groups)["chromosome"]
    labels = pd.Series(groups).reindex(names)
    missing = labels.index[labels.isna()]
    if len(missing):
        raise FeatureMismatchError(
            f"column_groups lacks {len(missing)} of the {n_columns} columns of X (first: "
            f"{missing[0]}). Add them, or drop unplaced columns with "
            "LocationAligner(annotation, unmapped='drop')."
        )
    runs = [(label, len(list(run))) for label, run in groupby(labels)]
    apart = len(runs) - labels.nunique()
    if apart:
        raise ValueError(
            f"The columns of a group must be neighbours in X; {labels.nunique()} groups lie in "
            f"{len(runs)} pieces. Sort the columns with LocationAligner(annotation) before."
        )
    return tuple(width for _, width in runs)


def _check_widths(groups: Any, n_columns: int) -> tuple[int, ...]:
    widths = list(np.asarray(groups, dtype=object).ravel())
    wrong = [width for width in widths if not isinstance(width, Integral) or width < 1]
    if wrong or sum(widths) != n_columns:
        raise ValueError(
            f"column_groups must hold whole numbers of at least 1 that add up to the {n_columns} "
            f"columns of X. Got {groups!r}."
        )
    return tuple(int(width) for width in widths)


def check_noise_has_no_groups(estimator: Any) -> None:
    """Raise an error if an estimator reads noise behind columns that come in groups.

    Parameters
    ----------
    estimator : OmiTransRegressor
        The estimator in fit.
    """
    if estimator.noise_dim and estimator.column_groups is not None:
        raise ValueError(
            f"noise_dim={estimator.noise_dim} puts noise behind the columns of X, which belongs to "
            "none of column_groups. Use noise_dim=0, or column_groups=None with a generator "
            "without groups."
        )
