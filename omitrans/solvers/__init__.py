"""Numerical solvers: batched LASSO in torch, kernels and low-rank factors.

All solvers are pure functions. torch is imported only when a solver that needs it is first used.
"""

from importlib import import_module as _import_module

__all__ = ["lasso_paths", "lasso_paths_of_arrays"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_import_module("omitrans.solvers._lasso_torch"), name)
