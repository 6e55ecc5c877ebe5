"""Covariances of many genes that differ between classes, mixed with a shared one."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from omitrans.solvers._cell_means import fit_cell_means, match_rows
from omitrans.solvers._low_rank_covariance import LowRankCovariance, fit_low_rank, log_likelihood

CLASS_PRIORS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, np.inf)
"""Numbers of samples that :func:`choose_class_prior` compares."""
_MAX_GENES = 4000  # for the choice of the prior
FEWEST = 3
"""Number of samples from which a class has a covariance of its own."""


class Residuals(NamedTuple):
    """Rows of mean zero with their classes.

    Attributes
    ----------
    codes : ndarray of shape (n_rows, n_categorical)
        Codes of the categories; a combination is a class.
    rows : ndarray of shape (n_rows, n_genes)
        The rows.
    """

    codes: np.ndarray
    rows: np.ndarray


def fit_classes(
    residuals: Residuals, rank: int, *, share_free: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, list[LowRankCovariance]]:
    """Fit a covariance to each class with at least `FEWEST` rows.

    Parameters
    ----------
    residuals : Residuals
        The rows and their classes.
    rank : int
        Largest number of factors of a class.
    share_free : float
        Share of the rows' degrees of freedom that fitted means have left.
    seed : int, default=0
        Seed of the random projections that find the factors of large tables.

    Returns
    -------
    classes : ndarray of shape (n_classes, n_categorical)
        Codes of the classes.
    counts : ndarray of shape (n_classes,)
        Numbers of rows.
    covariances : list of LowRankCovariance
        The covariances.
    """
    cells, cell, counts = np.unique(
        residuals.codes, axis=0, return_inverse=True, return_counts=True
    )
    large = np.flatnonzero(counts >= FEWEST)
    covariances = []
    for number in large:
        rows = residuals.rows[cell.reshape(-1) == number]
        own_rank, n_free = min(rank, len(rows) - 1), len(rows) * share_free
        covariances.append(fit_low_rank(rows, own_rank, n_free=n_free, seed=seed))
    return cells[large], counts[large], covariances


def mix(own: LowRankCovariance, shared: LowRankCovariance, weight: float) -> LowRankCovariance:
    """Return a weighted mean of two covariances.

    Parameters
    ----------
    own : LowRankCovariance
        Covariance of a class. Its factors come first.
    shared : LowRankCovariance
        Covariance of all classes.
    weight : float
        Weight of `own`, between 0 and 1.

    Returns
    -------
    LowRankCovariance
        The mean, in the data type of the covariances.
    """
    both = np.vstack([np.sqrt(weight) * own.factors, np.sqrt(1 - weight) * shared.factors])
    left = np.sqrt(weight * own.deviation**2 + (1 - weight) * shared.deviation**2)
    return LowRankCovariance(both.astype(left.dtype), left)


def held_out_residuals(
    design: np.ndarray, codes: np.ndarray, scores: np.ndarray, strengths: dict[str, Any], fold: Any
) -> tuple[Residuals, Residuals, float]:
    """Return the residuals of a fold's training samples and of its held-out samples.

    Parameters
    ----------
    design, codes, scores : ndarray
        Conditions as numbers, codes of the categories, and expression of all samples; see
        :func:`~omitrans.solvers._cell_means.fit_cell_means`.
    strengths : dict of str to float
        Penalty and prior of the means.
    fold : (ndarray, ndarray)
        Rows to fit on and rows to judge.

    Returns
    -------
    train, test : Residuals
        Expression minus the means of the training samples.
    n_free : float
        Degrees of freedom of the training residuals.
    """
    train, test = fold
    means, residuals, n_fitted = fit_cell_means(
        design[train], codes[train], scores[train], **strengths
    )
    held_out = scores[test] - means.predict(design[test], codes[test])
    n_free = max(len(train) - n_fitted, 1.0)
    return Residuals(codes[train], residuals), Residuals(codes[test], held_out), n_free


def choose_class_prior(
    parts: Iterable[tuple[Residuals, Residuals, float]], rank: int, *, seed: int = 0
) -> float:
    """Return the prior under which held-out rows are the most likely.

    The prior is the number of rows at which the covariance of a class counts as much as the shared
    one. It is infinite if one covariance for all classes is the most likely. Of more than 4,000
    genes, 4,000 are drawn for the choice.

    Parameters
    ----------
    parts : iterable of (Residuals, Residuals, float)
        Rows to fit on, rows to judge, and the degrees of freedom of the former, for each fold.
    rank : int
        Number of factors.
    seed : int, default=0
        Seed of random projections.

    Returns
    -------
    float
        One of `CLASS_PRIORS`.
    """
    gains = np.zeros(len(CLASS_PRIORS))  # over the shared covariance
    for train, test, n_free in parts:
        chosen = _some_genes(train.rows.shape[1], seed)
        train, test = (part._replace(rows=part.rows[:, chosen]) for part in (train, test))
        shared = fit_low_rank(train.rows, rank, n_free=n_free, seed=seed)
        varies = shared.deviation > 0
        shared = LowRankCovariance(*(part[..., varies].astype(np.float64) for part in shared))
        share_free = n_free / len(train.rows)
        classes, counts, covariances = fit_classes(train, rank, share_free=share_free, seed=seed)
        place = match_rows(test.codes, classes)
        for number, (factors, deviation) in enumerate(covariances):
            rows = test.rows[place == number][:, varies].astype(np.float64)
            if not len(rows):
                continue
            own = LowRankCovariance(factors[:, varies], deviation[varies].astype(np.float64))
            base = log_likelihood(rows, shared.factors, shared.deviation**2)
            for i, prior in enumerate(CLASS_PRIORS[:-1]):
                mixed = mix(own, shared, counts[number] / (counts[number] + prior))
                gains[i] += log_likelihood(rows, mixed.factors, mixed.deviation**2) - base
    # where nothing differs, the simplest: the last of equal priors
    return CLASS_PRIORS[len(gains) - 1 - int(np.argmax(gains[::-1]))]


def _some_genes(n_genes: int, seed: int) -> Any:
    if n_genes <= _MAX_GENES:
        return slice(None)
    return np.sort(np.random.default_rng(seed).choice(n_genes, _MAX_GENES, replace=False))
