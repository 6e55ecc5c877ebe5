"""What predicted expression is good for: genes, classes, clusters and survival."""

from omitrans.downstream._classification import evaluate_classifier
from omitrans.downstream._clusters import ClusterSurvival, cluster_survival
from omitrans.downstream._controls import control_predictions
from omitrans.downstream._driving_genes import driving_genes
from omitrans.downstream._driving_scores import DrivingGeneScores, score_driving_genes
from omitrans.downstream._prognosis_genes import prognosis_genes
from omitrans.downstream._report import downstream_report
from omitrans.downstream._result import DownstreamReport
from omitrans.downstream._survival_model import CoxValidation, cross_validate_cox

__all__ = [
    "ClusterSurvival",
    "CoxValidation",
    "DownstreamReport",
    "DrivingGeneScores",
    "cluster_survival",
    "control_predictions",
    "cross_validate_cox",
    "downstream_report",
    "driving_genes",
    "evaluate_classifier",
    "prognosis_genes",
    "score_driving_genes",
]
