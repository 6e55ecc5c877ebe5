"""Figures of predictions, training and comparisons."""

from omitrans.evaluation._displays import (
    GenePredictionDisplay,
    HistoryDisplay,
    ModelComparisonDisplay,
    R2HistogramDisplay,
)

__all__ = [
    "GenePredictionDisplay",
    "HistoryDisplay",
    "ModelComparisonDisplay",
    "R2HistogramDisplay",
]
