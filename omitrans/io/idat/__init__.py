"""Readers of raw intensities of Illumina arrays."""

from omitrans.io.idat._bead_manifest import read_bead_manifest
from omitrans.io.idat._idat import read_idat
from omitrans.io.idat._idat_file import read_idat_intensities

__all__ = [
    "read_bead_manifest",
    "read_idat",
    "read_idat_intensities",
]
