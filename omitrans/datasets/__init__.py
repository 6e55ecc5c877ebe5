"""Simulated data with known truth."""

from omitrans.datasets._masks import hide_values
from omitrans.datasets._multi_tissue import make_expression
from omitrans.datasets._simulate import make_paired_omics

__all__ = ["hide_values", "make_expression", "make_paired_omics"]
