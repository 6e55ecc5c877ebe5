"""Estimators trained by the engine, with scikit-learn's contract."""

from omitrans.estimators._omitrans import OmiTransRegressor

__all__ = ["OmiTransRegressor"]
