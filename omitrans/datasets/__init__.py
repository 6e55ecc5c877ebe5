"""Simulated data with known truth, and loaders of public data."""

from omitrans.datasets.fetch import fetch_probe_map, fetch_tcga, fetch_xena
from omitrans.datasets.simulate import (
    hide_values,
    make_disease_expression,
    make_expression,
    make_paired_omics,
    simulate_array_version,
)

__all__ = [
    "fetch_probe_map",
    "fetch_tcga",
    "fetch_xena",
    "hide_values",
    "make_disease_expression",
    "make_expression",
    "make_paired_omics",
    "simulate_array_version",
]
