"""Time and memory of generation_report against the formulas in NumPy and SciPy.

Each runs in a process of its own, so that its peak memory is its own.

Run: python benchmarks/generation_metrics.py --genes 18000 --samples 500
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import scipy
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.spatial.distance import squareform

from omitrans.metrics import generation_report


def simulate(n_samples: int, n_genes: int, seed: int) -> pd.DataFrame:
    """Return expression of which about half the variance is shared by 20 factors."""
    loadings = np.random.default_rng(0).standard_normal((20, n_genes), dtype=np.float32)
    rng = np.random.default_rng(seed)
    table = rng.standard_normal((n_samples, 20), dtype=np.float32) @ loadings
    table += 4 * rng.standard_normal((n_samples, n_genes), dtype=np.float32)
    return pd.DataFrame(table, columns=[f"g{i}" for i in range(n_genes)])


def simulate_network(n_genes: int) -> pd.DataFrame:
    """Return 200 regulators with 2 to 400 targets, a tenth of them with a self-loop."""
    rng = np.random.default_rng(1)
    edges = []
    for regulator, size in enumerate(np.geomspace(2, 400, 200).astype(int)):
        targets = rng.choice(np.arange(200, n_genes), size, replace=False).tolist()
        targets += [regulator] if regulator % 10 == 0 else []
        edges += [(f"g{regulator}", f"g{target}") for target in targets]
    return pd.DataFrame(edges, columns=["regulator", "target"])


def direct_report(real: pd.DataFrame, synthetic: pd.DataFrame, network: pd.DataFrame) -> dict:
    """Return the five scores as the formulas stand, in float64."""
    correlations = [np.corrcoef(table.to_numpy(np.float64).T) for table in (real, synthetic)]
    scores = direct_network_scores(correlations, real.columns, network)
    distances = []
    while correlations:
        matrix = 1 - correlations.pop(0)
        distances.append(squareform(matrix, checks=False))
        del matrix
    scores["s_dist"] = float(np.corrcoef(*distances)[0, 1])
    heights, fits = [], []
    for vector in distances:
        heights.append(cophenet(linkage(vector, "complete")))
        fits.append(float(np.corrcoef(heights[-1], vector)[0, 1]))
    scores["s_dend"] = float(np.corrcoef(*heights)[0, 1])
    scores["s_sdcc"] = (fits[0] - fits[1]) ** 2
    return scores


def direct_network_scores(
    correlations: list[np.ndarray], genes: pd.Index, network: pd.DataFrame
) -> dict[str, float]:
    """Return the scores along the network, without self-loops."""
    network = network[network["regulator"] != network["target"]]
    sums = np.zeros((2, 2))
    for regulator, edges in network.groupby("regulator"):
        row, targets = genes.get_loc(regulator), genes.get_indexer(edges["target"])
        upper = np.triu_indices(len(targets), 1)
        x, z = (matrix[row, targets] for matrix in correlations)
        sums[0] += len(targets) * cosine(x, z), len(targets)
        x, z = (matrix[np.ix_(targets, targets)][upper] for matrix in correlations)
        sums[1] += (len(targets) - 1) * cosine(x, z), len(targets) - 1
    return dict(zip(("s_tf_tg", "s_tg_tg"), (sums[:, 0] / sums[:, 1]).tolist(), strict=True))


def cosine(x: np.ndarray, z: np.ndarray) -> float:
    """Return the cosine of two vectors."""
    return float(x @ z / np.linalg.norm(x) / np.linalg.norm(z))


def measure(which: str, n_samples: int, n_genes: int) -> None:
    """Compute the scores once and print them with seconds and peak memory as JSON."""
    tables = simulate(n_samples, n_genes, 1), simulate(n_samples, n_genes, 2)
    network = simulate_network(n_genes)
    function = {"omitrans": generation_report, "direct": direct_report}[which]
    start = time.perf_counter()
    scores = dict(function(*tables, network))
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"scores": scores, "seconds": seconds, "peak": peak}))


def main() -> None:
    """Measure both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--genes", type=int, default=18_000)
    parser.add_argument("--only", choices=("omitrans", "direct"), help="measure in this process")
    options = parser.parse_args()
    if options.only:
        measure(options.only, options.samples, options.genes)
        return
    print(
        f"2 x {options.samples:,} samples x {options.genes:,} genes, float32; numpy "
        f"{np.__version__}, scipy {scipy.__version__}, Python {sys.version.split()[0]}"
    )
    print(f"{'':14s}{'seconds':>10s}{'peak GiB':>10s}")
    results = {}
    sizes = ["--samples", str(options.samples), "--genes", str(options.genes)]
    for which in ("omitrans", "direct"):
        command = [sys.executable, __file__, *sizes, "--only", which]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found = results[which] = json.loads(output)
        print(f"{which:14s}{found['seconds']:10.1f}{found['peak']:10.2f}", flush=True)
    ours, direct = results["omitrans"], results["direct"]
    print(f"{direct['seconds'] / ours['seconds']:.1f} times faster")
    for name, score in ours["scores"].items():
        difference = abs(score - direct["scores"][name])
        print(f"{name}: {score:.6f}, differs by {difference:.1e}")


if __name__ == "__main__":
    main()
