"""Genes: where they lie and what they are called."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from omitrans.datasets._genome import (
    CHROMOSOME_LENGTHS,
    CHROMOSOMES,
    GENE_SHARES,
    apportion,
    increasing_numbers,
)


@dataclass(frozen=True)
class Genes:
    """Genes in genome order: what the published frame holds, and their neighbourhoods."""

    chromosome: np.ndarray  # index into CHROMOSOMES
    tss: np.ndarray
    forward: np.ndarray
    start: np.ndarray
    end: np.ndarray
    left: np.ndarray  # a probe in [left, right] has this transcription start as its nearest
    right: np.ndarray
    island: np.ndarray  # the promoter lies in a CpG island

    def __len__(self) -> int:
        return len(self.tss)


def lay_out_genes(n_genes: int, rng: np.random.Generator) -> Genes:
    """Place genes on the chromosomes, apart from each other, in genome order."""
    counts = apportion(n_genes, GENE_SHARES)
    places = [
        _spread(count, length, rng)
        for count, length in zip(counts, CHROMOSOME_LENGTHS, strict=True)
        if count
    ]
    tss, left, right = (np.concatenate(parts) for parts in zip(*places, strict=True))
    forward = rng.random(n_genes) < 0.5
    # median 20 kb, the typical protein-coding gene
    length = np.exp(rng.normal(np.log(20_000), 1.2, size=n_genes)).astype(np.int64) + 500
    return Genes(
        chromosome=np.repeat(np.arange(len(CHROMOSOMES)), counts),
        tss=tss,
        forward=forward,
        start=np.where(forward, tss, np.maximum(tss - length, left)),
        end=np.where(forward, np.minimum(tss + length, right), tss),
        left=left,
        right=right,
        # about two promoters of three lie in a CpG island
        island=rng.random(n_genes) < 0.65,
    )


def _spread(count: int, length: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Return transcription starts along one chromosome and the limits of their neighbourhoods."""
    # the constant keeps neighbours apart, so that even 60,000 genes have room for a promoter
    gaps = rng.exponential(size=count + 1) + 0.2
    tss = (np.cumsum(gaps)[:-1] / gaps.sum() * length).astype(np.int64)
    middle = (tss[:-1] + tss[1:]) // 2
    return tss, np.concatenate([[1], middle + 1]), np.concatenate([middle, [length]])


def name_genes(genes: Genes, rng: np.random.Generator) -> pd.DataFrame:
    """Return the genes as a frame in genome order under Ensembl-like ids."""
    n_genes = len(genes)
    numbers = rng.permutation(increasing_numbers(n_genes, 290_000, rng))
    return pd.DataFrame(
        {
            "gene_id": [f"ENSG{number:011d}" for number in numbers],
            "gene_symbol": [f"GENE{i + 1}" for i in range(n_genes)],
            "chromosome": CHROMOSOMES[genes.chromosome],
            "start": genes.start,
            "end": genes.end,
            "strand": np.where(genes.forward, "+", "-").astype(object),
        }
    )
