"""Methods to compare with, with scikit-learn's contract and without torch."""

from omitrans.baselines._dual_ridge import DualRidgeRegressor
from omitrans.baselines._lasso import LassoRegressor
from omitrans.baselines._pls import PLSRegressor
from omitrans.baselines._recipes import make_baselines
from omitrans.baselines._svd import SVDImputer
from omitrans.baselines._svd_regressor import SVDRegressor
from omitrans.baselines._tobmi import TOBMIRegressor

__all__ = [
    "DualRidgeRegressor",
    "LassoRegressor",
    "PLSRegressor",
    "SVDImputer",
    "SVDRegressor",
    "TOBMIRegressor",
    "make_baselines",
]
