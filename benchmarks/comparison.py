"""The nine reconstruction metrics of baselines and OmiTrans on real cohorts, by grouped 5-fold.

Every model gets the same folds (no patient on both sides) and stands behind the same
preprocessing, which learns from the training samples, as does the choice of every penalty. Each
finished fold is written at once; what the output holds already is not computed again.

    python benchmarks/real_data.py --data DIR --output benchmarks/results/real_data.csv

DIR holds a folder a cohort with two parquet tables, samples as rows, indexed by TCGA barcodes (see
COHORTS). The published settings train for 800 epochs whatever the cohort; on a CPU start with
--models mean ridge lasso omitrans.
"""

import argparse
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from omitrans import OmiTransRegressor
from omitrans.baselines import LassoRegressor
from omitrans.exceptions import TrainingInterrupted
from omitrans.model_selection import ModelComparison, compare_models
from omitrans.pipelines import make_translation_pipeline

# cohort -> its folder and what stands in front of the names of its tables
COHORTS = {
    "tcga_brca": ("tcga_brca", ""),
    "tcga_lihc": ("tcga_lihc", ""),
    "tcga_coad_chr21": ("tcga_coad_chr21", ""),
    "tcga_brca_genes": ("tcga_transfer/brca_to_luad", "source_"),
}
MODELS = ("mean", "ridge", "lasso", "omitrans", "omitrans-paper")
PAPER_EPOCHS, PAPER_DECAY = 800, 100
PATIENT = 12  # characters of a TCGA barcode
N_FOLDS = 5
KEYS = ["cohort", "model", "fold"]


def read_cohort(folder: Path, cohort: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return methylation and expression of one cohort."""
    name, prefix = COHORTS[cohort]
    X, Y = (
        pd.read_parquet(folder / name / f"{prefix}{table}.parquet")
        for table in ("methylation", "expression")
    )
    return X, Y


def make_model(name: str, *, paper_epochs: int, device: str) -> Any:
    """Return a model by name, not fitted; probes with a deviation below 0.01 are dropped."""
    if name == "mean":
        regressor = DummyRegressor()
    elif name == "ridge":
        regressor = make_pipeline(StandardScaler(), RidgeCV(alphas=np.logspace(1, 5, 13)))
    elif name == "lasso":
        regressor = LassoRegressor(cv=KFold(5, shuffle=True, random_state=0))
    elif name == "omitrans":
        regressor = OmiTransRegressor(device=device, random_state=0)
    else:
        regressor = OmiTransRegressor.from_preset(
            "paper-fc",
            max_epochs=paper_epochs,
            decay_epochs=round(paper_epochs * PAPER_DECAY / PAPER_EPOCHS),
            device=device,
            random_state=0,
        )
    return make_translation_pipeline(regressor, min_variance=1e-4)


def run_fold(
    folder: Path, cohort: str, name: str, fold: int, *, paper_epochs: int, device: str
) -> pd.DataFrame:
    """Return the metrics of one model on one fold."""
    X, Y = read_cohort(folder, cohort)
    patients = X.index.str[:PATIENT]
    split = list(GroupKFold(N_FOLDS).split(X, groups=patients))[fold]
    model = make_model(name, paper_epochs=paper_epochs, device=device)
    with warnings.catch_warnings():
        # Ctrl-C must not leave the score of a training that was cut short
        warnings.simplefilter("error", TrainingInterrupted)
        results = compare_models({name: model}, X, Y, cv=[split], groups=patients).results
    label = label_of(name, paper_epochs)
    return results.assign(cohort=cohort, model=label, fold=fold)[[*KEYS, "metric", "value"]]


def label_of(name: str, paper_epochs: int) -> str:
    """Return the name of a model in the results: a shortened training is called so."""
    shortened = name == "omitrans-paper" and paper_epochs != PAPER_EPOCHS
    return f"{name} ({paper_epochs} epochs)" if shortened else name


def write(results: pd.DataFrame, path: Path) -> None:
    """Replace the file when the new one is complete."""
    unfinished = path.with_name(f"{path.name}.part")
    results.to_csv(unfinished, index=False)
    unfinished.replace(path)


def show(results: pd.DataFrame, cohort: str) -> None:
    """Print the table of one cohort: means over folds, a column a model."""
    rows = results[results["cohort"] == cohort]
    summary = ModelComparison(rows, errors=pd.DataFrame()).summary()
    seconds = rows[rows["metric"] == "fit_seconds"].groupby("model")["value"].mean()
    folds = rows.groupby("model")["fold"].nunique()
    table = summary.assign(fit_seconds=seconds, folds=folds).T
    print(f"\n{cohort}, means over folds\n{table.to_string(float_format='{:,.4f}'.format)}")


def main() -> None:
    """Run what is missing and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="folder of the cohorts")
    add("--output", type=Path, default=Path("benchmarks/results/real_data.csv"), metavar="FILE")
    add("--cohorts", nargs="+", choices=COHORTS, default=list(COHORTS))
    add("--models", nargs="+", choices=MODELS, default=list(MODELS))
    add("--paper-epochs", type=int, default=PAPER_EPOCHS, help="default: %(default)s, as published")
    add("--device", default="auto", help="where OmiTrans is trained")
    add("--n-jobs", type=int, default=1, help="folds at the same time")
    options = parser.parse_args()

    columns = [*KEYS, "metric", "value"]
    known = (
        pd.read_csv(options.output) if options.output.exists() else pd.DataFrame(columns=columns)
    )
    done = set(known[KEYS].itertuples(index=False, name=None))
    tasks = [
        (cohort, name, fold)
        for name in options.models  # the slowest last
        for cohort in options.cohorts
        for fold in range(N_FOLDS)
        if (cohort, label_of(name, options.paper_epochs), fold) not in done
    ]
    print(f"{len(tasks)} folds to do; {len(done)} are in {options.output}")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    shared = {"paper_epochs": options.paper_epochs, "device": options.device}
    outcomes = Parallel(n_jobs=options.n_jobs, return_as="generator_unordered")(
        delayed(run_fold)(options.data, *task, **shared) for task in tasks
    )
    for rows in tqdm(outcomes, total=len(tasks), unit="fold"):
        known = pd.concat([known, rows]) if len(known) else rows
        write(known, options.output)
    for cohort in known["cohort"].unique():
        show(known, cohort)


if __name__ == "__main__":
    main()
