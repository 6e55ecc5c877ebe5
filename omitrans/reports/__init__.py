"""Pages in HTML about comparisons and predictions."""

from omitrans.reports._comparison_report import comparison_report
from omitrans.reports._prediction_report import prediction_report

__all__ = [
    "comparison_report",
    "prediction_report",
]
