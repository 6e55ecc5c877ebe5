"""The estimators with neural networks, which the engine trains, with scikit-learn's contract."""

from omitrans.estimators._gain import GAINImputer
from omitrans.estimators._omiembed import OmiEmbedClassifier
from omitrans.estimators._omitrans import OmiTransRegressor
from omitrans.estimators._pmi import PMIImputer
from omitrans.estimators._tdimpute import TDimputeRegressor
from omitrans.estimators._wgan_gp import WGANGPGenerator

__all__ = [
    "GAINImputer",
    "OmiEmbedClassifier",
    "OmiTransRegressor",
    "PMIImputer",
    "TDimputeRegressor",
    "WGANGPGenerator",
]
