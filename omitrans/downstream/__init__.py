"""What predicted expression is good for: genes, clusters and survival."""

from omitrans.downstream._clusters import ClusterSurvival, cluster_survival
from omitrans.downstream._prognosis_genes import prognosis_genes
from omitrans.downstream._survival_model import CoxValidation, cross_validate_cox

__all__ = [
    "ClusterSurvival",
    "CoxValidation",
    "cluster_survival",
    "cross_validate_cox",
    "prognosis_genes",
]
