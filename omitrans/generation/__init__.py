"""Generated expression judged, and put to use to rank genes."""

from omitrans.generation._audit import audit_synthetic
from omitrans.generation._counterfactual_ranking import counterfactual_ranking
from omitrans.generation._result import SyntheticAudit

__all__ = ["SyntheticAudit", "audit_synthetic", "counterfactual_ranking"]
