"""Loaders of public data."""

from omitrans.datasets.fetch._tcga import fetch_tcga
from omitrans.datasets.fetch._xena import fetch_probe_map, fetch_xena

__all__ = [
    "fetch_probe_map",
    "fetch_tcga",
    "fetch_xena",
]
