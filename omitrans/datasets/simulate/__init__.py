"""Simulated tables for which the true effects are known."""

from omitrans.datasets.simulate._array_versions import simulate_array_version
from omitrans.datasets.simulate._disease import make_disease_expression
from omitrans.datasets.simulate._masks import hide_values
from omitrans.datasets.simulate._multi_tissue import make_expression
from omitrans.datasets.simulate._simulate import make_paired_omics

__all__ = [
    "hide_values",
    "make_disease_expression",
    "make_expression",
    "make_paired_omics",
    "simulate_array_version",
]
