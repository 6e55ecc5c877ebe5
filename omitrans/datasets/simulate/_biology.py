"""The simulated organism: genes, probes and effects, independent of the samples."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from omitrans.datasets.simulate._expression import GeneEffects, draw_gene_effects
from omitrans.datasets.simulate._genome import lay_out_genes, name_genes
from omitrans.datasets.simulate._methylation import ProbeEffects, draw_probe_effects
from omitrans.datasets.simulate._probes import lay_out_probes
from omitrans.datasets.simulate._programmes import CANCER_SD, TISSUE_SD, TUMOUR_SHIFT
from omitrans.datasets.simulate._promoters import Promoters, draw_promoters


@dataclass(frozen=True)
class Biology:
    """All that does not depend on the samples; tables and effects are in genome order."""

    probes: pd.DataFrame
    genes: pd.DataFrame
    probe_order: np.ndarray  # rows sorted by id, the order of the published tables
    gene_order: np.ndarray
    probe_effects: ProbeEffects
    gene_effects: GeneEffects
    promoters: Promoters
    tissue_means: np.ndarray  # (n_programmes, n_cancer_types)
    cancer_means: np.ndarray  # what the cancer changes
    prognostic: np.ndarray  # indices of genes
    log_hazards: np.ndarray  # per standard deviation of each gene


def draw_biology(
    rng: np.random.Generator,
    *,
    n_probes: int,
    n_genes: int,
    n_cancer_types: int,
    n_programmes: int,
    n_prognostic_genes: int,
    predictable_fraction: float,
    zero_fraction: float,
    noise: float,
    probe_noise: float,
    missing_rate: float,
) -> Biology:
    """Draw genes and probes with their effects, cancer types and prognostic genes."""
    gene_rng, probe_rng, type_rng, survival_rng = rng.spawn(4)
    layout = lay_out_genes(n_genes, gene_rng)
    genes = name_genes(layout, gene_rng)
    promoters = draw_promoters(layout, n_programmes, gene_rng)
    probes, nearest, in_promoter = lay_out_probes(n_probes, layout, probe_rng)
    probes["gene_symbol"] = genes["gene_symbol"].to_numpy()[nearest]
    probe_effects = draw_probe_effects(
        probes,
        nearest,
        in_promoter,
        promoters,
        probe_rng,
        noise=probe_noise,
        missing_rate=missing_rate,
    )
    gene_effects = draw_gene_effects(
        layout,
        np.bincount(nearest[probe_effects.promoter], minlength=n_genes),
        n_programmes,
        gene_rng,
        predictable_fraction=predictable_fraction,
        zero_fraction=zero_fraction,
        noise=noise,
    )
    shape = (n_programmes, n_cancer_types)
    cancer_means = type_rng.normal(0, CANCER_SD, size=shape)
    cancer_means[0] += TUMOUR_SHIFT
    prognostic, log_hazards = _draw_prognostic(gene_effects, n_prognostic_genes, survival_rng)
    return Biology(
        probes=probes,
        genes=genes,
        probe_order=np.argsort(probes["probe_id"].to_numpy()),
        gene_order=np.argsort(genes["gene_id"].to_numpy()),
        probe_effects=probe_effects,
        gene_effects=gene_effects,
        promoters=promoters,
        tissue_means=type_rng.normal(0, TISSUE_SD, size=shape),
        cancer_means=cancer_means,
        prognostic=prognostic,
        log_hazards=log_hazards,
    )


def _draw_prognostic(
    effects: GeneEffects, n_prognostic: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return prognostic genes, all of them clearly expressed, and their log hazards."""
    expressed = np.flatnonzero(effects.base > 2)
    chosen = rng.choice(expressed, min(n_prognostic, len(expressed)), replace=False)
    # ten such genes together give hazards that vary e-fold, a concordance near 0.7
    sizes = rng.uniform(0.15, 0.45, size=len(chosen))
    return np.sort(chosen), sizes * rng.choice([-1, 1], size=len(chosen))
