"""Simulated expression of several tissues of the same donors, with covariates and known truth."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils import Bunch, gen_batches

from omitrans.datasets.simulate._expression import ABSENT, r2_ceiling
from omitrans.datasets.simulate._genome import CHROMOSOMES, lay_out_genes, name_genes
from omitrans.datasets.simulate._masks import hide_values
from omitrans.datasets.simulate._programmes import draw_activities, sparse_loadings
from omitrans.datasets.simulate._samples import correlate_within_donor, own_generator
from omitrans.datasets.simulate._tissues import (
    AGE_RANGE,
    COHORTS,
    TISSUES,
    TissueSamples,
    describe_tissue_samples,
    draw_tissue_samples,
)
from omitrans.utils._sklearn import Interval, validate_params

BLOCK_SIZE = 2**20  # values per working array
KINDS = ("tissue", "programme", "both", "noise", "constant-zero")
# log2 units; between tissues most genes vary more than within one
FAMILY_SD, TISSUE_SD, PROGRAMME_SD = 1.5, 0.7, 1.0
PROGRAMME_MEAN_SD = 0.5  # of a programme's activity between tissues
AGE_SHIFT, COHORT_SHIFT, SEX_SHIFT = 0.8, 0.4, 0.7
MAX_BASE = 9

DESCR = """\
Simulated gene expression of several tissues of the same donors
===============================================================

Nothing in these tables was measured. Names, sizes and covariates follow GTEx, so that what works
here has met the shape of real tables. Effects are invented; `truth` holds them. Tissues of one
family resemble each other, and samples of one donor do.
"""


@dataclass(frozen=True)
class _Effects:
    """Effects on each gene, on the log2 scale; one row per gene."""

    kind: np.ndarray
    base: np.ndarray
    tissue: np.ndarray  # (n_genes, n_tissues)
    loadings: np.ndarray  # (n_genes, n_programmes)
    female: np.ndarray
    age: np.ndarray  # from the youngest to the oldest
    cohort: np.ndarray  # (n_genes, n_cohorts)
    noise_sd: np.ndarray


@validate_params(
    {
        "n_samples": [Interval(Integral, 2, None, closed="left")],
        "n_genes": [Interval(Integral, 1, None, closed="left")],
        "n_tissues": [Interval(Integral, 1, len(TISSUES), closed="both")],
        "n_donors": [Interval(Integral, 1, None, closed="left"), None],
        "n_programmes": [Interval(Integral, 1, None, closed="left")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "within_donor": [Interval(Real, 0, 1, closed="both")],
        "noise_fraction": [Interval(Real, 0, 1, closed="both")],
        "zero_fraction": [Interval(Real, 0, 1, closed="both")],
        "missing_rate": [Interval(Real, 0, 1, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_expression(
    n_samples=300,
    n_genes=500,
    *,
    n_tissues=6,
    n_donors=None,
    n_programmes=12,
    noise=0.5,
    within_donor=0.4,
    noise_fraction=0.1,
    zero_fraction=0.02,
    missing_rate=0.0,
    random_state=None,
):
    """Simulate expression of several tissues of the same donors with covariates and known truth.

    The expression of a gene is the sum of the effects of tissue, gene programmes, sex, age and
    cohort, and of noise that samples of one donor partly share. A gene programme is a hidden factor
    that moves many genes together.

    Parameters
    ----------
    n_samples : int, default=300
        Number of samples.
    n_genes : int, default=500
        Number of genes.
    n_tissues : int, default=6
        Number of tissues; the first is "Whole Blood".
    n_donors : int, default=None
        Number of donors. None takes a third of `n_samples`, or more if more are needed.
    n_programmes : int, default=12
        Number of gene programmes.
    noise : float, default=0.5
        Typical standard deviation of expression given its drivers, in log2 units.
    within_donor : float, default=0.4
        Correlation of the noise between samples of the same donor.
    noise_fraction : float, default=0.1
        Fraction of genes that depend only on sex, age, cohort and noise.
    zero_fraction : float, default=0.02
        Fraction of genes that are zero in every sample.
    missing_rate : float, default=0.0
        Fraction of values that are missing completely at random. The other values do not depend on
        it.
    random_state : int, RandomState instance or None, default=None
        Seed of the random numbers. Genes, tissues and their effects are the same for every
        `n_samples`.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with these attributes:

        X : DataFrame of shape (n_samples, n_genes + 4)
            Expression as log2(TPM + 1), float32, NaN where missing; then the covariates
            ``tissue, sex, cohort`` (text) and ``age`` (years).
        expression : DataFrame of shape (n_samples, n_genes)
            Expression alone, without missing values.
        samples : DataFrame
            Table indexed by sample id, with columns ``donor, tissue, sex, age, cohort``.
        genes : DataFrame
            One row per gene: ``gene_id, gene_symbol, chromosome, start, end, strand``.
        truth : :class:`~sklearn.utils.Bunch`
            True effects from which the values were computed, as DataFrames. ``genes``: the ``kind``
            of each gene, ``r2_ceiling``, the fraction of its variance that its drivers explain, and
            ``r2_ceiling_within_tissue``; ``mean``: expression free of noise and of the detection
            limit; ``tissue_means`` (tissues as rows): the mean for a typical sample of a tissue,
            before sex, age and cohort; ``gene_loadings`` and ``programmes``, their activities in
            each sample; ``families``: the family of each tissue.
        DESCR : str
            Description of the data as text.

    Raises
    ------
    ValueError
        If there are more samples than pairs of a donor and a tissue.

    See Also
    --------
    make_paired_omics : Simulates methylation and expression of tumours.
    hide_values : Hides more values.

    Examples
    --------
    >>> from omitrans.datasets import make_expression
    >>> data = make_expression(n_samples=60, n_genes=40, missing_rate=0.2, random_state=0)
    >>> data.X.shape, list(data.X.columns[-4:])
    ((60, 44), ['tissue', 'sex', 'cohort', 'age'])
    >>> bool(data.expression.notna().all().all()), bool(data.X.isna().any().any())
    (True, True)
    """
    gene_rng, cohort_rng, value_rng, mask_rng = own_generator(random_state).spawn(4)
    layout = lay_out_genes(n_genes, gene_rng)
    genes = name_genes(layout, gene_rng)
    order = np.argsort(genes["gene_id"].to_numpy())  # tables come in no genomic order
    genes = genes.iloc[order].reset_index(drop=True)
    chromosome = CHROMOSOMES[layout.chromosome][order]
    effects = _draw_effects(
        chromosome,
        n_programmes,
        gene_rng,
        noise=noise,
        noise_fraction=noise_fraction,
        zero_fraction=zero_fraction,
    )
    tissue_means = gene_rng.normal(0, PROGRAMME_MEAN_SD, size=(n_programmes, len(TISSUES)))
    samples = draw_tissue_samples(
        n_samples, _check_donors(n_samples, n_tissues, n_donors), n_tissues, cohort_rng
    )
    activities = draw_activities(tissue_means, samples.tissue, samples.donor, value_rng, 1.0)
    mean, expression, ceilings = _draw_values(
        effects, samples, activities, value_rng, within_donor=within_donor
    )
    described = describe_tissue_samples(samples, cohort_rng)
    gene_ids = pd.Index(genes["gene_id"].to_numpy(), name="gene_id")
    table = pd.DataFrame(expression.T, described.index, gene_ids, copy=False)
    holes = table
    if missing_rate > 0:
        seed = int(mask_rng.integers(2**31))
        holes, _ = hide_values(table, missing_rate, random_state=seed)
    covariates = described[["tissue", "sex", "cohort", "age"]]
    return Bunch(
        X=pd.concat([holes, covariates], axis=1),
        expression=table,
        samples=described,
        genes=genes,
        truth=_describe_truth(
            effects, tissue_means[:, :n_tissues], activities, mean, ceilings, table
        ),
        DESCR=DESCR,
    )


def _check_donors(n_samples: int, n_tissues: int, n_donors: int | None) -> int:
    needed = -(-n_samples // n_tissues)
    if n_donors is None:
        return max(needed, n_samples // 3)
    if n_donors < needed:
        raise ValueError(
            f"n_samples={n_samples} is more than {n_tissues} tissues of n_donors={n_donors} give. "
            f"Take {needed} donors or more."
        )
    return n_donors


def _draw_effects(
    chromosome: np.ndarray,
    n_programmes: int,
    rng: np.random.Generator,
    *,
    noise: float,
    noise_fraction: float,
    zero_fraction: float,
) -> _Effects:
    n = len(chromosome)
    kind = rng.choice(KINDS[:3], size=n).astype(object)
    kind[rng.random(n) < noise_fraction] = "noise"
    kind[rng.random(n) < zero_fraction] = "constant-zero"
    families = sorted(set(TISSUES.values()))
    family = np.array([families.index(name) for name in TISSUES.values()])
    between = rng.normal(0, FAMILY_SD, size=(n, len(families)))[:, family]
    tissue = between + rng.normal(0, TISSUE_SD, size=(n, len(TISSUES)))
    loadings = PROGRAMME_SD * sparse_loadings(n, n_programmes, 3, rng)
    base = np.minimum(2 + rng.gamma(2.0, 2.0, size=n), MAX_BASE)
    on_y = chromosome == "Y"
    escapes = (chromosome == "X") & (rng.random(n) < 0.15)  # of X inactivation
    shifts = rng.normal(size=(n, len(COHORTS))) * (rng.random(n) < 0.2)[:, None]
    zero = kind == "constant-zero"
    return _Effects(
        kind=kind,
        base=np.where(zero, ABSENT, base),
        tissue=tissue * np.isin(kind, ["tissue", "both"])[:, None],
        loadings=loadings * np.isin(kind, ["programme", "both"])[:, None],
        female=np.select([zero, on_y, escapes], [0.0, ABSENT, SEX_SHIFT], 0.0),
        age=AGE_SHIFT * rng.normal(size=n) * (rng.random(n) < 0.15) * ~zero,
        cohort=COHORT_SHIFT * shifts * ~zero[:, None],
        noise_sd=np.where(zero, 0, noise * np.exp(rng.normal(0, 0.25, size=n))),
    )


def _draw_values(
    effects: _Effects,
    samples: TissueSamples,
    activities: np.ndarray,
    rng: np.random.Generator,
    *,
    within_donor: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return means and expression (n_genes, n_samples), and both R² ceilings, block by block."""
    n_genes, n = len(effects.base), len(samples.donor)
    mean, expression = np.empty((2, n_genes, n), dtype=np.float32)
    ceilings = np.empty((2, n_genes))
    youngest, oldest = AGE_RANGE
    age = (samples.age - youngest) / (oldest - youngest) - 0.5
    for rows in gen_batches(n_genes, max(1, BLOCK_SIZE // n)):
        block = mean[rows]
        block[:] = effects.base[rows, None] + effects.tissue[rows][:, samples.tissue]
        block += effects.loadings[rows] @ activities
        block += effects.female[rows, None] * samples.female
        block += effects.age[rows, None] * age
        block += effects.cohort[rows][:, samples.cohort]
        own = rng.standard_normal(block.shape, dtype=np.float32)
        correlate_within_donor(own, samples.donor, within_donor)
        own *= effects.noise_sd[rows, None].astype(np.float32)
        own += block
        np.maximum(own, 0, out=expression[rows])  # below detection
        ceilings[0, rows] = r2_ceiling(block, effects.noise_sd[rows])
        ceilings[1, rows] = _within_tissue(block, effects.noise_sd[rows], samples.tissue)
    return mean, expression, ceilings


def _within_tissue(mean: np.ndarray, noise_sd: np.ndarray, tissue: np.ndarray) -> np.ndarray:
    """Return R² ceilings within tissues, averaged over samples."""
    total = np.zeros(len(mean))
    for code in np.unique(tissue):
        members = tissue == code
        total += members.mean() * r2_ceiling(mean[:, members], noise_sd)
    return total


def _describe_truth(
    effects: _Effects,
    programme_means: np.ndarray,
    activities: np.ndarray,
    mean: np.ndarray,
    ceilings: np.ndarray,
    table: pd.DataFrame,
) -> Bunch:
    n_programmes, n_tissues = programme_means.shape
    programmes = pd.Index([f"P{i + 1}" for i in range(n_programmes)])
    tissues = [*TISSUES][:n_tissues]
    tissue_means = effects.loadings @ programme_means + effects.tissue[:, :n_tissues]
    tissue_means += effects.base[:, None]
    genes = pd.DataFrame(
        {
            "kind": effects.kind,
            "r2_ceiling": ceilings[0],
            "r2_ceiling_within_tissue": ceilings[1],
            "base": effects.base,
            "noise_sd": effects.noise_sd,
            "female_shift": effects.female,
            "age_shift": effects.age,
        },
        index=table.columns,
    )
    return Bunch(
        genes=genes,
        mean=pd.DataFrame(mean.T, table.index, table.columns, copy=False),
        tissue_means=pd.DataFrame(tissue_means.T.astype(np.float32), tissues, table.columns),
        gene_loadings=pd.DataFrame(effects.loadings, table.columns, programmes),
        programmes=pd.DataFrame(activities.T, table.index, programmes),
        families=pd.Series([*TISSUES.values()][:n_tissues], tissues, name="family"),
    )
