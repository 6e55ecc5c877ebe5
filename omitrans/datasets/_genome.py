"""The genome that simulated genes and probes are laid out on, in figures."""

import numpy as np

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
