"""Simulated methylation and expression of one cohort, with known truth."""

from collections.abc import Iterator
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from omitrans.datasets.simulate._biology import Biology, draw_biology
from omitrans.datasets.simulate._expression import (
    PREDICTABLE_KINDS,
    draw_private_factors,
    expected_abundance,
    observe_expression,
    r2_ceiling,
)
from omitrans.datasets.simulate._methylation import expected_methylation, hide, observe_methylation
from omitrans.datasets.simulate._programmes import Activities, draw_paired_activities
from omitrans.datasets.simulate._promoters import draw_aberrations, promoter_methylation
from omitrans.datasets.simulate._samples import (
    CANCER_TYPES,
    Cohort,
    describe_cohort,
    draw_cohort,
    draw_survival,
    own_generator,
)
from omitrans.utils._sklearn import Interval, validate_params

# values per working array: 4 MiB of float32, which stays in the cache of the processor
BLOCK_SIZE = 2**20

DESCR = """\
Simulated DNA methylation and gene expression of one pan-cancer cohort
======================================================================

Nothing in these tables was measured. Names, sizes and rates follow the Illumina 450K array and
the TCGA (cancer types, shares of probes on chromosomes, islands and in filter lists, missing
values, ages, survival), so that what works here has met the shape of real tables. Effects are
invented; `truth` holds them. The names of cancer types lend their frequency, sex and age only.
"""


@validate_params(
    {
        "n_samples": [Interval(Integral, 2, None, closed="left")],
        "n_probes": [Interval(Integral, 10, None, closed="left")],
        "n_genes": [Interval(Integral, 1, None, closed="left")],
        "n_cancer_types": [Interval(Integral, 1, len(CANCER_TYPES), closed="both")],
        "n_programmes": [Interval(Integral, 1, None, closed="left")],
        "n_batches": [Interval(Integral, 1, None, closed="left")],
        "n_prognostic_genes": [Interval(Integral, 0, None, closed="left")],
        "normal_fraction": [Interval(Real, 0, 0.5, closed="both")],
        "repeat_fraction": [Interval(Real, 0, 0.5, closed="both")],
        "predictable_fraction": [Interval(Real, 0, 1, closed="both")],
        "zero_fraction": [Interval(Real, 0, 1, closed="both")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "probe_noise": [Interval(Real, 0, None, closed="left")],
        "batch_effect": [Interval(Real, 0, None, closed="left")],
        "missing_rate": [Interval(Real, 0, 1, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_paired_omics(
    n_samples=200,
    n_probes=2000,
    n_genes=500,
    *,
    n_cancer_types=4,
    n_programmes=20,
    n_batches=4,
    n_prognostic_genes=10,
    normal_fraction=0.1,
    repeat_fraction=0.02,
    predictable_fraction=0.75,
    zero_fraction=0.05,
    noise=0.7,
    probe_noise=0.3,
    batch_effect=0.15,
    missing_rate=0.01,
    random_state=None,
):
    """Simulate methylation and expression of a pan-cancer cohort with known truth.

    Each sample is a mix of tumour and normal cells; its purity is the fraction of tumour cells. In
    both kinds of cells, a few shared programmes (hidden factors) move methylation and expression.
    Tumours also carry local aberrations of promoters, and a methylated promoter silences its gene.
    The layout follows the 450K array and the TCGA.

    Parameters
    ----------
    n_samples : int, default=200
        Number of samples, normal tissue included.
    n_probes : int, default=2000
        Number of methylation probes; 485,577 is the full 450K array.
    n_genes : int, default=500
        Number of genes.
    n_cancer_types : int, default=4
        Number of cancer types, starting with the most frequent types of the TCGA.
    n_programmes : int, default=20
        Number of programmes that methylation and expression share.
    n_batches : int, default=4
        Number of methylation batches, partly confounded with the cancer types.
    n_prognostic_genes : int, default=10
        Number of genes whose expression drives survival.
    normal_fraction : float, default=0.1
        Fraction of samples that are normal tissue of a patient whose tumour is also a sample.
    repeat_fraction : float, default=0.02
        Fraction of samples that are a second tumour sample of a patient.
    predictable_fraction : float, default=0.75
        Fraction of the genes, without those that are always zero, that methylation can predict.
    zero_fraction : float, default=0.05
        Fraction of genes that are zero in every sample.
    noise : float, default=0.7
        Typical standard deviation of expression given its true drivers, in log2 units.
    probe_noise : float, default=0.3
        Typical standard deviation of methylation given its true drivers, in M units.
    batch_effect : float, default=0.15
        Standard deviation of the shift of a probe between batches, in M units.
    missing_rate : float, default=0.01
        Expected fraction of missing betas; a few probes hold most of them. The other values
        do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the random numbers. The probes, the genes and their effects are the same for every
        `n_samples`. None draws a new seed and does not change NumPy's global state.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with these attributes:

        X : DataFrame of shape (n_samples, n_probes), float32
            Betas in [0.01, 0.99], NaN where missing; columns are in the order of the probe ids.
        Y : DataFrame of shape (n_samples, n_genes), float32
            Expression as log2(FPKM + 1), 0 below the detection limit; columns are in the order of
            the gene ids.
        samples : DataFrame
            Table indexed by barcode, with columns ``patient, cancer_type, sample_type, purity,
            batch, age, sex, survival_time, event``; survival is counted in days.
        probes : DataFrame
            One row per column of X: ``probe_id, chromosome, position, island_relation,
            snp_within_5bp, multi_mapped, on_epic, gene_symbol`` (the gene of the nearest
            transcription start); positions in bases of GRCh37.
        genes : DataFrame
            One row per column of Y: ``gene_id, gene_symbol, chromosome, start, end, strand``.
        truth : :class:`~sklearn.utils.Bunch`
            True effects from which the values were computed, as DataFrames. ``genes``: the kind of
            each gene (cis, trans, both, nonlinear, unpredictable or constant-zero), ``r2_ceiling``,
            the fraction of its variance that its drivers explain, and the parameters of its model;
            ``edges``: the promoter probes that report the silencing of a gene, ``effect`` being the
            log2 units lost between an unmethylated and a fully methylated promoter;
            ``gene_loadings`` and ``probe_loadings`` on the programmes; ``gene_gates``, the
            programmes that switch a nonlinear gene; ``tumour_programmes`` and
            ``normal_programmes``, their activities in each sample's cells; ``clock``: probes that
            follow age; ``prognostic``: genes with the log hazard of one standard deviation of their
            expression among the primary tumours.
        DESCR : str
            Description of the data as text.

    Notes
    -----
    ``r2_ceiling`` is Var(E[y | drivers]) / Var(y) over this cohort, the drivers being programme
    activities, purity, sex and the promoter's methylation, all free of noise. Noisy betas of
    finitely many probes hold less information, so a model that is evaluated on other patients
    exceeds the ceiling only by chance. The values are generated block by block: the peak memory is
    the output, the annotation with its effects, and a few blocks of 4 MiB.

    Examples
    --------
    >>> from omitrans.datasets import make_paired_omics
    >>> data = make_paired_omics(n_samples=60, n_probes=300, n_genes=80, random_state=0)
    >>> data.X.shape, data.Y.shape
    ((60, 300), (60, 80))
    >>> bool(data.truth.genes["r2_ceiling"].between(0, 1).all())
    True
    """
    biology_rng, cohort_rng, value_rng = own_generator(random_state).spawn(3)
    biology = draw_biology(
        biology_rng,
        n_probes=n_probes,
        n_genes=n_genes,
        n_cancer_types=n_cancer_types,
        n_programmes=n_programmes,
        n_prognostic_genes=n_prognostic_genes,
        predictable_fraction=predictable_fraction,
        zero_fraction=zero_fraction,
        noise=noise,
        probe_noise=probe_noise,
        missing_rate=missing_rate,
    )
    cohort = draw_cohort(
        n_samples,
        cohort_rng,
        n_cancer_types=n_cancer_types,
        n_batches=n_batches,
        normal_fraction=normal_fraction,
        repeat_fraction=repeat_fraction,
    )
    activities = draw_paired_activities(
        cohort, biology.tissue_means, biology.cancer_means, cohort_rng
    )
    betas, expression, ceiling = _draw_values(
        biology, cohort, activities, value_rng, batch_effect=batch_effect
    )
    samples = describe_cohort(cohort, cohort_rng)
    samples["survival_time"], samples["event"] = _draw_outcome(
        biology, cohort, expression, cohort_rng
    )
    return _assemble(biology, activities, samples, betas, expression, ceiling)


def _blocks(start: int, stop: int, n_samples: int) -> Iterator[slice]:
    """Yield blocks of consecutive rows that hold about BLOCK_SIZE values each."""
    step = max(1, BLOCK_SIZE // n_samples)
    for first in range(start, stop, step):
        yield slice(first, min(first + step, stop))


def _draw_values(
    biology: Biology,
    cohort: Cohort,
    activities: Activities,
    rng: np.random.Generator,
    *,
    batch_effect: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return betas (n_probes, n_samples), expression (n_genes, n_samples) and R² ceilings.

    Rows are in the published order. A gene is simulated together with the probes around it, because
    they share the state of its promoter; every block has its own generators.
    """
    n = len(cohort)
    effects, probe_effects = biology.gene_effects, biology.probe_effects
    betas = np.empty((len(biology.probes), n), dtype=np.float32)
    expression = np.empty((len(biology.genes), n), dtype=np.float32)
    ceiling = np.empty(len(biology.genes))
    gene_columns, probe_columns = np.argsort(biology.gene_order), np.argsort(biology.probe_order)
    private_factors = draw_private_factors(cohort, rng)
    for genes in _blocks(0, len(biology.genes), n):
        gene_rng, probe_rng, missing_rng = rng.spawn(3)
        aberrations = draw_aberrations(biology.promoters, genes, activities, cohort, gene_rng)
        promoter_betas = promoter_methylation(biology.promoters, genes, aberrations, activities)
        abundance = expected_abundance(effects, genes, promoter_betas, activities, cohort)
        ceiling[gene_columns[genes]] = r2_ceiling(abundance, effects.noise_sd[genes])
        expression[gene_columns[genes]] = observe_expression(
            abundance, effects, genes, private_factors, gene_rng
        )
        first, stop = np.searchsorted(probe_effects.gene, [genes.start, genes.stop])
        for probes in _blocks(first, stop, n):
            local = aberrations[probe_effects.gene[probes] - genes.start]
            block = expected_methylation(
                probe_effects, probes, local, activities, cohort, probe_rng
            )
            observe_methylation(block, probe_effects, probes, batch_effect, cohort, probe_rng)
            hide(block, probe_effects.missing_rate[probes], missing_rng)
            betas[probe_columns[probes]] = block
    return betas, expression, ceiling


def _draw_outcome(
    biology: Biology, cohort: Cohort, expression: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return survival times and events of the samples' patients."""
    primary = np.flatnonzero(cohort.kind == "tumour")
    primary = primary[np.argsort(cohort.donor[primary])]  # one per donor
    driving = expression[np.argsort(biology.gene_order)[biology.prognostic]][:, primary]
    driving -= driving.mean(axis=1, keepdims=True)
    driving /= np.maximum(driving.std(axis=1, keepdims=True), 1e-6)
    days, died = draw_survival(biology.log_hazards @ driving, rng)
    return days[cohort.donor], died[cohort.donor]


def _assemble(
    biology: Biology,
    activities: Activities,
    samples: pd.DataFrame,
    betas: np.ndarray,
    expression: np.ndarray,
    ceiling: np.ndarray,
) -> Bunch:
    """Return the public DataFrames; the large tables are wrapped, not copied."""
    probes = biology.probes.iloc[biology.probe_order].reset_index(drop=True)
    genes = biology.genes.iloc[biology.gene_order].reset_index(drop=True)
    return Bunch(
        X=pd.DataFrame(betas.T, index=samples.index, columns=probes["probe_id"], copy=False),
        Y=pd.DataFrame(expression.T, index=samples.index, columns=genes["gene_id"], copy=False),
        samples=samples,
        probes=probes,
        genes=genes,
        truth=describe_truth(biology, activities, samples.index, ceiling),
        DESCR=DESCR,
    )


def describe_truth(
    biology: Biology, activities: Activities, sample_ids: pd.Index, ceiling: np.ndarray
) -> Bunch:
    """Return the true effects; genes and probes are in the order of their ids, as published."""
    gene_order, probe_order = biology.gene_order, biology.probe_order
    gene_ids = pd.Index(biology.genes["gene_id"].to_numpy()[gene_order], name="gene_id")
    probe_ids = pd.Index(biology.probes["probe_id"].to_numpy()[probe_order], name="probe_id")
    effects = biology.gene_effects
    programmes = pd.Index([f"P{i + 1}" for i in range(effects.loadings.shape[1])])
    genes = pd.DataFrame(
        {
            "kind": effects.kind[gene_order],
            "predictable": np.isin(effects.kind, PREDICTABLE_KINDS)[gene_order],
            "r2_ceiling": ceiling,
            "base": effects.base[gene_order],
            "silencing": effects.silencing[gene_order],
            "noise_sd": effects.noise_sd[gene_order],
        },
        index=gene_ids,
    )
    return Bunch(
        genes=genes,
        edges=_edges(biology),
        gene_loadings=pd.DataFrame(effects.loadings[gene_order], gene_ids, programmes),
        gene_gates=pd.DataFrame(effects.gates[gene_order], gene_ids, programmes),
        probe_loadings=pd.DataFrame(
            biology.probe_effects.loadings[probe_order], probe_ids, programmes
        ),
        tumour_programmes=pd.DataFrame(activities.tumour.T, sample_ids, programmes),
        normal_programmes=pd.DataFrame(activities.normal.T, sample_ids, programmes),
        clock=_clock(biology),
        prognostic=pd.DataFrame(
            {
                "gene_id": biology.genes["gene_id"].to_numpy()[biology.prognostic],
                "log_hazard": biology.log_hazards,
            }
        ),
    )


def _edges(biology: Biology) -> pd.DataFrame:
    """Return the probes that report the silencing of a gene."""
    effects = biology.probe_effects
    silencing = biology.gene_effects.silencing[effects.gene]
    probes = np.flatnonzero(effects.promoter & (silencing > 0))
    return pd.DataFrame(
        {
            "gene_id": biology.genes["gene_id"].to_numpy()[effects.gene[probes]],
            "probe_id": biology.probes["probe_id"].to_numpy()[probes],
            "effect": -silencing[probes],
        }
    )


def _clock(biology: Biology) -> pd.DataFrame:
    """Return the probes that follow age."""
    slope = biology.probe_effects.age_slope
    probes = np.flatnonzero(slope)
    return pd.DataFrame(
        {
            "probe_id": biology.probes["probe_id"].to_numpy()[probes],
            "logit_per_decade": slope[probes],
        }
    )
