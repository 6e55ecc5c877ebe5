"""Time of the steady states of a gene network against scipy's integrator, sample by sample.

The integrator is timed on a few samples, and its time for all samples is extrapolated from them.

Run: python benchmarks/gene_network.py --genes 1000 --samples 1000 --timed 10
"""

import argparse
import sys
import time

import numpy as np
import scipy
from scipy.integrate import solve_ivp

from omitrans.solvers._gene_kinetics import rates, stages_of, steady_states, whole_stage
from omitrans.solvers._gene_network import KineticNetwork, draw_kinetics
from omitrans.solvers._gene_noise import langevin_states


def scale_free_network(
    n_genes: int, n_cycles: int, seed: int, flavour: str, *, keep_cycles: bool
) -> KineticNetwork:
    """Return a network in which genes prefer regulators that have many targets already."""
    rng = np.random.default_rng(seed)
    n_inputs = n_genes // 20
    weight = np.ones(n_genes)
    edges = set()
    for target in range(n_inputs, n_genes):
        n_regulators = min(1 + rng.poisson(1.5), target)
        chance = weight[:target] / weight[:target].sum()
        for regulator in rng.choice(target, n_regulators, replace=False, p=chance).tolist():
            edges.add((regulator, target))
            weight[regulator] += 1
    between = sorted(edge for edge in edges if edge[0] >= n_inputs)
    for place in rng.choice(len(between), n_cycles, replace=False).tolist():
        edges.add(between[place][::-1])  # the target regulates its regulator
    regulators, targets = np.array(sorted(edges)).T
    return draw_kinetics(
        regulators, targets, n_genes=n_genes, flavour=flavour, seed=seed, keep_cycles=keep_cycles
    )


def integrate(network: KineticNetwork, inputs: np.ndarray, method: str) -> np.ndarray:
    """Return the state of one sample after 25 of the longest life times, from 0."""
    stage = whole_stage(network)
    rate = np.empty(network.n_genes)
    rate[network.inputs] = inputs

    def change(_: float, levels: np.ndarray) -> np.ndarray:
        # the solver's trial steps may be slightly below 0, where no rate is defined
        rate[stage.genes] = rates(network, stage, np.maximum(levels, 0)[:, None])[:, 0]
        return network.production * rate - network.decay * levels

    end = 25 / network.decay.min()
    begin = np.zeros(network.n_genes)
    return solve_ivp(change, (0, end), begin, method, rtol=1e-6, atol=1e-8).y[:, -1]


def compare(network: KineticNetwork, label: str, n_samples: int, n_timed: int, method: str) -> None:
    """Print the times of both ways and their largest difference."""
    inputs = np.random.default_rng(9).random((n_samples, len(network.inputs)))
    start = time.perf_counter()
    ours = steady_states(network, inputs)
    seconds = time.perf_counter() - start
    chosen = np.linspace(0, n_samples - 1, n_timed).astype(int)
    start = time.perf_counter()
    theirs = np.array([integrate(network, inputs[row], method) for row in chosen])
    each = (time.perf_counter() - start) / n_timed
    differs = np.abs(ours[chosen] - theirs)
    on_cycles = sum(len(stage.genes) for stage in stages_of(network) if stage.cyclic)
    print(
        f"{label:16s}{len(network.targets):7d}{on_cycles:10d}{seconds:10.2f}{each:14.3f}"
        f"{each * n_samples:16.1f}{each * n_samples / seconds:8.0f}{differs.max():12.1e}"
        f"{(differs > 1e-4).any(axis=1).sum():9d}",
        flush=True,
    )


def main() -> None:
    """Measure both flavours, with and without cycles, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--genes", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--timed", type=int, default=10, help="samples of solve_ivp")
    parser.add_argument("--method", default="RK45", help="method of solve_ivp")
    options = parser.parse_args()
    print(
        f"{options.samples:,} samples x {options.genes:,} genes; solve_ivp timed on "
        f"{options.timed} ({options.method}); numpy {np.__version__}, scipy {scipy.__version__}, "
        f"Python {sys.version.split()[0]}"
    )
    print(
        f"{'network':16s}{'edges':>7s}{'on cycles':>10s}{'ours, s':>10s}{'scipy, each':>14s}"
        f"{'scipy, for all':>16s}{'ratio':>8s}{'difference':>12s}{'> 1e-4':>9s}"
    )
    for flavour, n_cycles in (("syntren", 0), ("gnw", 0), ("gnw", 20)):
        network = scale_free_network(options.genes, n_cycles, 0, flavour, keep_cycles=True)
        compare(network, f"{flavour}, {n_cycles}", options.samples, options.timed, options.method)
    inputs = np.random.default_rng(9).random((options.samples, len(network.inputs)))
    start = time.perf_counter()
    langevin_states(network, inputs, seed=0)
    print(f"Langevin noise of the last network: {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
