"""Promoters: the local methylation state that silences a gene and that its probes measure."""

from dataclasses import dataclass

import numpy as np
from scipy.special import logit, ndtri

from omitrans.datasets.simulate._genome import Genes
from omitrans.datasets.simulate._programmes import WITHIN_DONOR, Activities, sparse_loadings
from omitrans.datasets.simulate._samples import Cohort, correlate_within_donor

HALF_SILENCED = 0.35  # beta at which a promoter has nearly half of its full effect


@dataclass(frozen=True)
class Promoters:
    """One promoter per gene; its methylation is linear in its drivers on the logit scale."""

    level: np.ndarray  # logit beta in a tissue of average programmes
    loadings: np.ndarray  # (n_genes, n_programmes)
    aberration: np.ndarray  # logit change in the tumours that carry the aberration
    susceptibility: np.ndarray  # (n_genes, n_programmes), of the score that decides who does
    threshold: np.ndarray  # of that score


def draw_promoters(genes: Genes, n_programmes: int, rng: np.random.Generator) -> Promoters:
    """Draw promoters: islands unmethylated but hypermethylated in some tumours, others reverse."""
    n_genes = len(genes)
    level = np.where(
        genes.island,
        rng.normal(logit(0.07), 0.5, size=n_genes),
        rng.normal(logit(0.75), 0.8, size=n_genes),
    )
    # to about 0.8 (hypermethylation) or 0.25 (loss), as seen at MLH1 or the cancer-testis genes
    size = rng.normal(np.where(genes.island, 4.0, -2.5), 0.5)
    frequency = rng.beta(1.5, 3.0, size=n_genes)
    return Promoters(
        level=level.astype(np.float32),
        loadings=0.6 * sparse_loadings(n_genes, n_programmes, 2, rng),
        aberration=size.astype(np.float32),
        susceptibility=sparse_loadings(n_genes, n_programmes, 2, rng),
        threshold=ndtri(1 - frequency).astype(np.float32),
    )


def draw_aberrations(
    promoters: Promoters,
    rows: slice,
    activities: Activities,
    cohort: Cohort,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the degree (0 to 1) to which each tumour carries the aberrations of genes `rows`."""
    susceptibility = promoters.susceptibility[rows]
    score = rng.standard_normal((len(susceptibility), len(cohort)), dtype=np.float32)
    correlate_within_donor(score, cohort.donor, WITHIN_DONOR)
    # half chance, half shared: methylator phenotypes hit many promoters of a tumour at once
    score += susceptibility @ activities.tumour
    score *= 0.5**0.5
    score -= promoters.threshold[rows, None]
    score *= 4  # graded, since a clone may hold a part of the tumour
    return sigmoid(score)


def promoter_methylation(
    promoters: Promoters, rows: slice, aberrations: np.ndarray, activities: Activities
) -> tuple[np.ndarray, np.ndarray]:
    """Return the betas of the promoters `rows` in tumour and normal cells."""
    level, loadings = promoters.level[rows, None], promoters.loadings[rows]
    tumour = loadings @ activities.tumour
    tumour += level
    tumour += promoters.aberration[rows, None] * aberrations
    normal = loadings @ activities.normal
    normal += level
    return sigmoid(tumour), sigmoid(normal)


def silenced_share(beta: np.ndarray) -> np.ndarray:
    """Return the fraction (0 to 1) of full silencing that a promoter of this beta exerts."""
    square = beta * beta
    return square * np.float32(1 + HALF_SILENCED**2) / (square + np.float32(HALF_SILENCED**2))


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)), overwriting the float array `x`."""
    # several times faster than scipy.special.expit on float32, and without overflow
    x *= 0.5
    np.tanh(x, out=x)
    x *= 0.5
    x += 0.5
    return x
