"""Weights of kernels that make the targets most likely."""

import numpy as np
from scipy.linalg import cholesky
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize

from omitrans.solvers._workers import Workers

_BOUNDS = (-10.0, 6.0)  # of the logarithm of a weight
_MAX_ITER = 60
_TARGETS_PER_BLOCK = 256


def learn_weights(kernels: np.ndarray, Y: np.ndarray, workers: Workers) -> np.ndarray:
    """Return the weights of kernels under which a Gaussian process gives the targets best.

    Each target has a variance of its own, and all share the covariance ``I + sum_m w_m K_m`` of
    samples. The likelihood of what the mean leaves, with the variances at their best values, is
    maximised over the logarithms of the weights by L-BFGS.

    Parameters
    ----------
    kernels : ndarray of shape (n_kernels, n_samples, n_samples)
        Centred kernel matrices of mean eigenvalue 1.
    Y : ndarray of shape (n_samples, n_targets)
        Targets.
    workers : Workers
        Threads to use.

    Returns
    -------
    ndarray of shape (n_kernels,)
        Weights that add up to 1; equal ones if no target varies.
    """
    equal = np.full(len(kernels), 1 / len(kernels))
    Z = standardised_targets(Y)
    if len(kernels) < 2 or not Z.shape[1]:
        return equal
    found = minimize(
        negative_log_likelihood,
        np.log(equal),
        args=(kernels, Z, workers),
        jac=True,
        method="L-BFGS-B",
        bounds=[_BOUNDS] * len(kernels),
        options={"maxiter": _MAX_ITER},
    )
    weights = np.exp(found.x)
    return weights / weights.sum() if np.isfinite(weights).all() else equal


def standardised_targets(Y: np.ndarray) -> np.ndarray:
    """Return the targets that vary, with mean 0 and variance 1.

    Parameters
    ----------
    Y : ndarray of shape (n_samples, n_targets)
        Targets.

    Returns
    -------
    ndarray of shape (n_samples, n_varying)
        Standardised targets in float64.
    """
    Z = Y[:, Y.min(axis=0) < Y.max(axis=0)].astype(np.float64)
    Z -= Z.mean(axis=0)
    deviation = Z.std(axis=0)
    usable = deviation > 0
    return Z[:, usable] / deviation[usable]


def negative_log_likelihood(
    logarithms: np.ndarray, kernels: np.ndarray, Z: np.ndarray, workers: Workers
) -> tuple[float, np.ndarray]:
    """Return the negative log likelihood per value, up to a constant, and its gradient.

    Parameters
    ----------
    logarithms : ndarray of shape (n_kernels,)
        Logarithms of the weights.
    kernels : ndarray of shape (n_kernels, n_samples, n_samples)
        Centred kernel matrices.
    Z : ndarray of shape (n_samples, n_targets)
        Standardised targets, all of which vary.
    workers : Workers
        Threads to use.

    Returns
    -------
    value : float
        ``(log det C + n / q * sum_g log(z_g' C^-1 z_g)) / n`` for ``C = I + sum_m w_m K_m``.
    gradient : ndarray of shape (n_kernels,)
        Its derivatives with respect to `logarithms`.
    """
    n, q = Z.shape
    weights = np.exp(logarithms)
    covariance = np.eye(n)
    for weight, kernel in zip(weights, kernels, strict=True):
        covariance += weight * kernel
    lower = cholesky(covariance, lower=True, overwrite_a=True, check_finite=False)
    log_determinant = 2 * np.log(np.diag(lower)).sum()
    inverse = dpotri(lower, lower=True)[0]
    inverse = np.tril(inverse) + np.tril(inverse, -1).T

    def forms(targets: slice) -> tuple[float, np.ndarray]:
        solved = inverse @ Z[:, targets]
        form = np.einsum("ij,ij->j", Z[:, targets], solved)
        return np.log(form).sum(), (solved / form) @ solved.T

    blocks = [slice(start, start + _TARGETS_PER_BLOCK) for start in range(0, q, _TARGETS_PER_BLOCK)]
    logs, slope = 0.0, q / n * inverse
    for log, outer in workers.results(forms, blocks):
        logs += log
        slope -= outer
    gradient = weights * np.einsum("mij,ij->m", kernels, slope) / q
    return log_determinant / n + logs / q, gradient
