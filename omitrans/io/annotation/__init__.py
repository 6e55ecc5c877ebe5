"""Readers of tables that give the positions of probes and genes."""

from omitrans.io.annotation._gene_table import read_gene_table
from omitrans.io.annotation._manifest import read_illumina_manifest
from omitrans.io.annotation._probemap import read_probemap

__all__ = [
    "read_gene_table",
    "read_illumina_manifest",
    "read_probemap",
]
