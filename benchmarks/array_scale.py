"""ArrayHarmonizer and TrustedRegressor on tables of an array's size: seconds and peak memory.

``harmonize`` fits ArrayHarmonizer with every policy on 450K betas (float32, one value in a hundred
missing) and transforms the same columns, and a table of EPICv2 with suffixed names. ``trust`` fits
TrustedRegressor on DualRidge, beside a plain loop that cross-validates and fits it.

Each runs in a process of its own. Seconds are also given as a multiple of the floor, one copy of
the table that is read in the same process; memory is what a step takes at its peak beyond what
stood before, as a multiple of that table.

    python benchmarks/array_scale.py --output benchmarks/results/array_scale.csv
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import KFold

from omitrans.baselines import make_baselines
from omitrans.preprocessing import ArrayHarmonizer
from omitrans.trust import TrustedRegressor

POLICIES = ("mean", "group", "knn", "components", "keep")
LAYOUTS = ("C", "F")
SHARES = (0.9, 0.8, 0.7, 0.5, 0.3)
COLUMNS = ["program", "policy", "layout", "n_samples", "n_columns", "step"]
COLUMNS += ["seconds", "over_floor", "extra_memory"]


def make_values(n_samples, n_columns, layout, missing=0.01):
    """Return float32 betas of low rank with some values missing, made in blocks of rows."""
    rng = np.random.default_rng(0)
    loadings = rng.standard_normal((10, n_columns), dtype=np.float32)
    values = np.empty((n_samples, n_columns), dtype=np.float32, order=layout)
    for start in range(0, n_samples, 20):
        scores = rng.standard_normal((min(20, n_samples - start), 10), dtype=np.float32)
        block = 1 / (1 + np.exp(-scores @ loadings))
        block[rng.random(block.shape, dtype=np.float32) < missing] = np.nan
        values[start : start + len(block)] = block
    return values


def make_names(n_450k, n_epicv2):
    """Return names of 450K, and of EPICv2: suffixes, most of 450K's probes, some replicates."""
    rng = np.random.default_rng(1)
    numbers = rng.choice(30_000_000, n_450k + n_epicv2, replace=False)
    old = np.sort(numbers[:n_450k])
    shared = rng.choice(old, round(0.77 * n_450k), replace=False)
    n_replicates = n_epicv2 // 150
    foreign = numbers[n_450k : n_450k + n_epicv2 - len(shared) - n_replicates]
    distinct = np.sort(np.concatenate([shared, foreign]))
    new = [f"cg{number:08d}_TC21" for number in distinct]
    new += [f"cg{number:08d}_TC22" for number in rng.choice(distinct, n_replicates, replace=False)]
    return [f"cg{number:08d}" for number in old], new


class Meter:
    """Time steps, and read how far the process grew in them."""

    def __init__(self, **facts):
        self.facts, self.rows = facts, []

    def measure(self, step, table, function):
        Path("/proc/self/clear_refs").write_text("5")  # starts the peak anew
        before, start = self._mebibytes("VmRSS"), time.perf_counter()
        result = function()
        seconds = time.perf_counter() - start
        extra = (self._mebibytes("VmHWM") - before) * 2**20 / table.nbytes
        row = {"step": step, "seconds": seconds, "extra_memory": extra}
        row["n_samples"], row["n_columns"] = table.shape
        self.rows.append(self.facts | row)
        return result

    @staticmethod
    def _mebibytes(what):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(what)).split()[1]) / 1024


def harmonize(args):
    """Fit on 450K, transform it, and transform EPICv2."""
    meter = Meter(program="harmonize", policy=args.policy, layout=args.layout)
    old, new = make_names(args.probes, args.epicv2)
    values = make_values(args.samples, args.probes, args.layout)
    X = pd.DataFrame(values, columns=old, copy=False)
    meter.measure("floor", values, values.copy)
    model = ArrayHarmonizer(missing=args.policy, warn_coverage=0.5, random_state=0)
    meter.measure("fit", values, lambda: model.fit(X))
    meter.measure("transform 450K", values, lambda: model.transform(X))
    del X, values
    values = make_values(args.samples, args.epicv2, args.layout)
    X = pd.DataFrame(values, columns=new, copy=False)
    meter.measure("floor EPICv2", values, values.copy)
    meter.measure("transform EPICv2", values, lambda: model.transform(X))
    one = X.iloc[:1].copy()
    meter.measure("transform one", values, lambda: model.transform(one))
    meter.measure("report EPICv2", values, lambda: model.report(X))
    return meter.rows


def trust(args):
    """Fit TrustedRegressor, and do by hand what it must do at least."""
    meter = Meter(program="trust", policy="", layout=args.layout)
    old, _ = make_names(args.features, 0)
    values = make_values(args.samples, args.features, args.layout, missing=0)
    X = pd.DataFrame(values, columns=old, copy=False)
    rng = np.random.default_rng(2)
    Y = values[:, :500] @ rng.standard_normal((500, args.targets), dtype=np.float32) / 10
    Y += rng.standard_normal(Y.shape, dtype=np.float32)
    Y = pd.DataFrame(Y, columns=[f"gene{i}" for i in range(args.targets)], copy=False)
    ridge = make_baselines(["ridge"])["ridge"]
    folds = list(KFold(5, shuffle=True, random_state=0).split(X))

    def by_hand():
        for train, test in folds:
            clone(ridge).fit(X.iloc[train], Y.iloc[train]).predict(X.iloc[test])
        return clone(ridge).fit(X, Y)

    def by_hand_with_shares():
        for train, test in folds:
            model = clone(ridge).fit(X.iloc[train], Y.iloc[train])
            for _ in range(1 + len(SHARES)):
                model.predict(X.iloc[test])
        return clone(ridge).fit(X, Y)

    quiet = {"detect_shift": False, "random_state": 0, "cv": 5, "shares": SHARES}
    meter.measure("floor", values, values.copy)
    meter.measure("by hand", values, by_hand)
    meter.measure("by hand, shares", values, by_hand_with_shares)
    meter.measure("fit", values, lambda: TrustedRegressor(ridge, **quiet).fit(X, Y))
    quiet["detect_shift"] = True
    model = meter.measure("fit, shift", values, lambda: TrustedRegressor(ridge, **quiet).fit(X, Y))
    meter.measure("predict", values, lambda: model.predict(X))
    meter.measure("predict_with_shift", values, lambda: model.predict_with_shift(X))
    return meter.rows


PROGRAMS = {"harmonize": harmonize, "trust": trust}


def run(program, policy, layout, args):
    """Run one program in a process of its own and return its rows."""
    numbers = ("samples", "probes", "epicv2", "features", "targets")
    options = [f"--{name}={getattr(args, name)}" for name in numbers]
    options += [f"--policy={policy}", f"--layout={layout}"]
    done = subprocess.run(
        [sys.executable, __file__, "--child", program, *options],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    rows = pd.DataFrame(json.loads(done.stdout.splitlines()[-1]))
    # a floor stands in front of the steps on its table
    floor = rows["seconds"].where(rows["step"].str.startswith("floor")).ffill()
    return rows.assign(over_floor=rows["seconds"] / floor)[COLUMNS]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--samples", type=int, default=300)
    add("--probes", type=int, default=440_000)
    add("--epicv2", type=int, default=930_000)
    add("--features", type=int, default=100_000)
    add("--targets", type=int, default=5_000)
    add("--policies", nargs="*", choices=POLICIES, default=POLICIES)
    add("--layouts", nargs="+", choices=LAYOUTS, default=LAYOUTS)
    add("--programs", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    add("--output", type=Path)
    add("--child", choices=PROGRAMS, help=argparse.SUPPRESS)
    add("--policy", help=argparse.SUPPRESS)
    add("--layout", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(PROGRAMS[args.child](args)))
        return
    tasks = [("harmonize", policy, layout) for policy in args.policies for layout in args.layouts]
    tasks += [("trust", "", layout) for layout in args.layouts]
    tables = []
    for task in tasks:
        if task[0] not in args.programs:
            continue
        tables.append(run(*task, args))
        print(tables[-1].to_string(index=False, float_format="{:.3g}".format), flush=True)
        if args.output:
            pd.concat(tables).to_csv(args.output, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
