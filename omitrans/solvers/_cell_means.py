"""Means of many genes under combinations of conditions, shrunk towards an additive model."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

PENALTIES = (0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0, np.inf)
"""Ridge penalties of the additive model that :func:`choose_strengths` compares."""
PRIORS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, np.inf)
"""Numbers of samples that the additive model counts for beside the samples of a cell."""
WITHOUT_FOLDS = (1.0, 3.0)
"""Penalty and prior where there are too few samples to compare any."""
Fold = tuple[np.ndarray, np.ndarray]


class CellMeans(NamedTuple):
    """Means by a linear model of the conditions, and by cell: combination of all categories.

    Attributes
    ----------
    offset : ndarray of shape (n_genes,)
        Means over all samples.
    centre : ndarray of shape (n_numbers,)
        Means of the columns of the design.
    coef : ndarray of shape (n_numbers, n_genes)
        Coefficients of the additive model.
    cells : ndarray of shape (n_cells, n_categorical)
        Codes of the cells that have effects.
    effects : ndarray of shape (n_cells, n_genes)
        What a cell adds to the additive model.
    """

    offset: np.ndarray
    centre: np.ndarray
    coef: np.ndarray
    cells: np.ndarray
    effects: np.ndarray

    def predict(self, design: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return the means of some samples; a row is the same alone and among others.

        Parameters
        ----------
        design : ndarray of shape (n_samples, n_numbers)
            Conditions as numbers, see :func:`additive_design`.
        codes : ndarray of shape (n_samples, n_categorical)
            Codes of the categories.

        Returns
        -------
        ndarray of shape (n_samples, n_genes)
            The means in the data type of the coefficients.
        """
        numbers = (design - self.centre).astype(self.coef.dtype)
        means = np.repeat(self.offset[None], len(design), axis=0)
        add_products(means, numbers, self.coef)
        if len(self.cells):
            place = match_rows(codes, self.cells)
            known = place >= 0
            means[known] += self.effects[place[known]]
        return means


def add_products(target: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
    """Add the matrix product of two tables to `target`, each row rounded as if it were alone.

    Parameters
    ----------
    target : ndarray of shape (n_rows, n_columns)
        Table that is changed.
    left : ndarray of shape (n_rows, n_inner)
        First factor.
    right : ndarray of shape (n_inner, n_columns)
        Second factor.
    """
    for i in range(len(target)):
        row = target[i]
        for j in np.flatnonzero(left[i]):
            row += left[i, j] * right[j]


def additive_design(codes: np.ndarray, numeric: np.ndarray, n_levels: Sequence[int]) -> np.ndarray:
    """Return a column of 0 and 1 for each category (missing too), then the numbers.

    Parameters
    ----------
    codes : ndarray of shape (n_samples, n_categorical)
        Codes 1, 2, ... of the categories; 0 is a missing one.
    numeric : ndarray of shape (n_samples, n_numeric)
        Standardised numbers.
    n_levels : sequence of int
        Number of categories of each categorical covariate, without the missing one.

    Returns
    -------
    ndarray of shape (n_samples, n_numbers), float64
        The design.
    """
    parts = [(codes[:, [j]] == np.arange(n + 1)).astype(np.float64) for j, n in enumerate(n_levels)]
    return np.ascontiguousarray(np.hstack([*parts, numeric.astype(np.float64)]))


def match_rows(codes: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return the position in `cells` of each row of `codes`; -1 where it is absent."""
    places = {row.tobytes(): i for i, row in enumerate(np.ascontiguousarray(cells, np.int64))}
    rows = np.ascontiguousarray(codes, np.int64)
    return np.array([places.get(row.tobytes(), -1) for row in rows], dtype=int)


def fit_cell_means(
    design: np.ndarray, codes: np.ndarray, values: np.ndarray, *, penalty: float, prior: float
) -> tuple[CellMeans, np.ndarray, float]:
    """Fit the means.

    Parameters
    ----------
    design : ndarray of shape (n_samples, n_numbers)
        Conditions as numbers.
    codes : ndarray of shape (n_samples, n_categorical)
        Codes of the categories.
    values : ndarray of shape (n_samples, n_genes)
        Expression.
    penalty : float
        Ridge penalty of the additive model; infinite for none but the overall mean.
    prior : float
        Number of samples that the additive model counts for in a cell; infinite for no effects.

    Returns
    -------
    means : CellMeans
        The fitted means.
    residuals : ndarray of shape (n_samples, n_genes)
        Expression minus its mean.
    n_fitted : float
        Degrees of freedom that the means took, between 1 and the number of samples.
    """
    basis = _Basis(design)
    offset = values.mean(axis=0, dtype=np.float64).astype(values.dtype)
    residuals = values - offset
    weights = basis.weights(penalty)
    coef = (basis.right.T * weights) @ (basis.left.T @ residuals)
    coef = coef.astype(values.dtype)
    residuals -= ((design - basis.centre) @ coef).astype(values.dtype)
    n_fitted = 1 + float(np.sum(basis.values * weights))
    cells, cell = np.unique(codes, axis=0, return_inverse=True)
    cell = cell.reshape(-1)
    if not np.isfinite(prior) or len(cells) < 2:
        none = np.empty((0, values.shape[1]), values.dtype)
        means = CellMeans(offset, basis.centre, coef, cells[:0], none)
        return means, residuals, min(n_fitted, len(values))
    shares = 1 / (np.bincount(cell) + prior)
    effects = (_sums(residuals, cell) * shares[:, None]).astype(values.dtype)
    residuals -= effects[cell]
    # the trace of the shrinkage to cells, less what the additive model has taken of it
    of_cells = _sums(basis.left, cell)
    taken = np.bincount(cell) ** 2 / len(values) + (of_cells**2) @ (basis.values * weights)
    n_fitted += float(np.sum(shares * (np.bincount(cell) - taken)))
    means = CellMeans(offset, basis.centre, coef, cells, effects)
    return means, residuals, min(max(n_fitted, 1.0), len(values))


def choose_strengths(
    design: np.ndarray, codes: np.ndarray, values: np.ndarray, folds: Sequence[Fold]
) -> tuple[float, float]:
    """Return the ridge penalty, and then the prior, with the least error of held-out samples.

    Parameters
    ----------
    design, codes, values : ndarray
        See :func:`fit_cell_means`.
    folds : sequence of (ndarray, ndarray)
        Rows to fit on and rows to predict. Without folds the result is `WITHOUT_FOLDS`.

    Returns
    -------
    penalty : float
        One of `PENALTIES`.
    prior : float
        One of `PRIORS`.
    """
    if not folds:
        return WITHOUT_FOLDS
    errors = np.zeros((len(PENALTIES), len(PRIORS)))
    for train, test in folds:
        basis = _Basis(design[train])
        offset = values[train].mean(axis=0)
        centred, held_out = values[train] - offset, values[test] - offset
        projected = basis.left.T @ centred
        new = (design[test] - basis.centre) @ basis.right.T
        cells, cell = np.unique(codes[train], axis=0, return_inverse=True)
        cell = cell.reshape(-1)
        place = match_rows(codes[test], cells)
        known, counts = place >= 0, np.bincount(cell)
        for i, penalty in enumerate(PENALTIES):
            weights = basis.weights(penalty)[:, None]
            left = held_out - new @ (weights * projected)
            errors[i] += np.sum(left**2, dtype=np.float64)
            if not known.any():
                continue
            inner = centred - (basis.left * basis.values) @ (weights * projected)
            means = _sums(inner, cell) / counts[:, None]
            means = means[place[known]]
            product = np.einsum("ij,ij->i", left[known], means, dtype=np.float64)
            square = np.einsum("ij,ij->i", means, means, dtype=np.float64)
            for j, prior in enumerate(PRIORS):
                shrink = counts[place[known]] / (counts[place[known]] + prior)
                errors[i, j] += np.sum(shrink**2 * square - 2 * shrink * product)
    # the additive model first, by itself: where it explains as much as the cells do, it also tells
    # of combinations that no sample has
    relative = np.round(errors / max(errors.max(), np.finfo(np.float64).tiny), 9)
    i = int(np.argmin(relative[:, -1]))
    return PENALTIES[i], PRIORS[int(np.argmin(relative[i]))]


class _Basis:
    """Singular vectors of a centred design: ridge regression for every penalty."""

    def __init__(self, design: np.ndarray) -> None:
        self.centre = design.mean(axis=0)
        left, values, right = np.linalg.svd(design - self.centre, full_matrices=False)
        kept = values > 1e-9 * max(1.0, values.max(initial=0.0))
        self.left, self.values, self.right = left[:, kept], values[kept], right[kept]

    def weights(self, penalty: float) -> np.ndarray:
        """Return what turns the projections on the left vectors into coefficients."""
        if not np.isfinite(penalty):
            return np.zeros_like(self.values)
        weights: np.ndarray = self.values / (self.values**2 + penalty)
        return weights


def _sums(table: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return the sums of the rows of each cell; every cell has a row."""
    order = np.argsort(cell, kind="stable")
    starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
    sums: np.ndarray = np.add.reduceat(table[order], starts, axis=0, dtype=np.float64)
    return sums
