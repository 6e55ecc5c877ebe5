"""MultiKernelRidgeRegressor beside a grid search and himalaya: seconds, and peak memory of a fit.

All get the same simulated float32 tables, the same six kernels and the same 21 penalties:

- ``omitrans``: fit, fit_cross_predict with five folds, and predictions of all samples and of one.
- ``grid search``: ``GridSearchCV(KernelRidge(kernel="precomputed"), cv=5)`` over the penalties, for
  each kernel. Only some penalties of one kernel are run unless ``--whole`` is given; each fit takes
  the same time, so that the column ``seconds`` is the time of what was run times what was left out
  (``share_run``).
- ``himalaya``: ``MultipleKernelRidgeCV(kernels="precomputed", cv=5)``, which draws mixtures of the
  kernels at random, 100 by default. Some mixtures are run unless ``--whole`` is given; the seconds
  per mixture are those between a run with more and one with fewer. It is left out where himalaya
  is not installed (``pip install himalaya``).

The kernels that the last two need are computed by scikit-learn once, in a row of their own.
``peak`` is what the fit takes at most beyond its two tables by tracemalloc, as a multiple of
``dual_coef_``; it comes from a second fit, because tracemalloc takes time.

    python benchmarks/backbone_speed.py --output benchmarks/results/backbone_speed.csv

With ``--trust``, a TrustedRegressor around our model is timed instead, and its rows are added to
the output: ``one kernel`` is the way of ``fit_cross_evaluate``, and ``clones`` fits a clone on each
fold, as for any other regressor (the model stands in a Pipeline of one step). Both are fitted in
one run on the same tables, and choose weights, penalties and direct features in each fold. Their
ratio is that of the seconds of all cores, which a busy machine changes less.

    python benchmarks/backbone_speed.py --trust --output benchmarks/results/backbone_speed.csv
"""

import argparse
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import euclidean_distances, linear_kernel, manhattan_distances
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from omitrans.baselines import MultiKernelRidgeRegressor
from omitrans.trust import TrustedRegressor

PENALTIES = np.logspace(-3, 2, 21)
N_KERNELS, N_FOLDS, N_MIXTURES = 6, 5, 100
FACTORS = 20
COLUMNS = ["program", "step", "n_samples", "n_features", "n_targets"]
COLUMNS += ["seconds", "cpu_seconds", "peak", "share_run", "times_ours"]


def make_tables(n_samples, n_features, n_targets):
    """Return a source and a target table in float32 that share some factors."""
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((n_samples, FACTORS), dtype=np.float32)
    tables = []
    for n_columns, noise in ((n_features, 2), (n_targets, 4)):
        table = factors @ rng.standard_normal((FACTORS, n_columns), dtype=np.float32)
        table += noise * rng.standard_normal(table.shape, dtype=np.float32)
        tables.append(table)
    return tables


def seconds_of(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def omitrans(X, Y):
    """Yield the rows of our model."""
    seconds, model = seconds_of(lambda: MultiKernelRidgeRegressor().fit(X, Y))
    fit = {"program": "omitrans", "step": "fit", "seconds": seconds}
    for step, rows in (("predict all", X), ("predict one", X[:1])):
        seconds, _ = seconds_of(lambda rows=rows: model.predict(rows))
        yield {"program": "omitrans", "step": step, "seconds": seconds}
    del model
    folds = list(KFold(N_FOLDS).split(X))
    seconds, _ = seconds_of(lambda: MultiKernelRidgeRegressor().fit_cross_predict(X, Y, folds))
    yield {"program": "omitrans", "step": "fit_cross_predict", "seconds": seconds}
    tracemalloc.start()
    model = MultiKernelRidgeRegressor().fit(X, Y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    yield fit | {"peak": peak / model.dual_coef_.nbytes}


def trusted(X, Y):
    """Yield the rows of a TrustedRegressor around our model."""
    ways = {"one kernel": MultiKernelRidgeRegressor()}
    ways["clones"] = make_pipeline(MultiKernelRidgeRegressor())
    for way, model in ways.items():
        model = TrustedRegressor(model, cv=N_FOLDS, detect_shift=False, random_state=0)
        start = time.process_time()
        seconds, _ = seconds_of(lambda model=model: model.fit(X, Y))
        row = {"program": "TrustedRegressor", "step": way, "seconds": seconds}
        yield row | {"cpu_seconds": time.process_time() - start}


def make_kernels(X):
    """Return the six kernels, computed by scikit-learn, centred and of mean eigenvalue 1."""
    kernels = []
    for table in (np.clip(StandardScaler().fit_transform(X), -5, 5), X - X.mean(axis=0)):
        pairs = np.triu_indices(len(X), 1)
        kernels.append(linear_kernel(table))
        both = euclidean_distances(table, squared=True), manhattan_distances(table)
        kernels += [np.exp(-distances / np.median(distances[pairs])) for distances in both]
    for kernel in kernels:
        kernel -= kernel.mean(axis=0)
        kernel -= kernel.mean(axis=1, keepdims=True)
        kernel /= np.trace(kernel) / len(kernel)
    return np.stack(kernels)


def grid_search(kernels, Y, args):
    """Yield the row of the grid search."""
    alphas = PENALTIES if args.whole else PENALTIES[:: len(PENALTIES) // 2]
    chosen = kernels if args.whole else kernels[:1]

    def run():
        for kernel in chosen:
            search = GridSearchCV(
                KernelRidge(kernel="precomputed"), {"alpha": alphas}, cv=N_FOLDS, refit=False
            )
            search.fit(kernel, Y)

    seconds, _ = seconds_of(run)
    share = len(chosen) * len(alphas) / (N_KERNELS * len(PENALTIES))
    seconds /= share
    yield {"program": "grid search", "step": "fit", "seconds": seconds, "share_run": share}


def himalaya(kernels, Y, args):
    """Yield the row of himalaya, if it is installed."""
    try:
        from himalaya.kernel_ridge import MultipleKernelRidgeCV
    except ImportError:
        print("himalaya is not installed, and is left out.")
        return

    def run(n_iter):
        options = {"n_iter": n_iter, "alphas": PENALTIES, "progress_bar": False}
        model = MultipleKernelRidgeCV(
            "precomputed", solver_params=options, cv=N_FOLDS, random_state=0
        )
        return seconds_of(lambda: model.fit(kernels.astype(np.float32), Y))[0]

    if args.whole:
        seconds, share = run(N_MIXTURES), 1.0
    else:
        few, more = args.mixtures
        first, second = run(few), run(more)
        seconds = second + (second - first) / (more - few) * (N_MIXTURES - more)
        share = more / N_MIXTURES
    yield {"program": "himalaya", "step": "fit", "seconds": seconds, "share_run": share}


def compared(X, Y, args):
    """Return the rows of our model and of the others."""
    rows = list(omitrans(X, Y))
    seconds, kernels = seconds_of(lambda: make_kernels(X))
    rows.append({"program": "scikit-learn", "step": "kernels", "seconds": seconds})
    centred = Y - Y.mean(axis=0)
    for program in (grid_search, himalaya):
        rows += program(kernels, centred, args)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=350)
    parser.add_argument("--features", type=int, default=20_000)
    parser.add_argument("--targets", type=int, default=15_000)
    parser.add_argument("--mixtures", type=int, nargs=2, default=(2, 6))
    parser.add_argument("--whole", action="store_true", help="run every fit of the competitors")
    parser.add_argument("--trust", action="store_true", help="time TrustedRegressor instead")
    parser.add_argument("--output", required=True)
    args = parser.parse_args()
    X, Y = make_tables(args.samples, args.features, args.targets)
    rows = list(trusted(X, Y)) if args.trust else compared(X, Y, args)
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    table["n_samples"], table["n_features"] = args.samples, args.features
    table["n_targets"] = args.targets
    if args.trust:
        table["times_ours"] = table["cpu_seconds"] / table["cpu_seconds"].iloc[0]
    else:
        fits = table["step"] == "fit"
        ours = table["seconds"][fits & (table["program"] == "omitrans")].item()
        table["times_ours"] = (table["seconds"] / ours).where(fits)
    table["share_run"] = table["share_run"].fillna(1.0)
    if args.trust and Path(args.output).exists():
        table = pd.concat([pd.read_csv(args.output), table])[COLUMNS]
    table.to_csv(args.output, index=False, float_format="%.4g")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
