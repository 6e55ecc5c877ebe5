"""Figures of predictions, training and comparisons."""

from omitrans.evaluation._displays import (
    CategoryEmbeddingDisplay,
    CoverageCurveDisplay,
    EmbeddingDisplay,
    GenePredictionDisplay,
    GroupR2Display,
    HistoryDisplay,
    IntervalDisplay,
    MissingRateDisplay,
    ModelComparisonDisplay,
    R2HistogramDisplay,
    ShiftDisplay,
)
from omitrans.evaluation._prediction_report import prediction_report
from omitrans.evaluation._report import comparison_report

__all__ = [
    "CategoryEmbeddingDisplay",
    "CoverageCurveDisplay",
    "EmbeddingDisplay",
    "GenePredictionDisplay",
    "GroupR2Display",
    "HistoryDisplay",
    "IntervalDisplay",
    "MissingRateDisplay",
    "ModelComparisonDisplay",
    "R2HistogramDisplay",
    "ShiftDisplay",
    "comparison_report",
    "prediction_report",
]
