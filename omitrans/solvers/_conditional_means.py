"""Ridge regression of the missing values of a sample on its observed values."""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import solve


def conditional_means(
    samples: np.ndarray, holes: np.ndarray, alphas: Sequence[float]
) -> list[np.ndarray]:
    """Return one copy of `holes` per penalty, with NaN replaced by ridge predictions.

    Parameters
    ----------
    samples : ndarray of shape (n_samples, n_genes)
        Standardised training samples without NaN.
    holes : ndarray of shape (n_rows, n_genes)
        Standardised samples with NaN.
    alphas : sequence of float
        Penalties, in units of the variance of a gene.

    Returns
    -------
    list of ndarray of shape (n_rows, n_genes)
        The imputed samples, in the order of the penalties.
    """
    samples = samples.astype(np.float64, copy=False)
    filled = [holes.astype(np.float64, copy=True) for _ in alphas]
    patterns: dict[bytes, list[int]] = {}
    for i, row in enumerate(np.isnan(holes)):
        patterns.setdefault(np.packbits(row).tobytes(), []).append(i)
    for rows in patterns.values():
        missing = np.isnan(holes[rows[0]])
        if not missing.any():
            continue
        seen, wanted = samples[:, ~missing], samples[:, missing]
        by_samples = len(samples) < seen.shape[1]
        gram = seen @ seen.T if by_samples else seen.T @ seen
        known = holes[np.ix_(rows, ~missing)].astype(np.float64, copy=False)
        right = seen @ known.T if by_samples else known.T
        for table, alpha in zip(filled, alphas, strict=True):
            weights = _solve(gram, right, alpha * len(samples))
            product = weights.T @ wanted if by_samples else weights.T @ (seen.T @ wanted)
            table[np.ix_(rows, missing)] = product
    return filled


def _solve(gram: np.ndarray, right: np.ndarray, penalty: float) -> np.ndarray:
    if not len(gram):  # nothing is observed: predict the mean, 0
        return np.zeros_like(right)
    return solve(gram + penalty * np.eye(len(gram)), right, assume_a="pos")
