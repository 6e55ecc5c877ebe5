"""Synthetic expression judged: useful, realistic, and no copy of what it was learned from."""

from omitrans.generation._audit import audit_synthetic
from omitrans.generation._result import SyntheticAudit

__all__ = ["SyntheticAudit", "audit_synthetic"]
