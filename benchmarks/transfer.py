"""TDimpute's three modes on one cancer after the other: self, noTF and transfer.

For every cancer type, a model is trained on all others once. Then, for each missing rate and
draw, the share of its samples with expression trains "self" (a model of these samples alone) and
"transfer" (the model of the others, fine-tuned with them); "noTF" is that model as it is. All
three predict the same other samples. Baseline "mean": the mean of the training samples.

    python benchmarks/transfer.py --data DIR

DIR may hold ``tcga_transfer/brca_to_luad`` (methylation to expression) and ``tcga_pan_rppa``
(methylation to protein, four cancers); the simulated cohort of six cancers needs nothing. The
simulated and the protein models have 500 hidden units, that of BRCA 4,000 as published.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from tqdm import tqdm

from omitrans import TDimputeRegressor
from omitrans.datasets import make_paired_omics
from omitrans.metrics import r2_per_feature
from omitrans.model_selection import MissingRateSplit

PRETRAIN = {"max_epochs": 300, "batch_size": 128}
SELF = {"max_epochs": 100, "batch_size": 16}
COLUMNS = ["data", "target", "mode", "missing_rate", "draw", "n_train", "metric", "value"]


class Cohorts(NamedTuple):
    """Samples of several cancer types, and which of them a model may be tested on."""

    name: str
    X: pd.DataFrame
    Y: pd.DataFrame
    cancers: pd.Series
    targets: list[str]
    n_hidden: int


def simulated() -> Cohorts:
    """Return tumours of six simulated cancer types, without gaps."""
    data = make_paired_omics(900, 1_000, 300, n_cancer_types=6, missing_rate=0, random_state=0)
    keep = data.samples["sample_type"].eq("tumour")
    cancers = data.samples.loc[keep, "cancer_type"]
    targets = sorted(cancers.unique())
    return Cohorts("simulated", data.X.loc[keep], data.Y.loc[keep], cancers, targets, 500)


def brca_to_luad(folder: Path) -> Cohorts:
    """Return BRCA to learn from and LUAD to test on; expression on one scale a cohort."""
    tables = {
        (side, kind): pd.read_parquet(
            folder / "tcga_transfer" / "brca_to_luad" / f"{side}_{kind}.parquet"
        )
        for side in ("source", "target")
        for kind in ("methylation", "expression")
    }
    X = pd.concat([tables["source", "methylation"], tables["target", "methylation"]])
    Y = pd.concat([tables["source", "expression"], tables["target", "expression"]])
    Y = Y.dropna(axis=1)  # LUAD was measured with gaps
    cancers = pd.Series("LUAD", index=X.index)
    cancers.loc[tables["source", "methylation"].index] = "BRCA"
    return Cohorts("brca_to_luad", X, Y, cancers, ["LUAD"], 4_000)


def proteins(folder: Path) -> Cohorts:
    """Return four cancers with methylation of the genes that all of them have, and proteins."""
    folder = folder / "tcga_pan_rppa"
    X = pd.read_parquet(folder / "methylation_hm27_gene.parquet")
    X = X.dropna(axis=1)
    Y = pd.read_parquet(folder / "protein.parquet")
    samples = X.index.intersection(Y.index)
    cancers = pd.read_parquet(folder / "labels.parquet").loc[samples, "cancer"]
    return Cohorts(
        "proteins", X.loc[samples], Y.loc[samples], cancers, sorted(cancers.unique()), 500
    )


def read(name: str, folder: Path | None) -> Cohorts:
    """Return cohorts by name."""
    if name == "simulated":
        return simulated()
    assert folder is not None
    return {"brca_to_luad": brca_to_luad, "proteins": proteins}[name](folder)


class Scale(NamedTuple):
    """Expression as difference from a gene's mean, in units of one deviation for all genes."""

    mean: pd.Series
    deviation: float

    @classmethod
    def of(cls, Y: pd.DataFrame) -> "Scale":
        """Learn from training samples."""
        centred = Y - Y.mean()
        n = len(Y)
        return cls(Y.mean(), float(np.sqrt((centred**2).to_numpy().mean() * n / (n - 1))))

    def apply(self, Y: pd.DataFrame) -> pd.DataFrame:
        """Return scaled expression."""
        return (Y - self.mean) / self.deviation


def run_target(name: str, folder: Path | None, target: str, rates: list[float], draws: int) -> Any:
    """Return the metrics of all modes on one cancer type."""
    cohorts = read(name, folder)
    mine = (cohorts.cancers == target).to_numpy()
    gaps = cohorts.X[~mine].mean()  # fill gaps with what is known before the cohort is seen
    X, Y = cohorts.X[mine].fillna(gaps), cohorts.Y[mine]
    others = Scale.of(cohorts.Y[~mine])
    settings: dict[str, Any] = {"n_hidden": cohorts.n_hidden, "random_state": 0}
    pretrained = TDimputeRegressor(**settings, **PRETRAIN, keep_optimizer=True)
    pretrained.fit(cohorts.X[~mine].fillna(gaps), others.apply(cohorts.Y[~mine]))
    split = MissingRateSplit(rates, n_draws=draws, random_state=0)
    rows = []
    for (rate, draw), (train, test) in zip(
        split.labels.itertuples(index=False, name=None), split.split(X), strict=True
    ):
        scale = Scale.of(Y.iloc[train])
        X_train, Y_train = X.iloc[train], scale.apply(Y.iloc[train])
        X_test, Y_test = X.iloc[test], scale.apply(Y.iloc[test])
        models = {
            "self": TDimputeRegressor(**settings, **SELF).fit(X_train, Y_train),
            "noTF": pretrained,
            "transfer": pretrained.fine_tune(X_train, Y_train),
            "transfer, Adam carried on": pretrained.fine_tune(
                X_train, Y_train, carry_optimizer=True
            ),
        }
        predictions = {mode: model.predict(X_test) for mode, model in models.items()}
        predictions["mean"] = np.zeros(Y_test.shape)  # of the training samples, by the scale
        for mode, predicted in predictions.items():
            for metric, value in score(Y_test.to_numpy(), predicted):
                rows.append([name, target, mode, rate, draw, len(train), metric, value])
    return pd.DataFrame(rows, columns=COLUMNS)


def score(Y: np.ndarray, predicted: np.ndarray) -> Iterator[tuple[str, float]]:
    """Yield error and agreement; r is 0 where a prediction does not vary."""
    yield "rmse", float(np.sqrt(np.mean((Y - predicted) ** 2)))
    yield "median_r2_per_feature", float(np.median(r2_per_feature(Y, predicted)))
    centred, guess = Y - Y.mean(axis=0), predicted - predicted.mean(axis=0)
    norms = np.linalg.norm(centred, axis=0) * np.linalg.norm(guess, axis=0)
    r = np.divide((centred * guess).sum(axis=0), norms, out=np.zeros(len(norms)), where=norms > 0)
    yield "mean_r_per_feature", float(r.mean())


def main() -> None:
    """Run all cohorts and print the means over cancer types and draws."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="folder of the real cohorts")
    add("--output", type=Path, default=Path("benchmarks/results/transfer.csv"), metavar="FILE")
    add("--rates", type=float, nargs="+", default=[0.1, 0.5, 0.9])
    add("--draws", type=int, default=3)
    add("--n-jobs", type=int, default=1, help="cancer types at the same time")
    options = parser.parse_args()
    names = ["simulated", *(("brca_to_luad", "proteins") if options.data else ())]
    known = (
        pd.read_csv(options.output) if options.output.exists() else pd.DataFrame(columns=COLUMNS)
    )
    finished = set(zip(known["data"], known["target"], strict=True))
    tasks = [(name, target) for name in names for target in read(name, options.data).targets]
    tasks = [task for task in tasks if task not in finished]
    outcomes = Parallel(n_jobs=options.n_jobs, return_as="generator_unordered")(
        delayed(run_target)(name, options.data, target, options.rates, options.draws)
        for name, target in tasks
    )
    options.output.parent.mkdir(parents=True, exist_ok=True)
    results = known
    for rows in tqdm(outcomes, total=len(tasks), unit="cancer"):
        results = pd.concat([results, rows]) if len(results) else rows
        results.to_csv(options.output, index=False, float_format="%.5g")
    table = results.pivot_table(
        index=["data", "mode"], columns=["metric", "missing_rate"], values="value", sort=False
    )
    print(table.round(3).to_string())


if __name__ == "__main__":
    main()
