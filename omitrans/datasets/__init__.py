"""Simulated data with known truth."""

from omitrans.datasets._simulate import make_paired_omics

__all__ = ["make_paired_omics"]
