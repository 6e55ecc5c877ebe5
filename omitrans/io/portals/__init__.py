"""Readers of files of the public portals GEO, GTEx and Xena."""

from omitrans.io.portals._geo import GeoSeries, read_geo_series_matrix
from omitrans.io.portals._gtex import read_gtex
from omitrans.io.portals._xena import read_xena

__all__ = [
    "GeoSeries",
    "read_geo_series_matrix",
    "read_gtex",
    "read_xena",
]
