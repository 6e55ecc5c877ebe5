"""Complete workflows as scikit-learn Pipelines."""

from omitrans.pipelines._aligned_target import AlignedTargetRegressor
from omitrans.pipelines._translation import make_translation_pipeline
from omitrans.pipelines._translation_pipeline import TranslationPipeline

__all__ = ["AlignedTargetRegressor", "TranslationPipeline", "make_translation_pipeline"]
