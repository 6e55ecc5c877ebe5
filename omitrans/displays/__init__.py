"""Figures of predictions, training and comparisons."""

from omitrans.displays._category_embedding import CategoryEmbeddingDisplay
from omitrans.displays._counterfactual_ranking import CounterfactualRankingDisplay
from omitrans.displays._coverage_curve import CoverageCurveDisplay
from omitrans.displays._downstream import DownstreamDisplay
from omitrans.displays._embedding import EmbeddingDisplay
from omitrans.displays._gene_cluster import GeneClusterDisplay
from omitrans.displays._gene_correlation import GeneCorrelationDisplay
from omitrans.displays._gene_prediction import GenePredictionDisplay
from omitrans.displays._group_r2 import GroupR2Display
from omitrans.displays._history import HistoryDisplay
from omitrans.displays._interval import IntervalDisplay
from omitrans.displays._kaplan_meier import KaplanMeierDisplay
from omitrans.displays._missing_rate import MissingRateDisplay
from omitrans.displays._model_comparison import ModelComparisonDisplay
from omitrans.displays._r2_histogram import R2HistogramDisplay
from omitrans.displays._shift import ShiftDisplay
from omitrans.displays._synthetic_embedding import SyntheticEmbeddingDisplay

__all__ = [
    "CategoryEmbeddingDisplay",
    "CounterfactualRankingDisplay",
    "CoverageCurveDisplay",
    "DownstreamDisplay",
    "EmbeddingDisplay",
    "GeneClusterDisplay",
    "GeneCorrelationDisplay",
    "GenePredictionDisplay",
    "GroupR2Display",
    "HistoryDisplay",
    "IntervalDisplay",
    "KaplanMeierDisplay",
    "MissingRateDisplay",
    "ModelComparisonDisplay",
    "R2HistogramDisplay",
    "ShiftDisplay",
    "SyntheticEmbeddingDisplay",
]
