"""Pages in HTML about audits, comparisons, downstream use and predictions."""

from omitrans.reports._audit_report import audit_report
from omitrans.reports._comparison_report import comparison_report
from omitrans.reports._downstream_page import downstream_page
from omitrans.reports._prediction_report import prediction_report

__all__ = [
    "audit_report",
    "comparison_report",
    "downstream_page",
    "prediction_report",
]
