"""Recognise, align, fill and filter array probes."""

from omitrans.preprocessing.probes._harmonizer import ArrayHarmonizer
from omitrans.preprocessing.probes._probe_filter import ProbeFilter
from omitrans.preprocessing.probes._probe_names import array_platform

__all__ = [
    "ArrayHarmonizer",
    "ProbeFilter",
    "array_platform",
]
