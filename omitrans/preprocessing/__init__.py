"""Transformers for methylation and expression tables: filter, sort, change the unit."""

from omitrans.preprocessing._align import LocationAligner
from omitrans.preprocessing._batch_adjuster import BatchAdjuster
from omitrans.preprocessing._missing_rate_filter import MissingRateFilter
from omitrans.preprocessing._quantile import ReferenceQuantileNormalizer
from omitrans.preprocessing._scale import BetaToM, beta_to_m, m_to_beta
from omitrans.preprocessing.genes import (
    check_expression_unit,
    collapse_genes,
    detect_expression_unit,
    map_gene_ids,
    strip_gene_version,
    to_log2,
)
from omitrans.preprocessing.probes import ArrayHarmonizer, ProbeFilter, array_platform

__all__ = [
    "ArrayHarmonizer",
    "BatchAdjuster",
    "BetaToM",
    "LocationAligner",
    "MissingRateFilter",
    "ProbeFilter",
    "ReferenceQuantileNormalizer",
    "array_platform",
    "beta_to_m",
    "check_expression_unit",
    "collapse_genes",
    "detect_expression_unit",
    "m_to_beta",
    "map_gene_ids",
    "strip_gene_version",
    "to_log2",
]
