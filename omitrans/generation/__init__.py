"""Generated expression put to use: counterfactual ranking of genes."""

from omitrans.generation._counterfactual_ranking import counterfactual_ranking

__all__ = ["counterfactual_ranking"]
