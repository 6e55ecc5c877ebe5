"""Figures of predictions, training and comparisons."""

from omitrans.evaluation._displays import (
    EmbeddingDisplay,
    GenePredictionDisplay,
    HistoryDisplay,
    ModelComparisonDisplay,
    R2HistogramDisplay,
)

__all__ = [
    "EmbeddingDisplay",
    "GenePredictionDisplay",
    "HistoryDisplay",
    "ModelComparisonDisplay",
    "R2HistogramDisplay",
]
