"""Transformers for methylation and expression tables: filter, sort, change the unit."""

from omitrans.preprocessing._align import LocationAligner
from omitrans.preprocessing._batch_adjuster import BatchAdjuster
from omitrans.preprocessing._gene_ids import collapse_genes, map_gene_ids, strip_gene_version
from omitrans.preprocessing._harmonizer import ArrayHarmonizer
from omitrans.preprocessing._missing_rate import MissingRateFilter
from omitrans.preprocessing._probe_filter import ProbeFilter
from omitrans.preprocessing._probe_names import array_platform
from omitrans.preprocessing._quantile import ReferenceQuantileNormalizer
from omitrans.preprocessing._scale import BetaToM, beta_to_m, m_to_beta
from omitrans.preprocessing._units import check_expression_unit, detect_expression_unit, to_log2

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
