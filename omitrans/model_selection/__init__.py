"""Models against one another on the same folds."""

from omitrans.model_selection._compare import compare_models
from omitrans.model_selection._compare_imputers import compare_imputers
from omitrans.model_selection._comparison import ModelComparison
from omitrans.model_selection._imputer_comparison import ImputerComparison
from omitrans.model_selection._leaks import leak_report
from omitrans.model_selection._missing_rate import MissingRateSplit
from omitrans.model_selection._patients import PatientGroupKFold, patient_of
from omitrans.model_selection._published import PublishedSplit
from omitrans.model_selection._reversed_ids import ReversedIdSplit

__all__ = [
    "ImputerComparison",
    "MissingRateSplit",
    "ModelComparison",
    "PatientGroupKFold",
    "PublishedSplit",
    "ReversedIdSplit",
    "compare_imputers",
    "compare_models",
    "leak_report",
    "patient_of",
]
