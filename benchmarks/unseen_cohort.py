"""TDimpute's TARGET protocol: a new cohort, half of it with expression, from another platform.

A model is trained on a source cohort. The new cohort is put on the scale of the source (or not);
half of its samples, drawn at random, tune the model, and it is tested on the rest. Nothing is
learnt or chosen on the tested half.

    python benchmarks/unseen_cohort.py --data DIR

Scales: "none"; "quantile", each sample to the distribution of the source, as published for
methylation and expression; "batch", :class:`BatchAdjuster` adapted to the tuning half; and
"standardised", each column within its cohort, with mean and deviation of the tuning half.

Modes: "zero-shot", the model of the source; "recentred", the same plus the mean of its residuals
in the tuning half; "residual", the same plus a ridge of these residuals; "fine-tuned", networks
that go on with the tuning half; "target only". Cohorts and scales that the output holds are not run
again. Controls: the mean of the tuning half, and of the
source.

``mean_r_per_gene`` compares with expression as it was measured (in the simulated cohorts, as the
source's platform would have measured it); ``rmse`` with expression on the scale, in units of one
deviation of the tuning half for all genes. DIR may hold ``tcga_transfer/brca_to_luad``; the
simulated cohorts need nothing.
"""

import argparse
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.model_selection import KFold
from tqdm import tqdm
from transfer import Scale, brca_to_luad, score

from omitrans import OmiTransRegressor, TDimputeRegressor
from omitrans.baselines import make_baselines
from omitrans.datasets import make_paired_omics, simulate_array_version
from omitrans.exceptions import LowCoverageWarning
from omitrans.preprocessing import (
    ArrayHarmonizer,
    BatchAdjuster,
    ReferenceQuantileNormalizer,
    beta_to_m,
    m_to_beta,
)

SCALES = ["standardised", "none", "quantile", "batch"]
NETWORKS = ["TDimpute", "OmiTrans"]
COLUMNS = ["data", "scale", "model", "mode", "draw", "n_tuning", "n_test", "metric", "value"]
PRETRAIN = {"max_epochs": 300, "batch_size": 128}
SELF = {"max_epochs": 100, "batch_size": 16}

Table = pd.DataFrame
Map = Callable[[Table], Table]


class Task(NamedTuple):
    """A source cohort, a new cohort, and what the source's platform would measure in it."""

    X_source: Table
    Y_source: Table
    X: Table
    Y: Table
    truth: Table


def luad(folder: Path) -> Task:
    """Return breast cancer to learn from, and 30 lung tumours."""
    cohorts = brca_to_luad(folder)
    new = (cohorts.cancers == "LUAD").to_numpy()
    X = cohorts.X.fillna(cohorts.X[~new].mean())
    return Task(X[~new], cohorts.Y[~new], X[new], cohorts.Y[new], cohorts.Y[new])


def simulated(*, shifted: bool) -> Task:
    """Return three simulated cancer types to learn from, and 60 tumours of a fourth."""
    data = make_paired_omics(
        360, 500, 150, missing_rate=0, normal_fraction=0, repeat_fraction=0, random_state=0
    )
    # the third most frequent: types that are more so would leave the source too small
    kind = data.samples["cancer_type"].value_counts().index[2]
    new = (data.samples["cancer_type"] == kind).to_numpy()
    X_source, Y_source = data.X[~new], data.Y[~new]
    X, truth = data.X[new][:60], data.Y[new][:60]
    if not shifted:
        return Task(X_source, Y_source, X, truth, truth)
    X, Y = another_platform(X, truth, np.random.default_rng(0))
    harmonizer = ArrayHarmonizer(missing="components").fit(X_source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LowCoverageWarning)
        X = harmonizer.transform(X)
    return Task(harmonizer.transform(X_source), Y_source, X, Y, truth)


def another_platform(X: Table, Y: Table, rng: np.random.Generator) -> tuple[Table, Table]:
    """Return samples as another array and another sequencing protocol would measure them.

    Methylation is compressed and offset, a little differently in each sample, each probe is shifted
    and the array is EPICv2; expression is scaled and offset likewise, and each gene is shifted.
    """
    M = beta_to_m(X)
    M = M * rng.normal(0.8, 0.05, (len(M), 1)) + rng.normal(0.3, 0.1, (len(M), 1))
    M += rng.normal(0, 0.4, M.shape[1])
    array = simulate_array_version(m_to_beta(M), "EPICv2", random_state=0)
    measured = Y * rng.normal(1.1, 0.05, (len(Y), 1)) + rng.normal(-0.5, 0.2, (len(Y), 1))
    measured += rng.normal(0, 0.6, Y.shape[1])
    return array, measured.clip(lower=0).where(Y > 0, 0.0)


def align(scale: str, source: Table) -> tuple[Table, Callable[[Table], Map]]:
    """Return the source on a scale, and what learns from a tuning half to bring others there."""
    if scale == "quantile":
        normalizer = ReferenceQuantileNormalizer().fit(source)
        return normalizer.transform(source), lambda _: normalizer.transform
    if scale == "batch":
        adjuster = BatchAdjuster().fit(source)
        return source, lambda tuning: adjuster.adapt(tuning).transform
    if scale == "standardised":
        return standardise(source)(source), standardise
    return source, lambda _: lambda table: table


def standardise(training: Table) -> Map:
    """Return what brings tables to the mean and the deviation of training samples."""
    mean, deviation = training.mean(), training.std().replace(0, 1)
    return lambda table: (table - mean) / deviation


def make_models(n_hidden: int) -> dict[str, Any]:
    """Return the models that learn from the source."""
    models = make_baselines(["ridge", "kernel-ridge"])
    models["TDimpute"] = TDimputeRegressor(n_hidden=n_hidden, random_state=0, **PRETRAIN)
    models["OmiTrans"] = OmiTransRegressor(random_state=0)
    return models


def predict_all(
    fitted: dict[str, Any], unfitted: dict[str, Any], half: tuple[Table, Table], X_test: Table
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield model, mode and predictions of the tested half."""
    X, Y = half
    for name, model in fitted.items():
        zero_shot = np.asarray(model.predict(X_test))
        residuals = Y - np.asarray(model.predict(X))
        ridge = make_baselines(["ridge"])["ridge"].fit(X, residuals)
        yield name, "zero-shot", zero_shot
        yield name, "recentred", zero_shot + residuals.mean().to_numpy()
        yield name, "residual", zero_shot + np.asarray(ridge.predict(X_test))
        if name in NETWORKS:
            yield name, "fine-tuned", np.asarray(model.fine_tune(X, Y).predict(X_test))
        if name != "OmiTrans":  # its backbone sees the tuning half alone when it is fine-tuned
            yield name, "target only", np.asarray(unfitted[name].fit(X, Y).predict(X_test))


def run(name: str, task: Task, scale: str, options: argparse.Namespace) -> list[list[Any]]:
    """Return the rows of one task on one scale."""
    rows = []
    X_source, map_X = align(scale, task.X_source)
    Y_source, map_Y = align(scale, task.Y_source)
    fitted = make_models(options.n_hidden)
    for model in fitted.values():
        model.fit(X_source, Y_source)
    for draw in range(options.ridge_draws):
        order = np.random.default_rng(draw).permutation(len(task.X))
        tuning, test = order[: len(order) // 2], order[len(order) // 2 :]
        to_X, to_Y = map_X(task.X.iloc[tuning]), map_Y(task.Y.iloc[tuning])
        X, Y = to_X(task.X.iloc[tuning]), to_Y(task.Y.iloc[tuning])
        X_test, Y_test = to_X(task.X.iloc[test]), to_Y(task.Y.iloc[test])
        if draw == options.draws:  # those after it are for models that cost nothing
            fitted = {key: fitted[key] for key in fitted if key not in NETWORKS}
        unfitted = make_models(options.n_hidden)
        unfitted["TDimpute"].set_params(**SELF)
        outcomes = list(predict_all(fitted, unfitted, (X, Y), X_test))
        for control, table in {"tuning": Y, "source": Y_source}.items():
            mean = np.broadcast_to(table.mean().to_numpy(), Y_test.shape)
            outcomes.append((f"mean of the {control}", "control", mean))
        truth, deviation = task.truth.iloc[test].to_numpy(), Scale.of(Y).deviation
        for model, mode, predicted in outcomes:
            r = dict(score(truth, predicted))["mean_r_per_feature"]
            rmse = float(np.sqrt(np.mean((Y_test.to_numpy() - predicted) ** 2))) / deviation
            for metric, value in (("mean_r_per_gene", r), ("rmse", rmse)):
                row = [name, scale, model, mode, draw, len(tuning), len(test), metric, value]
                rows.append(row)
    return rows


def print_folds(task: Task, seed: int = 0) -> None:
    """Print what ridge scores in five folds of the new cohort, pooled and by fold.

    Each gene is standardised in all samples of its cohort. The mean that a fold's training samples
    leave in its predictions is low where the tested values are high, so that pooled predictions of
    models that learn from this cohort correlate less than those of any one fold.
    """
    X_source, Y_source, X, Y = (standardise(table)(table) for table in task[:4])
    source = make_baselines(["ridge"])["ridge"].fit(X_source, Y_source)
    zero_shot = np.asarray(source.predict(X))
    alone, residual = np.zeros((2, *Y.shape))
    folds = list(KFold(5, shuffle=True, random_state=seed).split(X))
    for train, test in folds:
        ridge = make_baselines(["ridge"])["ridge"].fit(X.iloc[train], Y.iloc[train])
        alone[test] = ridge.predict(X.iloc[test])
        ridge.fit(X.iloc[train], Y.iloc[train] - zero_shot[train])
        residual[test] = zero_shot[test] + ridge.predict(X.iloc[test])
    print(f"BRCA to LUAD, ridge, all {len(X)} samples, mean r: pooled, mean of folds")
    for name, predicted in {"zero-shot": zero_shot, "only": alone, "residual": residual}.items():
        parts = [slice(None), *(test for _, test in folds)]
        pooled, *by_fold = (
            dict(score(Y.to_numpy()[part], predicted[part]))["mean_r_per_feature"] for part in parts
        )
        print(f"{name:10} {pooled:.3f} {np.mean(by_fold):.3f}")


def print_tables(results: Table, draws: int) -> None:
    """Print mean and deviation over the halves that all models saw, and r of ridge over all."""
    common = results[results["draw"] < draws]
    index = ["data", "model", "mode"]
    for rows, title in ((common, f"{draws} halves"), (results, "all halves")):
        if title == "all halves":
            rows = rows[~rows["model"].isin(NETWORKS) & (rows["mode"] != "control")]
        for metric, values in rows.groupby("metric", sort=False):
            print(f"\n{metric}, mean ± deviation over {title}")
            print(pd.pivot_table(values, "value", index, "scale", summary, sort=False).to_string())


def summary(values: pd.Series) -> str:
    """Return mean and standard deviation as text."""
    return f"{values.mean():.3f} ± {values.std():.3f}"


def main() -> None:
    """Run all cohorts and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="folder of the real cohorts")
    add("--output", type=Path, default=Path("benchmarks/results/unseen_cohort.csv"))
    add("--draws", type=int, default=5, help="random halves for the networks")
    add("--ridge-draws", type=int, default=20, help="random halves for the others")
    add("--n-jobs", type=int, default=1, help="cohorts and scales at the same time")
    add("--n-hidden", type=int, default=500, help="hidden units of TDimpute; 4,000 in the paper")
    options = parser.parse_args()
    tasks = {"BRCA to LUAD": luad(options.data)} if options.data else {}
    tasks["simulated, another platform"] = simulated(shifted=True)
    tasks["simulated, same platform"] = simulated(shifted=False)
    results = pd.DataFrame(columns=COLUMNS)
    if options.output.exists():
        results = pd.read_csv(options.output)
    finished = set(zip(results["data"], results["scale"], strict=True))
    cases = [(name, scale) for name in tasks for scale in SCALES if (name, scale) not in finished]
    outcomes = Parallel(n_jobs=options.n_jobs, return_as="generator")(
        delayed(run)(name, tasks[name], scale, options) for name, scale in cases
    )
    options.output.parent.mkdir(parents=True, exist_ok=True)
    for rows in tqdm(outcomes, total=len(cases)):
        more = pd.DataFrame(rows, columns=COLUMNS)
        results = pd.concat([results, more]) if len(results) else more
        results.to_csv(options.output, index=False, float_format="%.5g")
    if options.data:
        print_folds(tasks["BRCA to LUAD"])
    print_tables(results, options.draws)


if __name__ == "__main__":
    main()
