"""Tables that hold expression and covariates: find the columns, and encode them as numbers."""

from omitrans.covariates._encoder import CovariateEncoder

__all__ = ["CovariateEncoder"]
