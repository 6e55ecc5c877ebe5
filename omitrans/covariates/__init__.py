"""Covariates beside expression in one table: which column is what, and what it is as numbers."""

from omitrans.covariates._encoder import CovariateEncoder

__all__ = ["CovariateEncoder"]
