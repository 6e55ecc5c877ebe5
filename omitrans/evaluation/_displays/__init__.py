"""Figures: classes that hold numbers and draw them with matplotlib when asked."""

from omitrans.evaluation._displays._category_embedding import CategoryEmbeddingDisplay
from omitrans.evaluation._displays._coverage_curve import CoverageCurveDisplay
from omitrans.evaluation._displays._embedding import EmbeddingDisplay
from omitrans.evaluation._displays._gene_prediction import GenePredictionDisplay
from omitrans.evaluation._displays._group_r2 import GroupR2Display
from omitrans.evaluation._displays._history import HistoryDisplay
from omitrans.evaluation._displays._interval import IntervalDisplay
from omitrans.evaluation._displays._missing_rate import MissingRateDisplay
from omitrans.evaluation._displays._model_comparison import ModelComparisonDisplay
from omitrans.evaluation._displays._r2_histogram import R2HistogramDisplay
from omitrans.evaluation._displays._shift import ShiftDisplay

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
]
