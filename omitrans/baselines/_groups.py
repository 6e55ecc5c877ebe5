"""Groups of samples and the medians of genes in them."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from omitrans.exceptions import UnknownCategoryWarning
from omitrans.utils._validation import _some


class GroupMedians:
    """Medians of genes in groups of samples, learned once and looked up by group.

    Parameters
    ----------
    expression : ndarray of shape (n_samples, n_genes)
        Training samples; NaN is missing.
    labels : ndarray of shape (n_samples,), dtype object
        Their groups; NaN is none.
    """

    def __init__(self, expression: np.ndarray, labels: np.ndarray) -> None:
        self.overall = np.nanmedian(expression, axis=0)
        self.groups: list[Any] = []
        tables = []
        for group, rows in rows_of_groups(labels):
            self.groups.append(group)
            tables.append(self._medians(expression[rows]))
        shape = (len(tables), expression.shape[1])
        self.table = np.reshape(tables, shape).astype(expression.dtype, copy=False)

    def _medians(self, expression: np.ndarray) -> np.ndarray:
        """Return the medians of a group, those of all samples where a gene has no value in it."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="All-NaN slice")
            medians = np.nanmedian(expression, axis=0)
        return np.where(np.isnan(medians), self.overall, medians)


def rows_of_groups(labels: np.ndarray) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield each group and its rows; rows without a group (NaN) are left out.

    Parameters
    ----------
    labels : ndarray of shape (n_samples,), dtype object
        Groups.

    Yields
    ------
    group : object
        One of them.
    rows : ndarray of int
        Its samples.
    """
    rows: dict[Any, list[int]] = {}
    for i, label in enumerate(labels):
        if label == label:
            rows.setdefault(label, []).append(i)
    for label, members in rows.items():
        yield label, np.asarray(members)


def fill_by_group(
    expression: np.ndarray, labels: np.ndarray, groups: list[Any], table: np.ndarray, overall: Any
) -> list[Any]:
    """Fill holes in place by the medians of each sample's group.

    Parameters
    ----------
    expression : ndarray of shape (n_samples, n_genes)
        Is changed.
    labels : ndarray of shape (n_samples,), dtype object
        Groups; NaN is none.
    groups, table : list and ndarray of shape (n_groups, n_genes)
        Known groups and their medians.
    overall : ndarray of shape (n_genes,)
        For samples of no known group.

    Returns
    -------
    list
        Groups that are not known.
    """
    unknown = []
    places = {group: i for i, group in enumerate(groups)}
    for label, rows in rows_of_groups(labels):
        if label not in places:
            unknown.append(label)
            continue
        block = expression[rows]
        expression[rows] = np.where(np.isnan(block), table[places[label]], block)
    holes = np.isnan(expression)  # of samples without a known group
    expression[holes] = np.broadcast_to(overall, expression.shape)[holes]
    return unknown


def warn_of_unknown(groups: list[Any], column: str, *, stacklevel: int) -> None:
    """Warn of groups that fit has not met.

    Parameters
    ----------
    groups : list
        The groups; nothing is said of none.
    column : str
        The column that holds them.
    stacklevel : int
        Of the warning.
    """
    if groups:
        warnings.warn(
            f"{column} holds {len(groups)} groups that fit has not met "
            f"({_some(sorted(map(str, groups)))}). Their samples get the medians of all samples.",
            UnknownCategoryWarning,
            stacklevel=stacklevel,
        )
