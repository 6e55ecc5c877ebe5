"""Covariance of few factors and a deviation per column, for tables with more columns than rows."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh

from omitrans.solvers._cell_means import add_products
from omitrans.solvers._low_rank import leading_vectors

RANKS = (0, 1, 2, 3, 5, 8, 12, 18, 26, 38, 54, 76, 108, 152)
"""Ranks that :func:`choose_rank` compares."""
_EXACT = 3000  # rows or columns up to which all singular vectors are computed
_FLOOR = 1e-3  # share of a column's variance that no factor explains


class LowRankCovariance(NamedTuple):
    """The covariance ``factors.T @ factors + diag(deviation ** 2)``.

    Attributes
    ----------
    factors : ndarray of shape (rank, n_columns)
        Loadings of independent standard normal factors.
    deviation : ndarray of shape (n_columns,)
        Standard deviation that the factors leave.
    """

    factors: np.ndarray
    deviation: np.ndarray

    def draw(self, normal: np.ndarray) -> np.ndarray:
        """Return rows with this covariance; a row is the same alone and among others.

        Parameters
        ----------
        normal : ndarray of shape (n_rows, rank + n_columns)
            Independent standard normal numbers.

        Returns
        -------
        ndarray of shape (n_rows, n_columns)
            The rows, whose mean is zero.
        """
        rank = len(self.factors)
        drawn = normal[:, rank:] * self.deviation
        add_products(drawn, normal[:, :rank], self.factors)
        return drawn


def fit_low_rank(
    residuals: np.ndarray, rank: int, *, n_free: float, seed: int = 0
) -> LowRankCovariance:
    """Fit a covariance to rows of mean zero; variances are kept whatever the rank is.

    Parameters
    ----------
    residuals : ndarray of shape (n_rows, n_columns)
        The rows.
    rank : int
        Number of factors.
    n_free : float
        Degrees of freedom of the rows, by which sums of squares are divided.
    seed : int, default=0
        Seed of the random projections that find the factors of large tables.

    Returns
    -------
    LowRankCovariance
        The covariance, in the data type of `residuals`.
    """
    factors, left = _Spectrum(residuals, rank, n_free, seed).at(rank)
    dtype = residuals.dtype
    return LowRankCovariance(factors.astype(dtype), np.sqrt(left).astype(dtype))


class _Spectrum:
    """The leading singular vectors of rows in units of standard deviations."""

    def __init__(self, rows: np.ndarray, largest: int, n_free: float, seed: int) -> None:
        self.variance = np.einsum("ij,ij->j", rows, rows, dtype=np.float64) / n_free
        self.scale = np.sqrt(self.variance)
        unit = np.where(self.scale > 0, self.scale, 1.0).astype(rows.dtype)
        self.vectors, values = _right_vectors(rows / unit, largest, seed)
        self.squares = values**2 / n_free
        self.n_free = n_free

    def at(self, rank: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the factors of a rank, and the variances that they leave.

        Noise in all directions lengthens the leading ones too; that length is taken off again.
        """
        squares, n_varying = self.squares[:rank], int(np.count_nonzero(self.scale))
        n_other = float(min(self.n_free, n_varying)) - len(squares)
        noise = max(n_varying - squares.sum(), 0.0) / max(n_other, 1.0)
        lengths = np.sqrt(np.maximum(squares - noise, 0.0))
        factors = self.vectors[:rank] * lengths[:, None] * self.scale
        left = np.maximum(self.variance - np.sum(factors**2, axis=0), _FLOOR * self.variance)
        return factors, left


def choose_rank(
    parts: Iterable[tuple[np.ndarray, np.ndarray, float]], largest: int, *, seed: int = 0
) -> int:
    """Return the rank under which held-out rows are the most likely.

    Parameters
    ----------
    parts : iterable of (ndarray, ndarray, float)
        Rows to fit on, rows to judge, and the degrees of freedom of the former, for each fold.
    largest : int
        Largest rank to try.
    seed : int, default=0
        Seed of random projections.

    Returns
    -------
    int
        One of `RANKS`, not above `largest`.
    """
    ranks = [rank for rank in RANKS if rank <= largest]
    scores = np.zeros(len(ranks))
    for train, test, n_free in parts:
        spectrum = _Spectrum(train, ranks[-1], n_free, seed)
        varies = spectrum.scale > 0
        held_out = test[:, varies].astype(np.float64)
        for i, rank in enumerate(ranks):
            factors, left = spectrum.at(rank)
            scores[i] += log_likelihood(held_out, factors[:, varies], left[varies])
    return ranks[int(np.argmax(scores))]


def log_likelihood(rows: np.ndarray, factors: np.ndarray, left: np.ndarray) -> float:
    """Return the log-likelihood of rows, up to a constant (Woodbury's identity).

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
        The rows, of mean zero.
    factors : ndarray of shape (rank, n_columns)
        Loadings of the factors.
    left : ndarray of shape (n_columns,)
        Variances that the factors leave, above zero.

    Returns
    -------
    float
        The log-likelihood.
    """
    weighted = factors / left
    inner = np.eye(len(factors)) + weighted @ factors.T
    squares = np.sum(rows**2 / left)
    log_determinant = np.sum(np.log(left))
    if len(factors):
        cholesky = cho_factor(inner, lower=True)
        projected = weighted @ rows.T
        squares -= np.sum(projected * cho_solve(cholesky, projected))
        log_determinant += 2 * np.sum(np.log(np.diag(cholesky[0])))
    return float(-0.5 * (squares + len(rows) * log_determinant))


def _right_vectors(table: np.ndarray, rank: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the leading right singular vectors of a table, and the singular values."""
    rank = min(rank, *table.shape)
    if rank == 0:
        return np.empty((0, table.shape[1])), np.empty(0)
    if min(table.shape) > _EXACT:
        _, values, vectors = leading_vectors(table, rank, seed)
        return vectors.astype(np.float64), values.astype(np.float64)
    wide = table.shape[0] <= table.shape[1]
    table = table.astype(np.float64)
    gram = table @ table.T if wide else table.T @ table
    squares, vectors = eigh(gram, subset_by_index=[len(gram) - rank, len(gram) - 1])
    values = np.sqrt(np.maximum(squares[::-1], 0.0))
    vectors = vectors[:, ::-1].T
    if wide:
        known = values > 1e-7 * max(values[0], 1e-300)
        vectors = np.where(known[:, None], vectors @ table, 0.0)
        vectors /= np.where(known, values, 1.0)[:, None]
        values = np.where(known, values, 0.0)
    # a sign that does not depend on the library of linear algebra
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=1)[:, None], axis=1)
    return vectors * np.where(largest < 0, -1.0, 1.0), values
