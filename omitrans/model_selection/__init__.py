"""Folds that keep patients together, and the splits of the published systems."""

from omitrans.model_selection._leaks import leak_report
from omitrans.model_selection._missing_rate_split import MissingRateSplit
from omitrans.model_selection._patients import PatientGroupKFold, patient_of
from omitrans.model_selection._published import PublishedSplit, ReversedIdSplit

__all__ = [
    "MissingRateSplit",
    "PatientGroupKFold",
    "PublishedSplit",
    "ReversedIdSplit",
    "leak_report",
    "patient_of",
]
