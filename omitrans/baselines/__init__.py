"""Baselines to compare new methods with. They follow scikit-learn's contract and need no torch."""

from omitrans.baselines._copula_generator import GaussianCopulaGenerator
from omitrans.baselines._covariate_imputer import CovariateImputer
from omitrans.baselines._dual_ridge import DualRidgeRegressor
from omitrans.baselines._gaussian_generator import GaussianGenerator
from omitrans.baselines._gene_network_simulator import GeneNetworkSimulator
from omitrans.baselines._group_median import GroupMedianImputer
from omitrans.baselines._imputer_generator import ImputerGenerator
from omitrans.baselines._imputer_recipes import make_imputers
from omitrans.baselines._lasso import LassoRegressor
from omitrans.baselines._multi_kernel_ridge import MultiKernelRidgeRegressor
from omitrans.baselines._pls import PLSRegressor
from omitrans.baselines._recipes import make_baselines
from omitrans.baselines._ridge_imputer import RidgeImputer
from omitrans.baselines._surrogate_tissue import SurrogateTissueImputer
from omitrans.baselines._svd import SVDImputer
from omitrans.baselines._svd_regressor import SVDRegressor
from omitrans.baselines._tobmi import TOBMIRegressor

__all__ = [
    "CovariateImputer",
    "DualRidgeRegressor",
    "GaussianCopulaGenerator",
    "GaussianGenerator",
    "GeneNetworkSimulator",
    "GroupMedianImputer",
    "ImputerGenerator",
    "LassoRegressor",
    "MultiKernelRidgeRegressor",
    "PLSRegressor",
    "RidgeImputer",
    "SVDImputer",
    "SVDRegressor",
    "SurrogateTissueImputer",
    "TOBMIRegressor",
    "make_baselines",
    "make_imputers",
]
