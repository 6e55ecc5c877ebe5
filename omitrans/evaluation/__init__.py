"""Figures of predictions, training and comparisons."""

from omitrans.evaluation._displays import (
    CategoryEmbeddingDisplay,
    EmbeddingDisplay,
    GenePredictionDisplay,
    GroupR2Display,
    HistoryDisplay,
    MissingRateDisplay,
    ModelComparisonDisplay,
    R2HistogramDisplay,
)
from omitrans.evaluation._report import comparison_report

__all__ = [
    "CategoryEmbeddingDisplay",
    "EmbeddingDisplay",
    "GenePredictionDisplay",
    "GroupR2Display",
    "HistoryDisplay",
    "MissingRateDisplay",
    "ModelComparisonDisplay",
    "R2HistogramDisplay",
    "comparison_report",
]
