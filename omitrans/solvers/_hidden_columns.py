"""Similarities and direct effects of samples some of whose columns are hidden."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.spatial.distance import cdist

from omitrans.solvers._direct_features import DirectEffects, TrainingTables
from omitrans.solvers._kernel_family import (
    BLOCK_SIZES,
    FeatureScaling,
    Similarities,
    columns_of_l1,
)
from omitrans.solvers._workers import Workers
from omitrans.utils._blocks import column_blocks

Split = tuple[np.ndarray, np.ndarray]


class HiddenColumns(NamedTuple):
    """Which columns of some samples are hidden, and what stands in for them.

    Attributes
    ----------
    order : ndarray of int of shape (n_features,)
        Columns in the order in which they are kept.
    kept : sequence of int
        Numbers of columns that are kept, the first ones in `order`; the others are hidden. The
        first number is that of all columns, and the others are smaller.
    means : ndarray of shape (1, n_features)
        Means of the columns over the training samples, which stand in for hidden values.
    """

    order: np.ndarray
    kept: Sequence[int]
    means: np.ndarray

    @classmethod
    def of(
        cls, training: TrainingTables, order: np.ndarray, kept: Sequence[int], workers: Workers
    ) -> Self:
        """Return hidden columns with the means of some training samples.

        Parameters
        ----------
        training : TrainingTables
            The training samples.
        order : ndarray of int of shape (n_features,)
            Columns in the order in which they are kept.
        kept : sequence of int
            Numbers of columns that are kept, that of all columns first.
        workers : Workers
            Threads to use.

        Returns
        -------
        HiddenColumns
            Means in the dtype of the table; zeros where no column is hidden.
        """
        X, rows = training.X, training.selection
        if len(kept) == 1:  # nothing is hidden, so nothing stands in
            return cls(order, kept, np.zeros((1, X.shape[1]), dtype=X.dtype))
        blocks = list(column_blocks(len(X), X.shape[1], **BLOCK_SIZES))
        parts = workers.results(lambda block: X[rows, block].mean(axis=0, dtype=np.float64), blocks)
        return cls(order, kept, np.concatenate(list(parts)).astype(X.dtype)[None])

    def similarities(
        self, whole: Similarities, tables: TrainingTables, fold: Split, workers: Workers
    ) -> list[Similarities]:
        """Return the similarities of test samples with training samples for each of `kept`.

        Products and distances are sums over columns. The columns between two numbers are visited
        once: those of the samples count where they are kept, and those of the means, which are the
        same for all samples, where they are hidden.

        Parameters
        ----------
        whole : Similarities
            Similarities with all columns.
        tables : TrainingTables
            Tables that hold the samples.
        fold : (ndarray of int, ndarray of int)
            Rows of the training samples, and of the test samples.
        workers : Workers
            Threads to use.

        Returns
        -------
        list of Similarities
            The first is `whole`.
        """
        train, test = fold
        fewer = self.kept[1:]
        if not fewer:
            return [whole]
        shape = whole.products.shape
        found = [
            Similarities(
                np.zeros(shape), np.zeros(shape), np.zeros(shape[:2]), whole.training_norms
            )
            for _ in fewer
        ]
        for start, stop in pairwise(np.unique([0, *self.kept])):
            needed = test if max(fewer) >= stop else test[:0]
            columns = np.sort(self.order[start:stop])
            products, distances = self._sums(tables, (train, needed), columns, workers)
            for kept, one in zip(fewer, found, strict=True):
                # the last row is that of the means
                rows = slice(None, -1) if kept >= stop else slice(-1, None)
                one.products[:] += products[:, rows, :-1]
                one.norms[:] += products[:, rows, -1]
                one.distances[:] += distances[:, rows]
        return [whole, *found]

    def _sums(
        self, tables: TrainingTables, fold: Split, columns: np.ndarray, workers: Workers
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return products and distances over some columns, with those of the means at the end.

        The last column of the products holds the squared norms.
        """
        n, rows = len(fold[0]), np.concatenate(fold)

        def scaled(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            part = np.vstack([tables.X[np.ix_(rows, columns)], self.means[:, columns]])
            scaling = FeatureScaling(*(moment[columns] for moment in tables.scaling))
            return scaling.apply(part, slice(None))

        def products(block: slice) -> np.ndarray:
            sums = []
            for table in scaled(columns[block]):
                new = table[n:]
                sums.append(np.column_stack([new @ table[:n].T, np.einsum("ij,ij->i", new, new)]))
            return np.stack(sums)

        in_l1 = np.intersect1d(columns, columns_of_l1(tables.X.shape[1]), assume_unique=True)

        def distances(block: slice) -> np.ndarray:
            both = scaled(in_l1[block])
            return np.stack([cdist(table[n:], table[:n], "cityblock") for table in both])

        shape = 2, len(rows) - n + 1
        blocks, blocks_of_l1 = (
            list(column_blocks(len(rows), len(some), **BLOCK_SIZES)) for some in (columns, in_l1)
        )
        return (
            workers.add(np.zeros((*shape, n + 1)), products, blocks),
            workers.add(np.zeros((*shape, n)), distances, blocks_of_l1),
        )

    def explained(
        self, effects: DirectEffects, tables: TrainingTables
    ) -> Callable[[slice], np.ndarray] | None:
        """Return a function of a slice of targets that gives the effects on samples.

        Parameters
        ----------
        effects : DirectEffects
            Effects of features.
        tables : TrainingTables
            The samples.

        Returns
        -------
        callable or None
            The function. Its rows are all samples for the first of `kept`, then all for the next.
            None if there are no effects.
        """
        place = np.empty(len(self.order), dtype=int)
        place[self.order] = np.arange(len(self.order))

        def values(used: np.ndarray) -> np.ndarray:
            mean, _ = tables.scaling.apply(self.means, used)
            own = tables.features(used)
            return np.vstack([np.where(place[used] < kept, own, mean) for kept in self.kept])

        return None if not effects.coef.nnz else lambda targets: effects.of_values(values, targets)


def numbers_kept(shares: Sequence[float], n_features: int) -> np.ndarray:
    """Return how many columns each share keeps.

    Parameters
    ----------
    shares : sequence of float
        Fractions of the columns.
    n_features : int
        Number of columns.

    Returns
    -------
    ndarray of int of shape (n_shares,)
        Numbers of columns.

    Raises
    ------
    ValueError
        If a share is not between 0 and 1.
    """
    for share in shares:
        if not 0 <= share <= 1:
            raise ValueError(
                f"shares must lie between 0 and 1, but one is {share!r}. Give fractions of the "
                "columns of X, such as 0.5."
            )
    return np.array([round(share * n_features) for share in shares], dtype=int)


def checked_orders(orders: Sequence[Any], n_folds: int, n_features: int) -> list[np.ndarray]:
    """Return orders of columns as arrays of int.

    Parameters
    ----------
    orders : sequence of array-like of int
        One order per fold.
    n_folds, n_features : int
        Number of folds and of columns.

    Returns
    -------
    list of ndarray of int of shape (n_features,)
        The orders.

    Raises
    ------
    ValueError
        If there is not one order per fold, or if one does not hold each column once.
    """
    found = [np.asarray(order) for order in orders]
    if len(found) != n_folds:
        raise ValueError(
            f"orders has {len(found)} orders of columns for {n_folds} folds. Give one per fold."
        )
    for number, order in enumerate(found):
        if not np.array_equal(np.sort(order, axis=None), np.arange(n_features)):
            raise ValueError(
                f"orders[{number}] has the shape {order.shape} and does not hold each position of "
                f"the {n_features} columns of X once. Give a permutation of "
                f"range({n_features})."
            )
    return found
