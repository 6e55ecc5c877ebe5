"""The solvers for callers that hold NumPy arrays."""

import numpy as np
import torch
from scipy import sparse

from omitrans.solvers._lasso import lasso_paths


def lasso_paths_of_arrays(
    X: np.ndarray,
    Y: np.ndarray,
    alphas: np.ndarray,
    *,
    tol: float,
    max_iter: int,
    device: str = "auto",
) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
    """Solve as :func:`~omitrans.solvers.lasso_paths` does, on a device, and come back.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), Fortran order
        Centred (and scaled) features.
    Y : ndarray of shape (n_samples, n_targets)
        Centred targets.
    alphas : ndarray of shape (n_targets, n_alphas)
        Penalties, falling along each row.
    tol : float
        Stop at a duality gap of ``tol * ||y||² / n``.
    max_iter : int
        Most rounds for one penalty.
    device : str, default="auto"
        "auto" takes CUDA where there is one.

    Returns
    -------
    coef : csr_array of shape (n_targets * n_alphas, n_features)
        A row for a target and penalty.
    gap, n_iter : ndarray of shape (n_targets, n_alphas)
        Relative duality gaps, and rounds.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    tables = (torch.from_numpy(table).to(device) for table in (X, Y, alphas.astype(X.dtype)))
    solved = lasso_paths(*tables, tol=tol, max_iter=max_iter)
    target, alpha, feature = solved.coef.indices().cpu().numpy()
    n_targets, n_alphas = alphas.shape
    coef = sparse.csr_array(
        (solved.coef.values().cpu().numpy(), (target * n_alphas + alpha, feature)),
        shape=(n_targets * n_alphas, X.shape[1]),
    )
    return coef, solved.gap.cpu().numpy().astype(np.float64), solved.n_iter.cpu().numpy()
