"""What predicted expression is good for: genes, clusters and survival."""

from omitrans.downstream._driving_genes import driving_genes
from omitrans.downstream._driving_scores import DrivingGeneScores, score_driving_genes

__all__ = ["DrivingGeneScores", "driving_genes", "score_driving_genes"]
