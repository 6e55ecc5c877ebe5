"""Cox models of single genes: prognosis_genes against a loop over lifelines' CoxPHFitter.

lifelines fits the first `--lifelines` genes, whose mean time stands for all; omitrans fits all of
them. lifelines stops early by default; the `tight` difference is that of twenty genes for which it
goes on. Times are in whole days, so that some are tied; both treat ties as Efron did.

    python benchmarks/cox.py --output benchmarks/results/cox.csv
"""

import argparse
import platform
from pathlib import Path
from time import perf_counter

import lifelines
import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from threadpoolctl import threadpool_limits

import omitrans
from omitrans.downstream import prognosis_genes


def simulate(n_samples, n_genes, dtype):
    """Log2 expression of which every hundredth gene shortens or lengthens life."""
    rng = np.random.default_rng(0)
    level = rng.gamma(2.0, 2.0, n_genes)
    expression = level + rng.normal(size=(n_samples, n_genes)) * rng.uniform(0.2, 2.0, n_genes)
    effect = np.zeros(n_genes)
    effect[::100] = rng.normal(0, 0.2, len(effect[::100]))
    risk = (expression - expression.mean(axis=0)) @ effect
    death = rng.exponential(1500 * np.exp(-risk / max(1.0, risk.std())))
    censored = rng.exponential(2000, n_samples)
    names = [f"gene{i}" for i in range(n_genes)]
    table = pd.DataFrame(expression.astype(dtype), columns=names)
    return table, np.ceil(np.minimum(death, censored)), death <= censored


def loop(expression, time, event, **options):
    """Return the coefficient, standard error and p-value of each gene by lifelines."""
    rows = {}
    for gene in expression:
        table = pd.DataFrame({"x": expression[gene].astype(float), "time": time, "event": event})
        fitted = CoxPHFitter().fit(table, "time", "event", **options).summary.loc["x"]
        rows[gene] = fitted[["coef", "se(coef)", "p"]]
    return pd.DataFrame(rows).T


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--samples", type=int, default=500)
    add("--genes", type=int, default=20_000)
    add("--lifelines", type=int, default=200, help="genes that lifelines fits")
    add("--repeats", type=int, default=3)
    add("--dtype", choices=("float32", "float64"), default="float32")
    add("--threads", type=int, default=2)
    add("--output", type=Path)
    options = parser.parse_args()
    data = simulate(options.samples, options.genes, options.dtype)
    with threadpool_limits(options.threads):
        prognosis_genes(data[0].iloc[:, :10], *data[1:])  # first touches
        seconds = []
        for _ in range(options.repeats):
            start = perf_counter()
            ours = prognosis_genes(*data)
            seconds.append(perf_counter() - start)
        start = perf_counter()
        theirs = loop(data[0].iloc[:, : options.lifelines], *data[1:])
        of_lifelines = (perf_counter() - start) * options.genes / len(theirs)
    same = ours.iloc[: len(theirs)]
    few = data[0].iloc[:, : min(20, options.lifelines)]
    tight = loop(few, *data[1:], fit_options={"precision": 1e-12, "r_precision": 1e-16})
    row = {
        "samples": options.samples,
        "genes": options.genes,
        "events": int(data[2].sum()),
        "distinct_times": len(np.unique(data[1])),
        "dtype": options.dtype,
        "seconds": min(seconds),
        "seconds_worst": max(seconds),
        "lifelines_seconds": of_lifelines,
        "lifelines_over_ours": of_lifelines / min(seconds),
        "largest_difference_coef": (same["coef"] - theirs["coef"]).abs().max(),
        "largest_difference_coef_tight": (same["coef"] - tight["coef"]).abs().max(),
        "largest_difference_se": (same["se"] - theirs["se(coef)"]).abs().max(),
        "largest_difference_p": (same["p"] - theirs["p"]).abs().max(),
        "not_ok": int((ours["status"] != "ok").sum()),
    }
    print(
        f"omitrans {omitrans.__version__}, lifelines {lifelines.__version__} (extrapolated from "
        f"{len(theirs)} genes), numpy {np.__version__}, Python {platform.python_version()}"
    )
    table = pd.DataFrame([row])
    print(table.T.to_string(header=False, float_format="{:.4g}".format))
    if options.output:
        table.to_csv(options.output, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
