"""Estimators trained by the engine, with scikit-learn's contract."""

from omitrans.estimators._omitrans import OmiTransRegressor
from omitrans.estimators._tdimpute import TDimputeRegressor

__all__ = ["OmiTransRegressor", "TDimputeRegressor"]
