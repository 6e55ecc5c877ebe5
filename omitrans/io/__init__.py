"""Readers of the file formats that annotation and data come in."""

from omitrans.io._gtex import read_gtex
from omitrans.io._manifest import read_illumina_manifest
from omitrans.io._xena import read_probemap

__all__ = ["read_gtex", "read_illumina_manifest", "read_probemap"]
