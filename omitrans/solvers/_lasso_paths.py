"""LASSO paths of many targets over one design matrix, by celer, scikit-learn or torch."""

import warnings
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import lasso_path

from omitrans.exceptions import MissingDependencyError

# Up to this width a Gram matrix (200 MB in float64) makes scikit-learn's solver faster.
_MAX_GRAM_FEATURES = 5_000
# Celer solves a series of growing subproblems and hardly ever needs more than ten.
_MAX_WORKING_SETS = 100
# From these values on it is faster to solve targets together (benchmarks/lasso_solvers.py).
_MANY_TARGETS, _STRONG_PENALTY = 64, 0.15
# At alpha_max the solution is zero; rounding must not select single features.
_ALPHA_MAX_MARGIN = 1e-6


class Paths(NamedTuple):
    """Solutions of several targets, each at several penalties.

    Row ``target * n_alphas + alpha`` of `coef` belongs to one target and one penalty;
    `dual_gap` and `n_iter` have shape (n_targets, n_alphas).
    """

    coef: sparse.csr_array
    dual_gap: np.ndarray
    n_iter: np.ndarray


def choose_solver(solver: str, *, n_targets: int = 1, fraction: float = 0.0) -> str:
    """Choose the solver.

    Parameters
    ----------
    solver : {"auto", "celer", "sklearn", "torch"}
        Name of the solver. "auto" takes torch for many targets at penalties that select few
        features; else celer if it can be imported, and scikit-learn if not.
    n_targets : int, default=1
        Number of targets that can be solved together.
    fraction : float, default=0.0
        Smallest penalty, as a fraction of ``alpha_max``, the smallest penalty at which no feature
        is selected.

    Returns
    -------
    {"celer", "sklearn", "torch"}
        Name of the chosen solver.

    Raises
    ------
    MissingDependencyError
        If celer is requested and cannot be imported.
    """
    if solver == "auto" and n_targets >= _MANY_TARGETS and fraction >= _STRONG_PENALTY:
        return "torch"
    if solver in ("sklearn", "torch"):
        return solver
    try:
        import celer  # noqa: F401  (takes a second and imports matplotlib: only when needed)
    except ImportError as error:
        if solver == "auto":
            return "sklearn"
        raise MissingDependencyError(
            "solver='celer' needs the package celer, which cannot be imported. "
            "Install it with: pip install celer, or use solver='sklearn'."
        ) from error
    return "celer"


def gram_matrix(X: np.ndarray, solver: str) -> np.ndarray | None:
    """Compute ``X.T @ X`` if it makes the solver faster.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Centred features.
    solver : {"celer", "sklearn", "torch"}
        Name of the solver.

    Returns
    -------
    ndarray of shape (n_features, n_features) or None
        The Gram matrix; None for other solvers than scikit-learn's and for many features.
    """
    if solver == "sklearn" and X.shape[1] <= _MAX_GRAM_FEATURES:
        return np.ascontiguousarray(X.T @ X)
    return None


def alpha_max(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """Return the smallest penalty of each target at which all its coefficients are zero.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Centred features.
    Y : ndarray of shape (n_samples, n_targets)
        Centred targets.

    Returns
    -------
    ndarray of shape (n_targets,)
        The penalties; 0 for a constant target.
    """
    return np.abs(X.T @ Y).max(axis=0) / len(X)


def solve_paths(
    X: np.ndarray,
    Y: np.ndarray,
    alphas: np.ndarray,
    *,
    solver: str,
    gram: np.ndarray | None,
    tol: float,
    max_iter: int,
    device: str = "auto",
) -> Paths:
    """Minimise ``||y - X w||² / (2 n) + alpha ||w||_1`` for every target and penalty.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), Fortran order
        Centred (and scaled) features.
    Y : ndarray of shape (n_samples, n_targets), Fortran order
        Centred targets, in the dtype of X.
    alphas : ndarray of shape (n_targets, n_alphas)
        Penalties, in descending order along each row. Every solution starts from the one before.
    solver : {"celer", "sklearn", "torch"}
        Name of the solver.
    gram : ndarray of shape (n_features, n_features) or None
        The Gram matrix ``X.T @ X`` for scikit-learn's solver; None if it is not needed.
    tol : float
        Duality gap, in units of ``||y||² / n``, at which the solver stops.
    max_iter : int
        Maximum number of passes of coordinate descent for one penalty.
    device : str, default="auto"
        Device of the torch solver. "auto" takes a CUDA device if there is one, else the CPU.

    Returns
    -------
    Paths
        The solutions; gaps are relative to ``||y||² / n``.
    """
    if solver == "torch":
        from omitrans.solvers._lasso_torch import (
            lasso_paths_of_arrays,  # imports torch: only when needed
        )

        return Paths(
            *lasso_paths_of_arrays(X, Y, alphas, tol=tol, max_iter=max_iter, device=device)
        )
    solve = {"celer": _celer_path, "sklearn": _sklearn_path}[solver]
    gaps, n_iter = np.zeros(alphas.shape), np.zeros(alphas.shape, dtype=int)
    limits = (1 - _ALPHA_MAX_MARGIN) * alpha_max(X, Y)
    coefs = []
    for t, (y, limit) in enumerate(zip(Y.T, limits, strict=True)):
        first = int(np.count_nonzero(alphas[t] >= limit))
        coefs.append(sparse.csr_array((first, X.shape[1]), dtype=X.dtype))
        if first == alphas.shape[1]:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the gaps tell
            coef, gap, steps = solve(X, y, alphas[t, first:], gram, tol, max_iter)
        coefs.append(sparse.csr_array(coef.T))
        gaps[t, first:] = gap / (y @ y / len(y))
        n_iter[t, first:] = steps
    return Paths(sparse.vstack(coefs, format="csr"), gaps, n_iter)


def _celer_path(
    X: np.ndarray,
    y: np.ndarray,
    alphas: np.ndarray,
    gram: np.ndarray | None,
    tol: float,
    max_iter: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from celer import celer_path

    _, coef, gaps, n_iter = celer_path(
        X,
        y,
        "lasso",
        alphas=alphas.astype(X.dtype),  # float64 would make celer leave a float32 path half-way
        tol=tol,
        max_epochs=max_iter,
        max_iter=_MAX_WORKING_SETS,
        prune=True,
        return_n_iter=True,
    )
    return coef, gaps, n_iter


def _sklearn_path(
    X: np.ndarray,
    y: np.ndarray,
    alphas: np.ndarray,
    gram: np.ndarray | None,
    tol: float,
    max_iter: int,
) -> tuple[np.ndarray, np.ndarray, list[int]]:
    _, coef, gaps, n_iter = lasso_path(
        X,
        y,
        alphas=alphas,
        precompute=False if gram is None else gram,
        Xy=None if gram is None else X.T @ y,  # scikit-learn 1.6 reads it unasked
        tol=tol,
        max_iter=max_iter,
        return_n_iter=True,
        check_input=False,
        random_state=0,  # unused, but None would draw from NumPy's global generator
    )
    return coef, gaps, n_iter
