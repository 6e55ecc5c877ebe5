"""Transformers for methylation and expression tables: filter, sort, change the unit."""

from omitrans.preprocessing._align import LocationAligner
from omitrans.preprocessing._missing_rate import MissingRateFilter
from omitrans.preprocessing._probe_filter import ProbeFilter
from omitrans.preprocessing._scale import BetaToM, beta_to_m, m_to_beta

__all__ = [
    "BetaToM",
    "LocationAligner",
    "MissingRateFilter",
    "ProbeFilter",
    "beta_to_m",
    "m_to_beta",
]
