"""How the models do with 50 to 5,000 samples, and when new samples are unlike the training samples.

The test samples are the same for all training sizes. Every model stands behind the same
preprocessing. What the output holds already is not computed again.

    python benchmarks/learning_curves.py --data DIR

``size``
    A simulated pan-cancer cohort (1,000 test samples) and TCGA breast cancers (150 test patients,
    ``DIR/tcga_brca769``): training samples are added, from 50 on.
``cancer left out``
    Trained on eight simulated cancer types, tested on four others.
``batches``
    Test samples come from batches whose probes are shifted as `make_paired_omics` shifts them, with
    effects three times as large as in the training cohort.
``missing probes``
    A random share of the probes is not in the test table.
``unpredictable``
    Only the genes whose expression methylation cannot predict: R² below 0 is what a model invents.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from comparison import write
from sklearn.pipeline import Pipeline
from tqdm import tqdm

from omitrans import OmiTransRegressor
from omitrans.baselines import MultiKernelRidgeRegressor, make_baselines
from omitrans.datasets import make_paired_omics
from omitrans.io.matrix._stream_parse import EXACT_NUMBERS
from omitrans.metrics import reconstruction_report
from omitrans.pipelines import make_translation_pipeline

SIZES = (50, 100, 200, 500, 1_000, 2_000, 5_000)
REAL_SIZES = (50, 100, 200, 400, 600)
N_TEST, N_REAL_TEST = 1_000, 150
N_PROBES, N_GENES, N_TYPES = 1_000, 300, 12
SHARES = (0.9, 0.7, 0.5)
METRICS = ("mean_r2_per_feature", "median_r2_per_feature", "mse", "mean_ae")
KEYS = ["experiment", "setting", "model"]
MODELS = ("mean", "ridge", "kernel-ridge", "multi-kernel-ridge", "network", "omitrans")


class Task(NamedTuple):
    """One training cohort and the samples to test on."""

    experiment: str
    setting: str
    X: pd.DataFrame
    Y: pd.DataFrame
    groups: pd.Index
    X_test: pd.DataFrame
    Y_test: pd.DataFrame
    unit: str | None = "beta"


def simulate(n_samples: int, **options: Any) -> Any:
    """Return one simulated pan-cancer cohort; its biology is the same for all sizes."""
    options = {"n_cancer_types": N_TYPES, "random_state": 0} | options
    return make_paired_omics(n_samples, N_PROBES, N_GENES, **options)


def split(data: Any, n_test: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to train on, in random order, and those to test on, by patient."""
    patients = data.samples["patient"]
    rng = np.random.default_rng(0)
    order = rng.permutation(patients.unique())
    tested = patients.isin(order[:n_test]).to_numpy()
    return rng.permutation(np.flatnonzero(~tested)), np.flatnonzero(tested)


def sizes() -> Iterator[Task]:
    """Yield growing simulated cohorts, with the genes that cannot be predicted apart."""
    data = simulate(max(SIZES) + N_TEST + 200)
    train, test = split(data, N_TEST)
    lost = data.truth.genes["kind"].eq("unpredictable").to_numpy()
    for size in SIZES:
        rows = train[:size]
        X, Y, groups = data.X.iloc[rows], data.Y.iloc[rows], data.samples["patient"].iloc[rows]
        yield Task("size, simulated", str(size), X, Y, groups, data.X.iloc[test], data.Y.iloc[test])
        if size == 500:
            genes = Y.columns[lost]
            new = data.Y.iloc[test]
            yield Task(
                "unpredictable", str(size), X, Y[genes], groups, data.X.iloc[test], new[genes]
            )


def real_sizes(folder: Path) -> Iterator[Task]:
    """Yield growing parts of the breast cancers, with every fourth gene."""
    X = pd.read_parquet(folder / "tcga_brca769" / "methylation.parquet")
    Y = pd.read_parquet(folder / "tcga_brca769" / "expression.parquet").iloc[:, ::4]
    order = np.random.default_rng(0).permutation(len(X))
    test = order[:N_REAL_TEST]
    for size in REAL_SIZES:
        rows = order[N_REAL_TEST : N_REAL_TEST + size]
        parts = (X.iloc[rows], Y.iloc[rows], X.index[rows], X.iloc[test], Y.iloc[test])
        yield Task("size, breast", str(size), *parts, unit=None)


def shifts() -> Iterator[Task]:
    """Yield cohorts whose test samples differ from the training samples."""
    data = simulate(800)
    types = data.samples["cancer_type"]
    known = types.isin(types.unique()[:8]).to_numpy()
    groups = data.samples["patient"]
    yield Task(
        *("cancer left out", f"{known.sum()} to {(~known).sum()}"),
        *(data.X[known], data.Y[known], groups[known], data.X[~known], data.Y[~known]),
    )
    train, test = split(data, 200)
    parts = (data.X.iloc[train], data.Y.iloc[train], groups.iloc[train])
    for effect in (0.15, 0.45):
        other = simulate(800, batch_effect=effect)  # the same samples, other shifts of probes
        yield Task("batches", str(effect), *parts, other.X.iloc[test], other.Y.iloc[test])
    order = np.random.default_rng(0).permutation(N_PROBES)
    for share in SHARES:
        kept = np.sort(order[: round(share * N_PROBES)])
        new = data.X.iloc[test, kept]
        yield Task("missing probes", f"{share:.0%} there", *parts, new, data.Y.iloc[test])


def make_model(name: str, unit: str | None) -> Pipeline:
    """Return a model by name, not fitted."""
    if name == "multi-kernel-ridge":
        regressor: Any = MultiKernelRidgeRegressor()
    elif name == "network":
        regressor = OmiTransRegressor(backbone=None, random_state=0)
    elif name == "omitrans":
        regressor = OmiTransRegressor(random_state=0)
    else:
        regressor = make_baselines([name], random_state=0)[name]
    model = make_translation_pipeline(regressor, min_variance=1e-4, source_unit=unit)
    return model.set_params(harmonizer__min_coverage=0.0, harmonizer__warn_coverage=0.0)


def run(task: Task, name: str) -> pd.DataFrame:
    """Return the metrics of one model on one task."""
    model = make_model(name, task.unit)
    takes_groups = name in ("network", "omitrans")
    model.fit(task.X, task.Y, **({"regressor__groups": task.groups} if takes_groups else {}))
    report = reconstruction_report(task.Y_test, model.predict(task.X_test))
    rows = [(task.experiment, task.setting, name, metric, report[metric]) for metric in METRICS]
    return pd.DataFrame(rows, columns=[*KEYS, "metric", "value"])


def main() -> None:
    """Run what is missing and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="folder of the real cohort")
    add("--output", type=Path, default=Path("benchmarks/results/learning_curves.csv"))
    add("--models", nargs="+", choices=MODELS, default=list(MODELS))
    add("--largest", type=int, default=max(SIZES), help="training samples of the largest cohort")
    options = parser.parse_args()
    done: pd.DataFrame = pd.DataFrame(columns=[*KEYS, "metric", "value"])
    if options.output.exists():
        done = pd.read_csv(options.output, dtype={"setting": str}, **EXACT_NUMBERS)
    known = set(done[KEYS].itertuples(index=False, name=None))
    tasks = [*shifts(), *sizes(), *(real_sizes(options.data) if options.data else ())]
    wanted = [
        (task, name)
        for task in tasks
        for name in options.models
        if (task.experiment, task.setting, name) not in known and len(task.X) <= options.largest
    ]
    for task, name in tqdm(wanted, unit="fit"):
        rows = run(task, name)
        done = pd.concat([done, rows]) if len(done) else rows
        write(done, options.output)
    for metric in METRICS[:3]:
        part = done[done["metric"] == metric]
        table = part.pivot_table("value", KEYS[:2], "model", sort=False)
        print(f"\n{metric}\n{table.to_string(float_format='{:.3f}'.format)}")


if __name__ == "__main__":
    main()
