"""Simulated expression: effects on each gene, noise-free abundance, and measured values."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from omitrans.datasets.simulate._genome import CHROMOSOMES, Genes
from omitrans.datasets.simulate._programmes import WITHIN_DONOR, Activities, sparse_loadings
from omitrans.datasets.simulate._promoters import sigmoid, silenced_share
from omitrans.datasets.simulate._samples import Cohort, correlate_within_donor

PREDICTABLE_KINDS = ("cis", "trans", "both", "nonlinear")
PREDICTABLE_SHARES = (0.25, 0.35, 0.25, 0.15)
N_PRIVATE = 5  # factors that methylation does not see: copy number, RNA batches, ...
PRIVATE_SHARE = 0.3  # of the noise variance
# log2 units; with the default noise, ridge cross-validated on 300 samples explains about 0.3 of
# a gene's variance, and 0.27 on 348 breast cancers of the TCGA
TRANS_SD = 1.6
GATE_STEEPNESS = 3.0  # most samples have a gate either clearly open or clearly shut
ABSENT = -30.0  # log2 abundance of what is not transcribed


@dataclass(frozen=True)
class GeneEffects:
    """Effects on each gene, on the log2 scale; arrays have one row per gene."""

    kind: np.ndarray
    base: np.ndarray
    loadings: np.ndarray  # (n_genes, n_programmes)
    gates: np.ndarray  # (n_genes, n_programmes), zero unless the kind is nonlinear
    silencing: np.ndarray  # log2 units lost under a fully methylated promoter
    female_shift: np.ndarray
    noise_sd: np.ndarray
    private: np.ndarray  # (n_genes, N_PRIVATE) directions of unit length


def draw_gene_effects(
    genes: Genes,
    n_promoter_probes: np.ndarray,
    n_programmes: int,
    rng: np.random.Generator,
    *,
    predictable_fraction: float,
    zero_fraction: float,
    noise: float,
) -> GeneEffects:
    """Draw the kind of each gene and its effects.

    A gene whose promoter is not covered by any probe cannot be cis; it becomes trans.
    """
    n_genes = len(genes)
    on_x, on_y = (CHROMOSOMES[genes.chromosome] == name for name in "XY")
    kind = _draw_kinds(n_genes, predictable_fraction, zero_fraction, rng)
    kind[np.isin(kind, ["cis", "both"]) & (n_promoter_probes == 0)] = "trans"
    # methylation tells the sexes apart, hence no expressed gene of chromosome Y is unpredictable
    kind[(kind == "unpredictable") & on_y] = "trans"

    has_cis = np.isin(kind, ["cis", "both"])
    has_trans = np.isin(kind, ["trans", "both", "nonlinear"])
    zero = kind == "constant-zero"
    # a mean near 4 with a long tail, and some genes so low that they are zero in many samples
    base = np.minimum(rng.gamma(2.0, 2.0, size=n_genes), 9)
    # a gene near the detection limit could not show its silencing
    base[has_cis] += 2
    escapes = on_x & (rng.random(n_genes) < 0.15)  # of X inactivation
    escapes &= ~zero & (kind != "unpredictable")
    noise_sd = noise * np.exp(rng.normal(0, 0.25, size=n_genes))
    gates = GATE_STEEPNESS * sparse_loadings(n_genes, n_programmes, 2, rng)
    private = rng.standard_normal((n_genes, N_PRIVATE))
    return GeneEffects(
        kind=kind,
        base=np.where(zero, ABSENT, base).astype(np.float32),
        loadings=TRANS_SD * sparse_loadings(n_genes, n_programmes, 3, rng) * has_trans[:, None],
        gates=gates * (kind == "nonlinear")[:, None],
        silencing=np.where(has_cis, rng.uniform(3, 7, size=n_genes), 0).astype(np.float32),
        female_shift=np.select([on_y, escapes], [ABSENT, 0.7], 0).astype(np.float32),
        noise_sd=np.where(zero, 0, noise_sd).astype(np.float32),
        private=(private / np.linalg.norm(private, axis=1, keepdims=True)).astype(np.float32),
    )


def _draw_kinds(
    n_genes: int, predictable_fraction: float, zero_fraction: float, rng: np.random.Generator
) -> np.ndarray:
    """Return the kind of each gene; predictable genes are a fraction of those not always zero."""
    dice = rng.random(n_genes)
    kind = rng.choice(PREDICTABLE_KINDS, size=n_genes, p=PREDICTABLE_SHARES).astype(object)
    kind[rng.random(n_genes) >= predictable_fraction] = "unpredictable"
    kind[dice < zero_fraction] = "constant-zero"
    return kind


def draw_private_factors(cohort: Cohort, rng: np.random.Generator) -> np.ndarray:
    """Return factors that affect expression but not methylation, (N_PRIVATE, n_samples)."""
    factors = rng.standard_normal((N_PRIVATE, len(cohort)), dtype=np.float32)
    correlate_within_donor(factors, cohort.donor, WITHIN_DONOR)
    return factors


def expected_abundance(
    effects: GeneEffects,
    rows: slice,
    promoter_betas: tuple[np.ndarray, np.ndarray],
    activities: Activities,
    cohort: Cohort,
) -> np.ndarray:
    """Return the noise-free log2 abundance of the genes `rows` in each (bulk) sample.

    Tumour and normal cells add up on the linear scale, as RNA does.
    """
    tumour = _cell_abundance(effects, rows, promoter_betas[0], activities.tumour)
    normal = _cell_abundance(effects, rows, promoter_betas[1], activities.normal)
    purity = cohort.purity.astype(np.float32)
    bulk = purity * np.exp2(tumour)
    bulk += (1 - purity) * np.exp2(normal)
    np.log2(bulk, out=bulk)
    bulk += effects.female_shift[rows, None] * cohort.female.astype(np.float32)
    return bulk


def _cell_abundance(
    effects: GeneEffects, rows: slice, promoter_beta: np.ndarray, activity: np.ndarray
) -> np.ndarray:
    """Return the log2 abundance in cells of one compartment."""
    trans = effects.loadings[rows] @ activity
    gated = np.flatnonzero(effects.kind[rows] == "nonlinear")
    # a nonlinear gene follows its programmes only while others are switched on
    trans[gated] *= 1.5 * sigmoid(effects.gates[rows][gated] @ activity)
    trans += effects.base[rows, None]
    trans -= effects.silencing[rows, None] * silenced_share(promoter_beta)
    return trans


def observe_expression(
    abundance: np.ndarray,
    effects: GeneEffects,
    rows: slice,
    private_factors: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return log2(FPKM + 1): the abundance with noise, 0 below the detection limit."""
    noise = effects.private[rows] @ private_factors
    noise *= PRIVATE_SHARE**0.5
    own = rng.standard_normal(abundance.shape, dtype=np.float32)
    own *= (1 - PRIVATE_SHARE) ** 0.5
    noise += own
    noise *= effects.noise_sd[rows, None]
    noise += abundance
    return np.maximum(noise, 0, out=noise)


def rectified_moments(mean: np.ndarray, sd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of max(Z, 0) for Z ~ N(mean, sd²)."""
    sd = np.maximum(sd, np.finfo(np.float32).tiny)  # sd = 0 as a limit
    score = mean / sd
    above = ndtr(score)
    density = sd / np.sqrt(2 * np.pi) * np.exp(-0.5 * score * score)
    first = mean * above + density
    second = (mean * mean + sd * sd) * above + mean * density
    return first, np.maximum(second - first * first, 0)


def r2_ceiling(abundance: np.ndarray, noise_sd: np.ndarray) -> np.ndarray:
    """Return the fraction of each gene's variance that its true drivers explain; 0 if constant."""
    explained, noise = rectified_moments(abundance.astype(np.float64), noise_sd[:, None])
    between, within = explained.var(axis=1), noise.mean(axis=1)
    total = between + within
    return np.divide(between, total, out=np.zeros_like(total), where=total > 0)
