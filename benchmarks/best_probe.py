"""The best CpG of every gene: time and memory against blocked np.corrcoef in float64.

Run: python benchmarks/best_probe.py (small) or
python benchmarks/best_probe.py --samples 1000 --probes 50000 --genes 20000
With --extrapolate, a table of 9,000 x 440,000 x 20,000 is estimated from blocks that are measured.
"""

import argparse
import os
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np
import psutil

from omitrans.solvers._best_feature import best_features


class PeakMemory:
    """Largest resident memory of this process above that at the start, sampled in a thread."""

    def __enter__(self) -> Self:
        self._process = psutil.Process()
        self._start = self._peak = self._process.memory_info().rss
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._done.wait(0.01):
            self._peak = max(self._peak, self._process.memory_info().rss)

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def mib(self) -> float:
        """Peak in MiB above the start."""
        return (self._peak - self._start) / 2**20


def simulate(n_samples: int, n_probes: int, n_genes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 methylation and expression that share 20 factors, as real tables do."""
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((n_samples, 20), dtype=np.float32)
    tables = []
    for n_columns in (n_probes, n_genes):
        table = np.empty((n_samples, n_columns), dtype=np.float32)
        for start in range(0, n_columns, 5000):
            part = table[:, start : start + 5000]
            loadings = rng.standard_normal((20, part.shape[1]), dtype=np.float32) / 4
            rng.standard_normal(out=(noise := np.empty(part.shape, np.float32)), dtype=np.float32)
            part[:] = factors @ loadings + noise
        tables.append(table)
    return tables[0], tables[1]


def blocked_corrcoef(
    X: np.ndarray, Y: np.ndarray, *, block: int = 1000
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best column and its squared correlation, from np.corrcoef of pairs of blocks."""
    best, column = np.full(Y.shape[1], -1.0), np.zeros(Y.shape[1], dtype=int)
    for start in range(0, X.shape[1], block):
        x = X[:, start : start + block].astype(np.float64)
        for first in range(0, Y.shape[1], block):
            y = Y[:, first : first + block].astype(np.float64)
            r2 = np.corrcoef(x, y, rowvar=False)[x.shape[1] :, : x.shape[1]] ** 2
            place = r2.argmax(axis=1)
            value = r2[np.arange(len(r2)), place]
            genes = np.flatnonzero(value > best[first : first + block])
            best[first + genes], column[first + genes] = value[genes], start + place[genes]
    return column, best


class Measured(NamedTuple):
    """Result of a call, seconds by the clock and of all processors, and the peak of memory."""

    result: Any
    seconds: float
    processor_seconds: float
    mib: float

    def __str__(self) -> str:
        return (
            f"{self.seconds:8.1f} s, {self.processor_seconds:8.1f} processor s, peak "
            f"{self.mib:7,.0f} MiB above the tables"
        )


def measure(function: Callable[..., Any], *tables: np.ndarray) -> Measured:
    """Call a function and measure it."""
    with PeakMemory() as memory:
        start = time.perf_counter(), time.process_time()
        result = function(*tables)
        ended = time.perf_counter(), time.process_time()
    return Measured(result, ended[0] - start[0], ended[1] - start[1], memory.mib)


def extrapolate(n_samples: int, n_probes: int, n_genes: int, parts: tuple[int, int]) -> None:
    """Estimate the time of a large table from two numbers of probes with all samples and genes."""
    found = []
    for n_part in parts:
        X, Y = simulate(n_samples, n_part, n_genes)
        measured = measure(best_features, X, Y)
        found.append(measured.seconds)
        print(f"measured {n_samples:,} x {n_part:,} probes x {n_genes:,} genes: {measured}")
    per_probe = (found[1] - found[0]) / (parts[1] - parts[0])
    total = found[1] + per_probe * (n_probes - parts[1])
    print(
        f"extrapolated, not run: {n_samples:,} x {n_probes:,} x {n_genes:,} in {total / 60:.0f} "
        f"min ({per_probe * 1000:.2f} ms per probe); the memory above the tables does not grow "
        "with the number of probes"
    )


def main() -> None:
    """Measure both and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--probes", type=int, default=10_000)
    parser.add_argument("--genes", type=int, default=4_000)
    parser.add_argument("--extrapolate", action="store_true")
    options = parser.parse_args()
    if options.extrapolate:
        extrapolate(9000, 440_000, 20_000, (500, 1500))
        return
    X, Y = simulate(options.samples, options.probes, options.genes)
    print(
        f"{options.samples:,} samples x {options.probes:,} probes x {options.genes:,} genes, "
        f"float32, {(X.nbytes + Y.nbytes) / 2**20:.0f} MiB; numpy {np.__version__}, "
        f"{os.cpu_count()} cores"
    )
    ours = measure(best_features, X, Y)
    print(f"omitrans          {ours}", flush=True)
    theirs = measure(blocked_corrcoef, X, Y)
    print(f"blocked corrcoef  {theirs}")
    best, (column, r2) = ours.result, theirs.result
    same = np.array_equal(np.argsort(-(best.r**2)), np.argsort(-r2))
    print(
        f"{theirs.seconds / ours.seconds:.1f} times faster by the clock, "
        f"{theirs.processor_seconds / ours.processor_seconds:.1f} by processor seconds; "
        f"{int((best.column != column).sum())} other winners; largest difference of r2 "
        f"{np.abs(best.r**2 - r2).max():.1e}; order of genes {'equal' if same else 'not equal'}"
    )


if __name__ == "__main__":
    main()
