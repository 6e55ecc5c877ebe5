"""Helpers for gene ids and for the units of expression."""

from omitrans.preprocessing.genes._gene_ids import collapse_genes, map_gene_ids, strip_gene_version
from omitrans.preprocessing.genes._units import (
    check_expression_unit,
    detect_expression_unit,
    to_log2,
)

__all__ = [
    "check_expression_unit",
    "collapse_genes",
    "detect_expression_unit",
    "map_gene_ids",
    "strip_gene_version",
    "to_log2",
]
