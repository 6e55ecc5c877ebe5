"""Many sparse linear models at once, trained in blocks of targets by several processes."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.utils import gen_batches

from omitrans.solvers._lasso_paths import alpha_max, gram_matrix, solve_paths
from omitrans.solvers._standardize import Standardized, standardize
from omitrans.utils._blocks import BLOCK_VALUES, rows_per_block

# Number of targets per block; torch solves the targets of a block together.
_TARGETS_A_BLOCK = {"celer": 32, "sklearn": 32, "torch": 512}


class SparseModels(NamedTuple):
    """Sparse linear models on the scale of the data.

    Row ``target * n_alphas + alpha`` of `coef` and `intercept` belongs to one target and one
    penalty; `dual_gap` and `n_iter` have shape (n_targets, n_alphas).
    """

    coef: sparse.csr_array
    intercept: np.ndarray
    dual_gap: np.ndarray
    n_iter: np.ndarray


def largest_penalties(
    X: np.ndarray, Y: np.ndarray, *, fit_intercept: bool, scale: bool
) -> np.ndarray:
    """Return the smallest penalty of each target at which no feature is selected.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features.
    Y : ndarray of shape (n_samples, n_targets)
        Targets.
    fit_intercept : bool
        Whether to centre features and targets.
    scale : bool
        Whether to divide the features by their standard deviations.

    Returns
    -------
    ndarray of shape (n_targets,)
        The penalties; 0 for a constant target.
    """
    design, x_unit = _design(X, slice(None), fit_intercept, scale)
    limits = []
    for block in gen_batches(Y.shape[1], _TARGETS_A_BLOCK["torch"]):
        target, unit = _centred_targets(Y[:, block].astype(X.dtype), fit_intercept)
        limits.append(alpha_max(design.values, target.values) * unit * x_unit)
    return np.concatenate(limits)


def fit_models(
    X: np.ndarray,
    Y: np.ndarray,
    alphas: np.ndarray,
    *,
    rows: np.ndarray | slice = slice(None),
    fit_intercept: bool,
    scale: bool,
    solver: str,
    n_jobs: int | None,
    **options: Any,
) -> Iterator[tuple[slice, SparseModels]]:
    """Train models on some rows, and yield them for every penalty in blocks of targets.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Features.
    Y : ndarray of shape (n_samples, n_targets)
        Targets.
    alphas : ndarray of shape (n_targets, n_alphas)
        Penalties, in descending order along each row. Every solution starts from the one before.
    rows : ndarray of int or slice, default=slice(None)
        The rows to train on.
    fit_intercept : bool
        Whether to centre features and targets.
    scale : bool
        Whether to divide the features by their standard deviations. The penalties belong to the
        scaled features.
    solver : {"celer", "sklearn", "torch"}
        Name of the solver.
    n_jobs : int or None
        Number of processes, as in joblib.
    **options
        Keyword arguments of :func:`solve_paths`: `tol`, `max_iter` and `device`.

    Yields
    ------
    block : slice
        Positions of the targets of the block.
    models : SparseModels
        Models of the targets of the block.
    """
    design, unit = _design(X, rows, fit_intercept, scale)
    alphas = alphas / unit
    options |= {"solver": solver, "gram": gram_matrix(design.values, solver)}
    blocks = list(gen_batches(Y.shape[1], _TARGETS_A_BLOCK[solver]))
    if solver == "torch":  # its matrix products use all threads, and a GPU serves one process
        n_jobs = 1
    # celer wants writable memory, so the processes map the shared design copy-on-write
    models = Parallel(n_jobs=n_jobs, mmap_mode="c", return_as="generator")(
        delayed(_fit_block)(
            design, Y[rows, block].astype(X.dtype), alphas[block], fit_intercept, options
        )
        for block in blocks
    )
    yield from zip(blocks, models, strict=True)


def _fit_block(
    design: Standardized,
    Y: np.ndarray,
    alphas: np.ndarray,
    fit_intercept: bool,
    options: dict[str, Any],
) -> SparseModels:
    target, unit = _centred_targets(Y, fit_intercept)
    paths = solve_paths(design.values, target.values, alphas / unit[:, None], **options)
    coef = paths.coef
    rows = np.repeat(unit, alphas.shape[1])
    values = coef.data / design.scale[coef.indices] * np.repeat(rows, np.diff(coef.indptr))
    coef.data = values.astype(coef.dtype) if _fits(values, coef.dtype) else values
    intercept = np.repeat(target.mean, alphas.shape[1]) - coef @ design.mean
    return SparseModels(coef, intercept, paths.dual_gap, paths.n_iter)


def _design(
    X: np.ndarray, rows: np.ndarray | slice, centre: bool, scale: bool
) -> tuple[Standardized, float]:
    """Return the features in units in which their values are near 1, and a power of 2.

    Penalties of the features as they are must be divided by the power of 2.
    """
    design = standardize(X, rows, centre=centre, scale=scale)
    unit = 1.0
    if not scale:
        unit = float(_power_of_2(max(design.values.max(), -design.values.min())))
        design.values[:] /= design.values.dtype.type(unit)
        design.scale[:] = unit
    return design, unit


def _power_of_2(values: np.ndarray) -> np.ndarray:
    """Return the power of 2 next to each value; 1 for 0."""
    return np.exp2(np.frexp(np.asarray(values, dtype=np.float64))[1])


def _fits(values: np.ndarray, dtype: np.dtype) -> bool:
    """Return whether `dtype` can hold the values."""
    return not len(values) or float(np.abs(values).max()) < float(np.finfo(dtype).max)


def _centred_targets(Y: np.ndarray, centre: bool) -> tuple[Standardized, np.ndarray]:
    """Return targets in units in which their values are near 1, and the units.

    Squares of extreme targets overflow in float32, and then celer does not return. The units are
    powers of 2, so that no digit changes.
    """
    target = standardize(Y, centre=centre, scale=False)
    unit = _power_of_2(np.abs(target.values).max(axis=0))
    target.values[:] /= unit
    return target, unit


def predict_sparse(
    coef: sparse.csr_array,
    intercept: np.ndarray,
    X: np.ndarray,
    rows: np.ndarray | None = None,
) -> np.ndarray:
    """Return ``X[rows] @ coef.T + intercept`` in the dtype of X, without a dense `coef`.

    Parameters
    ----------
    coef : csr_array of shape (n_models, n_features)
        Coefficients.
    intercept : ndarray of shape (n_models,)
        Intercepts.
    X : ndarray of shape (n_samples, n_features)
        Features.
    rows : ndarray of int or None, default=None
        The rows to predict; None takes all rows.

    Returns
    -------
    ndarray of shape (n_rows, n_models)
        Predictions.
    """
    rows = np.arange(len(X)) if rows is None else rows
    if _fits(coef.data, X.dtype):
        coef = coef.astype(X.dtype, copy=False)
    predicted = np.empty((len(rows), len(intercept)), dtype=X.dtype)
    for part in gen_batches(len(rows), rows_per_block(X.shape[1], BLOCK_VALUES)):
        predicted[part] = (coef @ X[rows[part]].T).T + intercept
    return predicted
