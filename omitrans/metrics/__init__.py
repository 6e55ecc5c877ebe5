"""Metrics that compare predicted or generated profiles with real ones; rows are samples."""

from omitrans.metrics._classification import classification_scores
from omitrans.metrics._draws import energy_score, gene_set_coverage, interval_coverage
from omitrans.metrics._gene_lists import enrichment_factor, pr_auc, top_overlap
from omitrans.metrics._generation import (
    generation_report,
    s_dend,
    s_dist,
    s_sdcc,
    s_tf_tg,
    s_tg_tg,
)
from omitrans.metrics._imputation import (
    masked_r2_by_group,
    masked_r2_per_feature,
    masked_rmse,
)
from omitrans.metrics._kaplan_meier import kaplan_meier, log_rank_test
from omitrans.metrics._pooling import pool_estimates
from omitrans.metrics._regression import (
    r2_per_feature,
    r2_per_sample,
    reconstruction_report,
)
from omitrans.metrics._scorers import RECONSTRUCTION_SCORERS, scores_to_report
from omitrans.metrics._survival import concordance_index, uno_concordance_index

__all__ = [
    "RECONSTRUCTION_SCORERS",
    "classification_scores",
    "concordance_index",
    "energy_score",
    "enrichment_factor",
    "gene_set_coverage",
    "generation_report",
    "interval_coverage",
    "kaplan_meier",
    "log_rank_test",
    "masked_r2_by_group",
    "masked_r2_per_feature",
    "masked_rmse",
    "pool_estimates",
    "pr_auc",
    "r2_per_feature",
    "r2_per_sample",
    "reconstruction_report",
    "s_dend",
    "s_dist",
    "s_sdcc",
    "s_tf_tg",
    "s_tg_tg",
    "scores_to_report",
    "top_overlap",
    "uno_concordance_index",
]
