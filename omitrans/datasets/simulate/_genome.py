"""The genome in numbers, on which simulated genes and probes are placed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Genes:
    """Genes in genome order: the columns of the published table, and the neighbourhoods."""

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
    """Place genes on the chromosomes at a distance from each other, in genome order."""
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
    """Return the genes as a DataFrame in genome order with Ensembl-like ids."""
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


CHROMOSOMES = np.array([*map(str, range(1, 23)), "X", "Y"], dtype=object)

# GRCh37, in bases
CHROMOSOME_LENGTHS = np.array(
    [
        249_250_621, 243_199_373, 198_022_430, 191_154_276, 180_915_260, 171_115_067,
        159_138_663, 146_364_022, 141_213_431, 135_534_747, 135_006_516, 133_851_895,
        115_169_878, 107_349_540, 102_531_392, 90_354_753, 81_195_210, 78_077_248,
        59_128_983, 63_025_520, 48_129_895, 51_304_566, 155_270_560, 59_373_566,
    ]
)  # fmt: skip

# cg and ch probes of the 450K array: 485,512, the other 65 being rs probes
PROBE_COUNTS = np.array(
    [
        46_857, 34_810, 25_159, 20_464, 24_327, 36_611, 30_017, 20_950, 9_861, 24_388, 28_794,
        24_539, 12_285, 15_078, 15_259, 21_969, 27_879, 5_922, 25_521, 10_379, 4_243, 8_552,
        11_232, 416,
    ]
)  # fmt: skip

# share in per mille of the 60,482 Ensembl genes of GRCh37
GENE_SHARES = np.array(
    [
        97.1, 68.8, 51.9, 44.6, 48.2, 53.3, 49.0, 40.8, 39.8, 38.5, 54.5, 47.4, 20.7, 37.9, 36.8,
        41.2, 50.2, 18.9, 49.8, 22.3, 12.4, 21.3, 44.9, 9.5,
    ]
)  # fmt: skip


def apportion(n: int, weights: np.ndarray) -> np.ndarray:
    """Split `n` into integers proportional to `weights` (largest remainders)."""
    exact = n * weights / weights.sum()
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: n - counts.sum()]] += 1
    return counts


def increasing_numbers(n: int, top: int, rng: np.random.Generator) -> np.ndarray:
    """Return `n` different positive numbers in increasing order, the last near `top`."""
    return np.cumsum(rng.integers(1, 2 * max(top // n, 1), size=n, endpoint=False))
