"""Models against one another on the same folds."""

from omitrans.model_selection._compare import compare_models
from omitrans.model_selection._comparison import ModelComparison

__all__ = ["ModelComparison", "compare_models"]
