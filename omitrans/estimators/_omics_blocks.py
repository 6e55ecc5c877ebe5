"""Find the columns of each kind of omics in one table, and their chromosomes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from omitrans.annotation import check_locations
from omitrans.covariates._columns import _positions
from omitrans.exceptions import FeatureMismatchError
from omitrans.utils._validation import _some

WHOLE = "all"  # name of the only block where none are named


def find_blocks(X: Any, blocks: Any, n_columns: int) -> dict[str, np.ndarray]:
    """Return the positions of the columns of each block.

    Parameters
    ----------
    X : DataFrame or ndarray of shape (n_samples, n_columns)
        Table of all blocks.
    blocks : dict or None
        Column specifier of each block, by its name. None takes all columns as one block.
    n_columns : int
        Number of columns of X.

    Returns
    -------
    dict of str to ndarray of int
        The positions.

    Raises
    ------
    FeatureMismatchError
        If X lacks a column, or if two blocks share a column or one names it twice.
    ValueError
        If there are no blocks, or if one has no column.
    """
    if blocks is None:
        return {WHOLE: np.arange(n_columns)}
    if not blocks:
        raise ValueError(
            "blocks names no block. Give a dict such as {'expression': columns}, or None for one "
            "block of all columns."
        )
    table = X if isinstance(X, pd.DataFrame) else np.asarray(X)
    found = {str(name): _positions(table, key, f"blocks[{name!r}]") for name, key in blocks.items()}
    for name, columns in found.items():
        if not len(columns):
            raise ValueError(
                f"blocks[{name!r}] selects no column of the {n_columns} columns of X. Correct it, "
                "or leave the block out."
            )
    values, counts = np.unique(np.concatenate(list(found.values())), return_counts=True)
    twice = values[counts > 1]
    if len(twice):
        held_by = [name for name, columns in found.items() if twice[0] in columns]
        labels = np.asarray(X.columns if isinstance(X, pd.DataFrame) else range(n_columns))
        raise FeatureMismatchError(
            f"blocks selects {len(twice)} columns twice ({_some(labels[twice])}); the first is in "
            f"{' and in '.join(map(repr, held_by))}. Let each column be in one block, once."
        )
    return found


def order_by_group(
    blocks: dict[str, np.ndarray], groups: Any, names: np.ndarray | None
) -> tuple[dict[str, np.ndarray], dict[str, tuple[int, ...] | None]]:
    """Sort the columns of blocks by chromosome, where chromosomes are known.

    Parameters
    ----------
    blocks : dict of str to ndarray of int
        Positions of the columns of each block.
    groups : mapping, Series, DataFrame or None
        The group of columns by name, or a probe table, whose chromosomes are the groups.
    names : ndarray of str or None
        Names of the columns of X; None if they have no names.

    Returns
    -------
    blocks : dict of str to ndarray of int
        The positions; neighbouring columns of a block are of one group.
    widths : dict of str to (tuple of int or None)
        Number of columns in each group of each block; None for a block of which no column has a
        group.

    Raises
    ------
    FeatureMismatchError
        If some columns of a block have a group and others do not, or if no column has one.
    ValueError
        If the columns of X have no names.
    """
    if groups is None:
        return blocks, dict.fromkeys(blocks)
    if names is None:
        raise ValueError(
            "column_groups names the columns of X, but X has no column names. Give X as a "
            "DataFrame."
        )
    if isinstance(groups, pd.DataFrame):
        groups = check_locations(groups)["chromosome"]
    known = pd.Series(dict(groups) if isinstance(groups, Mapping) else groups)
    labels = known.reindex(names).to_numpy(dtype=object)
    ordered: dict[str, np.ndarray] = {}
    widths: dict[str, tuple[int, ...] | None] = {}
    for name, columns in blocks.items():
        own = labels[columns]
        missing = pd.isna(own)
        if missing.all():
            ordered[name], widths[name] = columns, None
            continue
        if missing.any():
            raise FeatureMismatchError(
                f"column_groups lacks {missing.sum()} of the {len(columns)} columns of the block "
                f"{name!r} (first: {_some(names[columns[missing]])}). Add them, or name none of "
                "the block."
            )
        codes = pd.factorize(own)[0]  # groups in the order in which they first appear
        ordered[name] = columns[np.argsort(codes, kind="stable")]
        widths[name] = tuple(int(count) for count in np.bincount(codes))
    if all(width is None for width in widths.values()):
        raise FeatureMismatchError(
            f"column_groups knows none of the columns of X (first: {_some(names)}). Name them as X "
            "does, or give column_groups=None."
        )
    return ordered, widths
