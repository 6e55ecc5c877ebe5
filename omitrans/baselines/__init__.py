"""Methods to compare with, with scikit-learn's contract and without torch."""

from omitrans.baselines._lasso import LassoRegressor

__all__ = ["LassoRegressor"]
