"""Whole recipes as scikit-learn Pipelines."""

from omitrans.pipelines._aligned_target import AlignedTargetRegressor
from omitrans.pipelines._translation import make_translation_pipeline

__all__ = ["AlignedTargetRegressor", "make_translation_pipeline"]
