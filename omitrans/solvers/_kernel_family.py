"""Six kernels of samples: linear, RBF and Laplace, on standardised and on centred features."""

from collections.abc import Iterator
from typing import NamedTuple, Self

import numpy as np
from scipy.spatial.distance import cdist, pdist, squareform

from omitrans.solvers._workers import Workers
from omitrans.utils._blocks import column_blocks

FEATURES = ("standardised", "centred")
SHAPES = ("linear", "rbf", "laplace")
KERNELS = tuple(f"{shape}, {features}" for features in FEATURES for shape in SHAPES)
# Standardised values are clipped here, so that no single value decides how alike samples are.
LIMIT = 5.0
# L1 distances cost much more than products: of more columns, this many are used, spread evenly.
COLUMNS_OF_L1 = 4096
# Rows per product with new samples: a fixed number, so that one alone is rounded as in a batch.
ROWS_PER_PRODUCT = 32
BLOCK_SIZES = {"n_values": 2**18, "at_least": 256}  # of blocks of columns
# Squared distances below this fraction of the squared norms are rounding errors of the norms.
_ROUNDING = 1e-12


class FeatureScaling(NamedTuple):
    """Means and standard deviations of features; a deviation of 0 marks a constant feature."""

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray, workers: Workers) -> Self:
        """Return the scaling of a training table.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Training samples.
        workers : Workers
            Threads to use.

        Returns
        -------
        FeatureScaling
            Means and standard deviations in float64.
        """
        eps = len(X) * np.finfo(np.float64).eps

        def moments(columns: slice) -> tuple[np.ndarray, np.ndarray]:
            block = X[:, columns].astype(np.float64)
            mean = block.mean(axis=0)
            block -= mean
            deviation = np.sqrt(np.einsum("ij,ij->j", block, block) / len(X))
            # a constant column varies by the rounding of its mean
            deviation[deviation <= eps * np.abs(mean)] = 0
            return mean, deviation

        parts = list(workers.results(moments, _blocks(X, len(X))))
        return cls(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    def apply(
        self,
        X: np.ndarray,
        columns: slice | np.ndarray,
        rows: slice | np.ndarray = slice(None),
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return some columns, standardised and clipped, and centred; constant ones are 0.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Samples.
        columns : slice or ndarray of int
            The columns.
        rows : slice or ndarray of int, default=slice(None)
            The samples.

        Returns
        -------
        standardised, centred : ndarray of shape (n_samples, n_columns)
            New tables in float64.
        """
        deviation = self.deviation[columns]
        if isinstance(rows, np.ndarray) and isinstance(columns, np.ndarray):
            part = X[np.ix_(rows, columns)]
        else:
            part = X[rows, columns]
        centred = np.array(part, dtype=np.float64, order="C")
        centred -= self.mean[columns]
        centred[:, deviation == 0] = 0
        standardised = centred / np.where(deviation > 0, deviation, 1.0)
        return np.clip(standardised, -LIMIT, LIMIT, out=standardised), centred


class Similarities(NamedTuple):
    """Inner products and L1 distances of samples with training samples, from which kernels follow.

    The first axis of each array stands for `FEATURES`.
    """

    products: np.ndarray
    distances: np.ndarray
    norms: np.ndarray
    training_norms: np.ndarray

    def take(self, rows: np.ndarray, training_rows: np.ndarray) -> Self:
        """Return the similarities of some samples with some training samples.

        Parameters
        ----------
        rows, training_rows : ndarray of int
            The samples, and the training samples.

        Returns
        -------
        Similarities
            Copies of the parts.
        """
        part = (slice(None), rows[:, None], training_rows)
        norms = self.norms[:, rows], self.training_norms[:, training_rows]
        return type(self)(self.products[part], self.distances[part], *norms)

    def squared_distances(self, features: int) -> np.ndarray:
        """Return squared Euclidean distances on the features of a position in `FEATURES`.

        Parameters
        ----------
        features : int
            Position in `FEATURES`.

        Returns
        -------
        ndarray of shape (n_samples, n_training_samples)
            Squared distances. Those that are rounding errors are 0.
        """
        both = self.norms[features][:, None] + self.training_norms[features]
        squared = both - 2 * self.products[features]
        squared[squared <= _ROUNDING * both] = 0
        return squared

    def widths(self) -> np.ndarray:
        """Return the widths of the six kernels: medians over pairs of training samples.

        Returns
        -------
        ndarray of shape (6,)
            Median distance (its square for RBF) in the order of `KERNELS`; 1 for linear kernels,
            and the mean distance where the median is 0.
        """
        pairs = np.triu_indices(self.products.shape[1], 1)
        widths = []
        for features in range(len(FEATURES)):
            squared, absolute = self.squared_distances(features), self.distances[features]
            widths += [1.0, _typical(squared[pairs]), _typical(absolute[pairs])]
        return np.array(widths)

    def kernels(self, widths: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the six kernel matrices in the order of `KERNELS`.

        Parameters
        ----------
        widths : ndarray of shape (6,)
            What :meth:`widths` returned for the training samples.

        Yields
        ------
        ndarray of shape (n_samples, n_training_samples)
            A new array, neither centred nor scaled.
        """
        for features in range(len(FEATURES)):
            first = len(SHAPES) * features
            yield self.products[features].copy()
            for exponent, width in (
                (self.squared_distances(features), widths[first + 1]),
                (self.distances[features].copy(), widths[first + 2]),
            ):
                exponent /= -width
                yield np.exp(exponent, out=exponent)


def training_similarities(X: np.ndarray, scaling: FeatureScaling, workers: Workers) -> Similarities:
    """Return the similarities of the training samples with each other.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Training samples. The table is not copied as a whole.
    scaling : FeatureScaling
        Scaling of the features.
    workers : Workers
        Threads to use.

    Returns
    -------
    Similarities
        Symmetric matrices.
    """
    n = len(X)

    def products(columns: slice) -> np.ndarray:
        return np.stack([table @ table.T for table in scaling.apply(X, columns)])

    def distances(columns: np.ndarray) -> np.ndarray:  # each pair once
        return np.stack([pdist(table, "cityblock") for table in scaling.apply(X, columns)])

    summed = workers.add(np.zeros((2, n, n)), products, _blocks(X, n))
    pairs = workers.add(np.zeros((2, n * (n - 1) // 2)), distances, _blocks_of_l1(X, n))
    norms = np.diagonal(summed, axis1=1, axis2=2).copy()
    square = np.stack([squareform(one, checks=False) for one in pairs])
    return Similarities(summed, square, norms, norms)


def new_similarities(
    X: np.ndarray,
    training: np.ndarray,
    training_norms: np.ndarray,
    scaling: FeatureScaling,
    workers: Workers,
) -> Similarities:
    """Return the similarities of new samples with the training samples.

    Those of one sample do not depend on the other new samples, to the last bit.

    Parameters
    ----------
    X : ndarray of shape (n_new, n_features)
        New samples.
    training : ndarray of shape (n_samples, n_features)
        Training samples.
    training_norms : ndarray of shape (2, n_samples)
        Squared norms of the training samples, from their similarities.
    scaling : FeatureScaling
        Scaling of the features.
    workers : Workers
        Threads to use.

    Returns
    -------
    Similarities
        Matrices of shape (2, n_new, n_samples).
    """
    n, n_new = len(training), len(X)

    def products(columns: slice) -> tuple[np.ndarray, np.ndarray]:
        new, old = scaling.apply(X, columns), scaling.apply(training, columns)
        pairs = zip(new, old, strict=True)
        squares = [np.einsum("ij,ij->i", table, table) for table in new]
        return np.stack([even_product(a, b.T) for a, b in pairs]), np.stack(squares)

    def distances(columns: np.ndarray) -> np.ndarray:
        pairs = zip(scaling.apply(X, columns), scaling.apply(training, columns), strict=True)
        return np.stack([cdist(a, b, "cityblock") for a, b in pairs])

    summed, norms = np.zeros((2, n_new, n)), np.zeros((2, n_new))
    for product, square in workers.results(products, _blocks(training, n)):
        summed += product
        norms += square
    absolute = workers.add(np.zeros((2, n_new, n)), distances, _blocks_of_l1(training, n))
    return Similarities(summed, absolute, norms, training_norms)


def even_product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return ``left @ right``, each row rounded alike whatever the number of rows.

    BLAS takes other ways for few rows or columns than for many. The product is therefore computed
    for blocks of a fixed number of rows, filled up with zeros.

    Parameters
    ----------
    left : ndarray of shape (n_rows, n_inner)
        Left factor in float64.
    right : ndarray of shape (n_inner, n_columns)
        Right factor in float64.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        The product.
    """
    n_columns = right.shape[1]
    if n_columns < ROWS_PER_PRODUCT:
        right = np.hstack([right, np.zeros((len(right), ROWS_PER_PRODUCT - n_columns))])
    product = np.empty((len(left), n_columns))
    filled = np.zeros((ROWS_PER_PRODUCT, left.shape[1]))
    for start in range(0, len(left), ROWS_PER_PRODUCT):
        rows = left[start : start + ROWS_PER_PRODUCT]
        filled[: len(rows)] = rows
        product[start : start + len(rows)] = (filled @ right)[: len(rows), :n_columns]
    return product


def columns_of_l1(n_features: int) -> np.ndarray:
    """Return the columns that L1 distances are made of.

    Parameters
    ----------
    n_features : int
        Number of columns.

    Returns
    -------
    ndarray of int
        At most `COLUMNS_OF_L1` columns in ascending order, spread evenly.
    """
    return np.linspace(0, n_features - 1, min(n_features, COLUMNS_OF_L1)).astype(int)


def _blocks(X: np.ndarray, n_training: int) -> list[slice]:
    """Return blocks of all columns, which depend on the training samples alone."""
    return list(column_blocks(n_training, X.shape[1], **BLOCK_SIZES))


def _blocks_of_l1(X: np.ndarray, n_training: int) -> list[np.ndarray]:
    chosen = columns_of_l1(X.shape[1])
    return [chosen[block] for block in column_blocks(n_training, len(chosen), **BLOCK_SIZES)]


def _typical(distances: np.ndarray) -> float:
    return float(np.median(distances) or distances.mean() or 1.0)
