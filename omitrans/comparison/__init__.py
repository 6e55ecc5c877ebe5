"""Models and imputers compared on the same folds and the same holes."""

from omitrans.comparison._compare_imputers import compare_imputers
from omitrans.comparison._compare_models import compare_models
from omitrans.comparison._imputer_comparison import ImputerComparison
from omitrans.comparison._model_comparison import ModelComparison

__all__ = [
    "ImputerComparison",
    "ModelComparison",
    "compare_imputers",
    "compare_models",
]
