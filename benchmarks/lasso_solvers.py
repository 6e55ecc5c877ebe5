"""LASSO of many targets: the torch solver against a loop of celer fits at the same gap.

Both get the same standardised features and penalties, a fraction of each target's own largest
one, and stop each target at the same relative duality gap. celer solves the first `--celer`
targets, whose mean time stands for all; torch solves all of them. Objectives are compared too.

    python benchmarks/lasso_solvers.py --output benchmarks/results/lasso_solvers.csv
    python benchmarks/lasso_solvers.py --methylation FILE.parquet --expression FILE.parquet
"""

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import torch
from celer import celer_path

from omitrans.solvers import lasso_paths_of_arrays


def simulate(n_samples, n_features, n_targets):
    """Correlated features, twenty of which drive each target; half of its variance is noise."""
    rng = np.random.default_rng(0)
    programmes = rng.normal(size=(n_samples, 30)) @ rng.normal(size=(30, n_features))
    X = 0.3 * programmes + rng.normal(size=(n_samples, n_features))
    weights = np.zeros((n_features, n_targets))
    for column in weights.T:
        column[rng.choice(n_features, 20, replace=False)] = rng.normal(size=20)
    Y = X @ weights
    return X, Y + Y.std(axis=0) * rng.normal(size=Y.shape)


def standardise(X, Y):
    X = X[:, X.std(axis=0) > 0]
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    return np.asfortranarray(X), np.asfortranarray(Y - Y.mean(axis=0))


def objective(X, y, w, alpha):
    return np.sum((y - X @ w) ** 2) / (2 * len(y)) + alpha * np.abs(w).sum()


def compare(X, Y, fraction, tol, n_celer):
    """Return one row of the table."""
    alphas = fraction * np.abs(X.T @ Y).max(axis=0) / len(X)
    start = perf_counter()
    coef, gap, _ = lasso_paths_of_arrays(X, Y, alphas[:, None], tol=tol, max_iter=100)
    torch_seconds = perf_counter() - start
    worst, start, in_checks = 0.0, perf_counter(), 0.0
    for t in range(n_celer):
        _, solution, _ = celer_path(X, Y[:, t], "lasso", alphas=alphas[[t]], tol=tol, prune=True)
        begin = perf_counter()
        ours = objective(X, Y[:, t], coef[[t]].toarray()[0], alphas[t])
        theirs = objective(X, Y[:, t], solution[:, 0], alphas[t])
        worst = max(worst, (ours - theirs) / theirs)
        in_checks += perf_counter() - begin
    celer_seconds = (perf_counter() - start - in_checks) * Y.shape[1] / n_celer
    return {
        "fraction": fraction,
        "features_a_target": coef.nnz / Y.shape[1],
        "torch_seconds": torch_seconds,
        "celer_seconds": celer_seconds,
        "celer_over_torch": celer_seconds / torch_seconds,
        "largest_gap": gap.max(),
        "objective_above_celer": worst,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--shape", type=int, nargs=3, default=(500, 5_000, 500), metavar="N")
    add("--methylation", type=Path, help="parquet table to use instead of simulated values")
    add("--expression", type=Path)
    add("--fractions", type=float, nargs="+", default=[0.5, 0.3, 0.2, 0.1])
    add("--tol", type=float, default=1e-4)
    add("--celer", type=int, default=50, help="targets that celer solves")
    add("--threads", type=int, default=2)
    add("--output", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.methylation:
        X, Y = (pd.read_parquet(p) for p in (options.methylation, options.expression))
        X, Y = X.fillna(X.mean()).to_numpy(float), Y.loc[X.index].to_numpy(float)
    else:
        X, Y = simulate(*options.shape)
    X, Y = standardise(X, Y)
    print(f"{X.shape[0]} samples, {X.shape[1]} features, {Y.shape[1]} targets, tol {options.tol}")
    compare(X, Y[:, :2], 0.5, options.tol, 2)  # imports and first touches
    n_celer = min(options.celer, Y.shape[1])
    rows = [compare(X, Y, fraction, options.tol, n_celer) for fraction in options.fractions]
    table = pd.DataFrame(rows)
    print(table.to_string(index=False, float_format="{:.4g}".format))
    if options.output:
        table.to_csv(options.output, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
