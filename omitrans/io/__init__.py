"""Readers of the file formats that annotation and data come in."""

from omitrans.io._anndata import read_h5ad, read_h5mu, write_h5ad, write_h5mu
from omitrans.io._bead_manifest import read_bead_manifest
from omitrans.io._gene_table import read_gene_table
from omitrans.io._geo import GeoSeries, read_geo_series_matrix
from omitrans.io._gtex import read_gtex
from omitrans.io._idat import read_idat
from omitrans.io._idat_file import read_idat_intensities
from omitrans.io._manifest import read_illumina_manifest
from omitrans.io._matrix import read_matrix
from omitrans.io._memory import MemoryEstimate, estimate_memory
from omitrans.io._xena import read_probemap
from omitrans.io._xena_matrix import read_xena

__all__ = [
    "GeoSeries",
    "MemoryEstimate",
    "estimate_memory",
    "read_bead_manifest",
    "read_gene_table",
    "read_geo_series_matrix",
    "read_gtex",
    "read_h5ad",
    "read_h5mu",
    "read_idat",
    "read_idat_intensities",
    "read_illumina_manifest",
    "read_matrix",
    "read_probemap",
    "read_xena",
    "write_h5ad",
    "write_h5mu",
]
