"""Simulated data with known truth, and loaders of public data."""

from omitrans.datasets._array_versions import simulate_array_version
from omitrans.datasets._fetch_tcga import fetch_tcga
from omitrans.datasets._fetch_xena import fetch_probe_map, fetch_xena
from omitrans.datasets._masks import hide_values
from omitrans.datasets._multi_tissue import make_expression
from omitrans.datasets._simulate import make_paired_omics

__all__ = [
    "fetch_probe_map",
    "fetch_tcga",
    "fetch_xena",
    "hide_values",
    "make_expression",
    "make_paired_omics",
    "simulate_array_version",
]
