"""Numerical solvers in torch, for CPU and CUDA; pure functions."""

from omitrans.solvers._arrays import lasso_paths_of_arrays
from omitrans.solvers._lasso import lasso_paths

__all__ = ["lasso_paths", "lasso_paths_of_arrays"]
