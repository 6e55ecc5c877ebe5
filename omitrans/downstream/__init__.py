"""What predicted expression is good for: genes, classes, clusters and survival."""

from omitrans.downstream._classification import evaluate_classifier
from omitrans.downstream._clusters import ClusterSurvival, cluster_survival
from omitrans.downstream._driving_genes import driving_genes
from omitrans.downstream._driving_scores import DrivingGeneScores, score_driving_genes
from omitrans.downstream._prognosis_genes import prognosis_genes
from omitrans.downstream._survival_model import CoxValidation, cross_validate_cox

__all__ = [
    "ClusterSurvival",
    "CoxValidation",
    "DrivingGeneScores",
    "cluster_survival",
    "cross_validate_cox",
    "driving_genes",
    "evaluate_classifier",
    "prognosis_genes",
    "score_driving_genes",
]
