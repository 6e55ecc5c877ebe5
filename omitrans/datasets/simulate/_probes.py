"""Simulated probes: positions, names, and known defects."""

import numpy as np
import pandas as pd

from omitrans.datasets.simulate._genome import (
    CHROMOSOMES,
    PROBE_COUNTS,
    Genes,
    apportion,
    increasing_numbers,
)

# The 450K array: 485,577 probes, of which so many are ...
N_450K = 485_577
N_NON_CPG, N_SNP_ASSAYS = 3_091, 65
OFF_EPIC, SNP_WITHIN_5BP, MULTI_MAPPED = 32_260 / N_450K, 7_998 / N_450K, 3_965 / N_450K

# Where probes lie around their gene, near the array's own shares:
# TSS1500 to first exon, gene body, further away.
REGIONS = ("promoter", "body", "distal")
REGION_SHARES = (0.3, 0.3, 0.4)
RELATIONS = np.array(["island", "shore", "shelf", "open sea"], dtype=object)
# rows: promoter in an island, other promoter, elsewhere; over the array they
# give its 31 % island, 23 % shore, 10 % shelf
RELATION_SHARES = np.array(
    [[0.75, 0.23, 0.01, 0.01], [0.02, 0.28, 0.15, 0.55], [0.22, 0.20, 0.11, 0.47]]
)


def lay_out_probes(
    n_probes: int, genes: Genes, rng: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Place probes around the genes, in genome order.

    Returns
    -------
    frame : DataFrame
        Annotation of the probes.
    gene : ndarray of int
        Index of the gene whose transcription start is nearest.
    promoter : ndarray of bool
        Whether the probe lies in the promoter of that gene.
    """
    gene = _probes_per_gene(n_probes, genes, rng)
    region = rng.choice(len(REGIONS), size=n_probes, p=REGION_SHARES)
    position = _positions(gene, region, genes, rng)
    order = np.lexsort((position, gene))
    position, region = position[order], region[order]
    promoter = region == 0

    place = np.where(promoter, np.where(genes.island[gene], 0, 1), 2)
    cumulative = RELATION_SHARES.cumsum(axis=1)[place, :-1]
    relation = (rng.random(n_probes)[:, None] > cumulative).sum(axis=1)
    frame = pd.DataFrame(
        {
            "probe_id": _probe_ids(CHROMOSOMES[genes.chromosome[gene]], rng),
            "chromosome": CHROMOSOMES[genes.chromosome[gene]],
            "position": position,
            "island_relation": RELATIONS[relation],
            "snp_within_5bp": rng.random(n_probes) < SNP_WITHIN_5BP,
            "multi_mapped": rng.random(n_probes) < MULTI_MAPPED,
            "on_epic": rng.random(n_probes) >= OFF_EPIC,
        }
    )
    return frame, gene, promoter


def _probes_per_gene(n_probes: int, genes: Genes, rng: np.random.Generator) -> np.ndarray:
    """Return the gene of each probe, ascending; chromosomes get their share of the real array."""
    occupied = np.bincount(genes.chromosome, minlength=len(CHROMOSOMES)) > 0
    # some genes are covered several times as densely as others
    weight = rng.lognormal(0, 0.7, size=len(genes))
    parts = []
    for chromosome, count in enumerate(apportion(n_probes, PROBE_COUNTS * occupied)):
        if count:
            there = np.flatnonzero(genes.chromosome == chromosome)
            share = weight[there] / weight[there].sum()
            parts.append(np.repeat(there, rng.multinomial(count, share)))
    return np.concatenate(parts)


def _positions(
    gene: np.ndarray, region: np.ndarray, genes: Genes, rng: np.random.Generator
) -> np.ndarray:
    """Return positions inside the gene's neighbourhood, most of them near its start."""
    tss, forward = genes.tss[gene], genes.forward[gene]
    low = np.select(
        [region == 0, region == 1],
        [tss - np.where(forward, 1500, 300), genes.start[gene]],
        tss - 100_000,
    )
    high = np.select(
        [region == 0, region == 1],
        [tss + np.where(forward, 300, 1500), genes.end[gene]],
        tss + 100_000,
    )
    return rng.integers(
        np.maximum(low, genes.left[gene]), np.minimum(high, genes.right[gene]), endpoint=True
    )


def _probe_ids(chromosome: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return ids unrelated to the position, as on the array; a few are ch. and rs ids."""
    n_probes = len(chromosome)
    # ids of the 450K run from cg00000029 to cg27666123
    numbers = rng.permutation(increasing_numbers(n_probes, 27_700_000, rng))
    ids = np.array([f"cg{number:08d}" for number in numbers], dtype=object)
    # at least two of each, so that filters have something to find in a small table
    n_snp_assays = max(2, round(n_probes * N_SNP_ASSAYS / N_450K))
    n_non_cpg = max(2, round(n_probes * N_NON_CPG / N_450K))
    special = rng.choice(n_probes, n_snp_assays + n_non_cpg, replace=False)
    for i in special[:n_snp_assays]:
        ids[i] = f"rs{numbers[i]}"
    for i in special[n_snp_assays:]:
        ids[i] = f"ch.{chromosome[i]}.{numbers[i]}{rng.choice(['F', 'R'])}"
    return ids
