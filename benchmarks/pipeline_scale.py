"""The pipeline of the paper on tables of an array's size, beside another build of the package.

``fit`` is that of the steps in front of the regressor, which does nothing; ``predict`` goes through
the fitted pipeline, with all samples and with the first alone. ``ridge`` is the same with Ridge on
the few probes that vary most. Training betas are float32, one value in a hundred missing.

Each build and layout runs in a process of its own, the builds in turn; ratios are medians over the
turns. Memory is what a step takes at its peak beyond what stood before, as a multiple of the table.

    python benchmarks/pipeline_scale.py --against 902a287 \\
        --output benchmarks/results/pipeline_scale.csv
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from builds import HERE, checkout
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge

from omitrans.pipelines import make_translation_pipeline

LAYOUTS = ("C", "F")
STEPS = ("fit", "predict", "predict one", "ridge: predict", "ridge: predict one")


class First(RegressorMixin, BaseEstimator):
    """Predict the first column, so that nothing is measured but what comes before."""

    def fit(self, X, y):
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X):
        return X.iloc[:, 0].to_numpy()


def make_tables(n_samples, n_probes, layout):
    """Return betas of low rank, and an annotation in another order."""
    rng = np.random.default_rng(0)
    loadings = rng.standard_normal((10, n_probes), dtype=np.float32)
    values = np.empty((n_samples, n_probes), dtype=np.float32, order=layout)
    for start in range(0, n_samples, 20):
        scores = rng.standard_normal((min(20, n_samples - start), 10), dtype=np.float32)
        block = 1 / (1 + np.exp(-scores @ loadings))
        block[rng.random(block.shape, dtype=np.float32) < 0.01] = np.nan
        values[start : start + len(block)] = block
    names = [f"cg{i:08d}" for i in np.sort(rng.choice(30_000_000, n_probes, replace=False))]
    annotation = pd.DataFrame(
        {
            "probe_id": names,
            "chromosome": rng.integers(1, 23, n_probes).astype(str),
            "position": rng.integers(1, 10**8, n_probes),
            "on_epic": rng.random(n_probes) > 0.07,
            "snp_within_5bp": rng.random(n_probes) < 0.02,
            "multi_mapped": rng.random(n_probes) < 0.01,
        }
    )
    samples = [f"sample{i}" for i in range(n_samples)]
    X = pd.DataFrame(values, samples, names, copy=False)
    return X, annotation.sample(frac=1, random_state=0)


class Meter:
    """Time steps, and read how far the process grew in them."""

    def __init__(self, table):
        self.n_bytes, self.rows = table.to_numpy().nbytes, []

    def measure(self, step, function):
        Path("/proc/self/clear_refs").write_text("5")  # starts the peak anew
        before, start = self._bytes("VmRSS"), time.perf_counter()
        result = function()
        seconds = time.perf_counter() - start
        tables = (self._bytes("VmHWM") - before) / self.n_bytes
        self.rows.append({"step": step, "seconds": seconds, "tables": tables})
        return result

    @staticmethod
    def _bytes(what):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(what)).split()[1]) * 1024


def child(args):
    """Measure the build that is imported; print what was found as JSON."""
    X, annotation = make_tables(args.samples, args.probes, args.layout)
    y = np.arange(args.samples, dtype=np.float64)
    one = X.iloc[:1].copy()
    meter = Meter(X)
    recipe = {"probe_annotation": annotation, "source_unit": "beta"}
    model = make_translation_pipeline(First(), **recipe)
    meter.measure("fit", lambda: model.fit(X, y))
    model.predict(one)  # what is made once: imports, hash tables of names
    predicted = meter.measure("predict", lambda: model.predict(X))
    alone = meter.measure("predict one", lambda: model.predict(one))
    assert alone[0] == predicted[0]
    least = float(np.sort(model["variance_filter"].variances_)[-args.kept])
    model = make_translation_pipeline(Ridge(), min_variance=least, **recipe).fit(X, y)
    predicted = meter.measure("ridge: predict", lambda: model.predict(X))
    meter.measure("ridge: predict one", lambda: model.predict(one))
    print(json.dumps({"rows": meter.rows, "predicted": predicted.tolist()}))


def run(folder, layout, args):
    """Measure the build in a folder in a process of its own."""
    options = [f"--{name}={getattr(args, name)}" for name in ("samples", "probes", "kept")]
    done = subprocess.run(
        [sys.executable, __file__, "--child", f"--layout={layout}", *options],
        env=os.environ | {"PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return pd.DataFrame(found["rows"]), np.array(found["predicted"])


def compare(other, layout, args):
    """Measure both builds in turn, and return one row per step."""
    turns, predicted = [], {}
    for turn in range(args.repeats):
        builds = [("new", HERE), ("old", other)]
        for build, folder in builds[:: 1 if turn % 2 else -1]:
            rows, predicted[build] = run(folder, layout, args)
            turns.append(rows.assign(build=build, turn=turn))
    found = pd.concat(turns).pivot_table(index=["step", "turn"], columns="build")
    ratio = found["seconds", "old"] / found["seconds", "new"]
    middle = found.groupby("step").median()
    difference = np.abs(predicted["new"] - predicted["old"]).max()
    table = pd.DataFrame(
        {
            "layout": layout,
            "n_samples": args.samples,
            "n_probes": args.probes,
            "old_seconds": middle["seconds", "old"],
            "new_seconds": middle["seconds", "new"],
            "times_faster": ratio.groupby("step").median(),
            "old_tables": middle["tables", "old"],
            "new_tables": middle["tables", "new"],
            "largest_difference": difference,
        }
    )
    return table.loc[list(STEPS)].reset_index()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--against", help="another checkout of the package, or a revision of git")
    add("--samples", type=int, default=40)
    add("--probes", type=int, default=400_000)
    add("--kept", type=int, default=2_000, help="how many probes Ridge sees")
    add("--repeats", type=int, default=3)
    add("--layouts", nargs="+", choices=LAYOUTS, default=LAYOUTS)
    add("--output", type=Path)
    add("--child", action="store_true", help=argparse.SUPPRESS)
    add("--layout", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args)
        return
    if args.against is None:
        parser.error("--against is needed: a folder or a revision of git to compare with")
    tables = []
    with checkout(args.against) as other:
        for layout in args.layouts:
            tables.append(compare(other, layout, args))
            print(tables[-1].to_string(index=False, float_format="{:.3g}".format), flush=True)
            if args.output:
                pd.concat(tables).to_csv(args.output, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
