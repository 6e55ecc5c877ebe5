"""Simulated data with known truth."""

from omitrans.datasets._masks import hide_values
from omitrans.datasets._simulate import make_paired_omics

__all__ = ["hide_values", "make_paired_omics"]
