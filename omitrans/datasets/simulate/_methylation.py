"""Simulated methylation: effects on each probe, noise-free betas, and measured values."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import logit

from omitrans.datasets.simulate._probes import RELATIONS
from omitrans.datasets.simulate._programmes import Activities, sparse_loadings
from omitrans.datasets.simulate._promoters import Promoters, sigmoid
from omitrans.datasets.simulate._samples import Cohort, correlate_within_donor

# share of probes outside promoters that are unmethylated in normal tissue, by relation
UNMETHYLATED = np.array([0.65, 0.40, 0.12, 0.10])
INTERMEDIATE = 0.12  # of the same probes

N_CLOCK = 353 / 27_000  # Horvath's clock among the probes it was chosen from
PERSISTENCE = 25.0  # concentration of missing rates: most probes complete, a few mostly missing
GENOTYPE_BETAS = np.array([0.06, 0.5, 0.92], dtype=np.float32)
BACKGROUND = 0.01  # arrays report no beta of 0 or 1
NOISE_WITHIN_DONOR = 0.3  # genotype and cell mix make a person's samples alike at single probes
LN2 = np.float32(np.log(2))


@dataclass(frozen=True)
class ProbeEffects:
    """Effects on each probe, on the logit scale; rows are in genome order."""

    gene: np.ndarray  # index of the nearest gene, ascending
    promoter: np.ndarray  # the probe reads the promoter of that gene
    level: np.ndarray
    loadings: np.ndarray  # (n_probes, n_programmes)
    aberration: np.ndarray  # response to the aberration of the gene's promoter
    age_slope: np.ndarray  # per decade
    noise_sd: np.ndarray  # M units
    inactivated: np.ndarray  # methylated on the inactive X chromosome
    on_y: np.ndarray
    allele_frequency: np.ndarray  # NaN unless a SNP decides the signal
    missing_rate: np.ndarray


def draw_probe_effects(
    frame: pd.DataFrame,
    gene: np.ndarray,
    promoter: np.ndarray,
    promoters: Promoters,
    rng: np.random.Generator,
    *,
    noise: float,
    missing_rate: float,
) -> ProbeEffects:
    """Draw the effects on each probe of an annotation in genome order."""
    n_probes = len(frame)
    relation, chromosome = (frame[c].to_numpy() for c in ("island_relation", "chromosome"))
    non_cpg = frame["probe_id"].str.startswith("ch.").to_numpy()
    allele_frequency = _allele_frequencies(frame, rng)
    decided = ~np.isnan(allele_frequency)
    reads = promoter & ~non_cpg & ~decided

    level, low = _levels(relation, non_cpg, rng)
    level[reads] = promoters.level[gene[reads]] + rng.normal(0, 0.4, size=reads.sum())
    response = promoters.aberration[gene] * rng.uniform(0.7, 1.2, size=n_probes) * reads
    loadings = _probe_loadings(gene, reads, ~low & (relation != "island"), promoters, rng)
    loadings[decided] = 0
    return ProbeEffects(
        gene=gene,
        promoter=reads,
        level=level.astype(np.float32),
        loadings=loadings,
        aberration=response.astype(np.float32),
        age_slope=_age_slopes(n_probes, rng) * ~decided,
        noise_sd=(noise * np.exp(rng.normal(0, 0.3, size=n_probes))).astype(np.float32),
        inactivated=(chromosome == "X") & (relation == "island") & (low | reads),
        on_y=chromosome == "Y",
        allele_frequency=allele_frequency,
        missing_rate=_missing_rates(n_probes, missing_rate, rng),
    )


def _levels(
    relation: np.ndarray, non_cpg: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return normal-tissue levels of probes outside promoters, and a mask of the unmethylated."""
    share = UNMETHYLATED[pd.Index(RELATIONS).get_indexer(pd.Index(relation))]
    dice = rng.random(len(relation))
    low = (dice < share) | non_cpg
    intermediate = (dice > 1 - INTERMEDIATE) & ~low
    centre = np.select([low, intermediate], [logit(0.06), 0], logit(0.91))
    return centre + rng.normal(0, np.where(intermediate, 0.7, 0.5)), low


def _probe_loadings(
    gene: np.ndarray,
    reads: np.ndarray,
    hypomethylated: np.ndarray,
    promoters: Promoters,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return loadings: those of the promoter, or a mix of the neighbourhood's and own loadings."""
    n_programmes = promoters.loadings.shape[1]
    loadings = 0.5 * sparse_loadings(len(gene), n_programmes, 2, rng)
    # a heavy tail: over the TCGA, 9 % of probes have a beta variance above 0.05, most far less
    loadings *= np.minimum(rng.lognormal(0, 0.8, size=(len(gene), 1)), 4).astype(np.float32)
    loadings[reads] = 0
    loadings += promoters.loadings[gene] * np.where(reads, 1, 0.5).astype(np.float32)[:, None]
    # cancers lose methylation all over the open genome; the first programme carries it
    loadings[hypomethylated & ~reads, 0] -= 0.4
    return loadings


def _age_slopes(n_probes: int, rng: np.random.Generator) -> np.ndarray:
    """Return logit changes per decade of age, non-zero for a few clock probes."""
    slopes = np.zeros(n_probes, dtype=np.float32)
    clock = rng.choice(n_probes, min(n_probes, max(3, round(N_CLOCK * n_probes))), replace=False)
    slopes[clock] = rng.choice([-1, 1], size=len(clock)) * rng.uniform(0.1, 0.35, len(clock))
    return slopes


def _missing_rates(n_probes: int, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return the missing rate of each probe, of mean `rate`; near 0 for most, high for a few."""
    if rate == 0:
        return np.zeros(n_probes, dtype=np.float32)
    return rng.beta(rate * PERSISTENCE, (1 - rate) * PERSISTENCE, size=n_probes).astype(np.float32)


def _allele_frequencies(frame: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Return allele frequencies of rs probes and of a third of the probes with a SNP nearby."""
    decided = frame["snp_within_5bp"].to_numpy() & (rng.random(len(frame)) < 1 / 3)
    decided |= frame["probe_id"].str.startswith("rs").to_numpy()
    return np.where(decided, rng.uniform(0.2, 0.5, size=len(frame)), np.nan)


def expected_methylation(
    effects: ProbeEffects,
    rows: slice,
    aberrations: np.ndarray,
    activities: Activities,
    cohort: Cohort,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the noise-free betas of the probes `rows` in each (bulk) sample.

    `aberrations` holds the aberrations of the gene of each probe. Genotypes are drawn here.
    """
    decades = ((cohort.age - 60) / 10).astype(np.float32)
    common = effects.age_slope[rows, None] * decades
    common += effects.level[rows, None]
    tumour = effects.loadings[rows] @ activities.tumour
    tumour += common
    tumour += effects.aberration[rows, None] * aberrations
    common += effects.loadings[rows] @ activities.normal
    bulk, normal = sigmoid(tumour), sigmoid(common)
    bulk -= normal
    bulk *= cohort.purity.astype(np.float32)
    bulk += normal

    female = cohort.female.astype(np.float32)
    inactivated = np.flatnonzero(effects.inactivated[rows])
    # one of two X chromosomes is methylated at islands
    bulk[inactivated] += female * np.float32(0.5) * (np.float32(0.85) - bulk[inactivated])
    # without a Y chromosome the two colours of the background are about equal
    on_y = np.flatnonzero(effects.on_y[rows])
    bulk[on_y] += female * (np.float32(0.45) - bulk[on_y])
    frequency = effects.allele_frequency[rows]
    decided = np.flatnonzero(~np.isnan(frequency))
    n_donors = cohort.donor.max() + 1
    alleles = rng.binomial(2, frequency[decided, None], size=(len(decided), n_donors))
    bulk[decided] = GENOTYPE_BETAS[alleles[:, cohort.donor]]
    return bulk


def observe_methylation(
    bulk: np.ndarray,
    effects: ProbeEffects,
    rows: slice,
    batch_effect: float,
    cohort: Cohort,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return measured betas: noise and a batch shift on the M scale, then the background.

    The array `bulk` is overwritten.
    """
    shift = rng.normal(0, batch_effect, size=(len(bulk), cohort.batch.max() + 1))
    odds = rng.standard_normal(bulk.shape, dtype=np.float32)
    correlate_within_donor(odds, cohort.donor, NOISE_WITHIN_DONOR)
    odds *= effects.noise_sd[rows, None]
    odds += shift.astype(np.float32)[:, cohort.batch]
    odds *= LN2
    np.exp(odds, out=odds)
    # multiplying the odds of a beta shifts its M-value
    unmethylated = 1 - bulk
    bulk *= odds
    unmethylated += bulk
    bulk /= unmethylated
    bulk *= 1 - 2 * BACKGROUND
    bulk += BACKGROUND
    return bulk


def hide(betas: np.ndarray, missing_rate: np.ndarray, rng: np.random.Generator) -> None:
    """Set random values of each row to NaN, at the missing rate of the row, in place."""
    if missing_rate.any():
        betas[rng.random(betas.shape, dtype=np.float32) < missing_rate[:, None]] = np.nan
