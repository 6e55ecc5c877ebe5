"""Figures of predictions, training and comparisons."""

from omitrans.evaluation._displays import (
    EmbeddingDisplay,
    GenePredictionDisplay,
    HistoryDisplay,
    ModelComparisonDisplay,
    R2HistogramDisplay,
)
from omitrans.evaluation._report import comparison_report

__all__ = [
    "EmbeddingDisplay",
    "GenePredictionDisplay",
    "HistoryDisplay",
    "ModelComparisonDisplay",
    "R2HistogramDisplay",
    "comparison_report",
]
