"""Nine metrics of mean, ridge, LASSO and OmiTrans on real cohorts, by one grouped 5-fold split.

Each cohort is a folder of the `--data` folder with a methylation and an expression table (Parquet,
samples as rows, TCGA barcodes as index). No patient stands on both sides of a split. Penalties of
ridge and LASSO are chosen inside the training folds; OmiTrans runs with its defaults and with the
published settings ("paper-fc": 800 epochs, unscaled data, no early stopping).

Rows are written as they come, and rows that are there already are not computed again, so that the
script can be stopped and started. Each run of it on an empty file gives the same numbers.

    python benchmarks/real_data.py --data DIR --output benchmarks/results/real_data.csv
"""

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from omitrans import OmiTransRegressor
from omitrans.baselines import LassoRegressor
from omitrans.metrics import reconstruction_report
from omitrans.pipelines import make_translation_pipeline

# cohort -> methylation and expression tables
COHORTS = {
    "tcga_brca": ("tcga_brca/methylation", "tcga_brca/expression"),
    "tcga_lihc": ("tcga_lihc/methylation", "tcga_lihc/expression"),
    "tcga_coad_chr21": ("tcga_coad_chr21/methylation", "tcga_coad_chr21/expression"),
    "tcga_brca_hm27": (
        "tcga_transfer/brca_to_luad/source_methylation",
        "tcga_transfer/brca_to_luad/source_expression",
    ),
}
PATIENT = slice(12)  # of a TCGA barcode


def make_models(paper_epochs):
    """Return the models by name; each gets the same preprocessing, learned in its training fold."""
    ridge = RidgeCV(np.logspace(0, 5, 16), alpha_per_target=True)
    inner = KFold(3, shuffle=True, random_state=0)
    decay_epochs = paper_epochs // 8  # 100 of 800
    regressors = {
        "mean": DummyRegressor(),
        "ridge": make_pipeline(StandardScaler(), ridge),
        "LASSO": LassoRegressor("cv-common", cv=inner),
        "OmiTrans": OmiTransRegressor(random_state=0),
        "OmiTrans paper-fc": OmiTransRegressor.from_preset(
            "paper-fc", max_epochs=paper_epochs, decay_epochs=decay_epochs, random_state=0
        ),
    }
    return {name: make_translation_pipeline(model) for name, model in regressors.items()}


def read_cohort(folder, cohort):
    """Return methylation, expression and the patient of each sample."""
    X, Y = (pd.read_parquet(folder / f"{table}.parquet") for table in COHORTS[cohort])
    samples = X.index.intersection(Y.index)
    return X.loc[samples], Y.loc[samples], samples.str[PATIENT]


def run(folder, output, cohorts, models, names):
    """Fill the file with the rows that it lacks."""
    columns = ["cohort", "model", "fold", "metric", "value"]
    if not output.exists():
        output.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(columns=columns).to_csv(output, index=False)
    done = set(pd.read_csv(output)[columns[:3]].itertuples(index=False, name=None))
    for name in names:
        for cohort in cohorts:
            X, Y, patients = read_cohort(folder, cohort)
            for fold, (train, test) in enumerate(GroupKFold(5).split(X, Y, patients)):
                if (cohort, name, fold) in done:
                    continue
                start = perf_counter()
                model = clone(models[name]).fit(X.iloc[train], Y.iloc[train])
                seconds = perf_counter() - start
                report = reconstruction_report(Y.iloc[test].to_numpy(), model.predict(X.iloc[test]))
                report["fit_seconds"] = round(seconds, 2)
                rows = [(cohort, name, fold, *item) for item in report.items()]
                pd.DataFrame(rows).to_csv(output, mode="a", header=False, index=False)
                print(f"{cohort}: {name}, fold {fold}: {seconds:.0f} s", flush=True)


def summarise(output, folder):
    """Return a table in the shape of the paper's Table 1 for every cohort, as Markdown."""
    results = pd.read_csv(output)
    parts = [
        "# Real cohorts: means over five folds, no patient on both sides",
        f"Made by `python benchmarks/real_data.py --data DIR --output {output}`.",
    ]
    for cohort, rows in results.groupby("cohort", sort=False):
        X, Y, patients = read_cohort(folder, cohort)
        complete = rows.groupby("model")["fold"].transform("nunique") == 5
        table = rows[complete].pivot_table("value", "model", "metric", sort=False)
        parts.append(
            f"## {cohort}\n\n{len(X)} samples of {patients.nunique()} patients, "
            f"{X.shape[1]:,} CpGs or gene-level betas → {Y.shape[1]:,} genes."
        )
        header = ["model", *table.columns]
        lines = [header, ["---"] * len(header)]
        lines += [
            [name, *(f"{v:,.4f}" for v in row)]
            for name, row in zip(table.index, table.to_numpy(), strict=True)
        ]
        parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
    return "\n\n".join(parts) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/real_data.csv"))
    parser.add_argument("--cohorts", nargs="+", choices=COHORTS, default=list(COHORTS))
    parser.add_argument("--models", nargs="+", help="names, to run only some")
    parser.add_argument(
        "--paper-epochs", type=int, default=800, help="shortens the published training, for a trial"
    )
    args = parser.parse_args()
    models = make_models(args.paper_epochs)
    run(args.data, args.output, args.cohorts, models, args.models or list(models))
    text = summarise(args.output, args.data)
    args.output.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
