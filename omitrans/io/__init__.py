"""Readers of file formats of annotation and of data."""

from omitrans.io.anndata import read_h5ad, read_h5mu, write_h5ad, write_h5mu
from omitrans.io.annotation import read_gene_table, read_illumina_manifest, read_probemap
from omitrans.io.idat import read_bead_manifest, read_idat, read_idat_intensities
from omitrans.io.matrix import MemoryEstimate, estimate_memory, read_matrix
from omitrans.io.portals import GeoSeries, read_geo_series_matrix, read_gtex, read_xena

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
