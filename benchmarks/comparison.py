"""Every published method on real and simulated cohorts, by grouped 5-fold: nine metrics and times.

Every model gets the same folds (no patient on both sides) and stands behind the same
preprocessing, which learns from the training samples, as does the choice of every penalty. Each
finished fold is written at once; what the output holds already is not computed again.

    python benchmarks/comparison.py --data DIR

DIR holds a folder a cohort with two parquet tables, samples as rows, indexed by TCGA barcodes (see
COHORTS); without it only the simulated cohort is run. The published networks train for 800 epochs
on 9,081 samples, on a GPU. ``--epochs 200`` shortens them for a CPU, ``--filters 8`` narrows the
U-Net; the name of the model in the results says so.
"""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import Parallel, delayed
from sklearn.model_selection import GroupKFold
from tqdm import tqdm

from omitrans import OmiTransRegressor, TDimputeRegressor
from omitrans.baselines import make_baselines
from omitrans.comparison import ModelComparison, compare_models
from omitrans.datasets import make_paired_omics
from omitrans.io.matrix._stream_parse import EXACT_NUMBERS
from omitrans.pipelines import make_translation_pipeline

# cohort -> its folder and what stands in front of the names of its tables
COHORTS = {
    "tcga_brca": ("tcga_brca", ""),
    "tcga_lihc": ("tcga_lihc", ""),
    "tcga_coad_chr21": ("tcga_coad_chr21", ""),
    "tcga_brca_genes": ("tcga_transfer/brca_to_luad", "source_"),
}
SIMULATED = "simulated"
BASELINES = ("mean", "linear", "ridge", "kernel-ridge", "pls", "lasso")
BASELINES += ("multi-kernel-ridge", "tobmi", "svd")
PRESETS = {"cgan": "paper-cgan", "omitrans-fc": "paper-fc", "omitrans-cnn": "paper-cnn"}
MODELS = (*BASELINES, "tdimpute", "omitrans", *PRESETS)
PAPER_EPOCHS, PAPER_DECAY, PAPER_FILTERS = 800, 100, 64
PATIENT = 12  # characters of a TCGA barcode
N_FOLDS = 5
KEYS = ["cohort", "model", "fold"]


def read_cohort(folder: Path | None, cohort: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.Index]:
    """Return methylation and expression of one cohort, and the patient of every sample."""
    if cohort == SIMULATED:
        data = make_paired_omics(400, 2_000, 500, n_cancer_types=8, random_state=0)
        return data.X, data.Y, pd.Index(data.samples["patient"])
    assert folder is not None
    name, prefix = COHORTS[cohort]
    X, Y = (
        pd.read_parquet(folder / name / f"{prefix}{table}.parquet")
        for table in ("methylation", "expression")
    )
    return X, Y, X.index.str[:PATIENT]


def make_model(name: str, *, epochs: int, filters: int, device: str) -> Any:
    """Return a model by name, not fitted; probes with a deviation below 0.01 are dropped."""
    if name in BASELINES:
        regressor = make_baselines([name], random_state=0)[name]
    elif name == "tdimpute":
        regressor = TDimputeRegressor(device=device, random_state=0)
    elif name == "omitrans":
        regressor = OmiTransRegressor(device=device, random_state=0)
    else:
        regressor = OmiTransRegressor.from_preset(
            PRESETS[name],
            max_epochs=epochs,
            decay_epochs=round(epochs * PAPER_DECAY / PAPER_EPOCHS),
            device=device,
            random_state=0,
        )
        if name == "omitrans-cnn" and filters != PAPER_FILTERS:
            regressor.set_params(
                generator_params={"n_filters": filters},
                discriminator_params={"n_filters": filters},
            )
    return make_translation_pipeline(regressor, min_variance=1e-4)


def run_fold(
    folder: Path | None, cohort: str, name: str, fold: int, **settings: Any
) -> pd.DataFrame:
    """Return the metrics of one model on one fold."""
    X, Y, patients = read_cohort(folder, cohort)
    split = list(GroupKFold(N_FOLDS).split(X, groups=patients))[fold]
    model = make_model(name, **settings)
    results = compare_models({name: model}, X, Y, cv=[split], groups=patients).results
    label = label_of(name, **settings)
    return results.assign(cohort=cohort, model=label, fold=fold)[[*KEYS, "metric", "value"]]


def label_of(name: str, *, epochs: int, filters: int, **_: Any) -> str:
    """Return the name of a model in the results: a smaller one than published is called so."""
    notes = []
    if name in PRESETS and epochs != PAPER_EPOCHS:
        notes.append(f"{epochs} epochs")
    if name == "omitrans-cnn" and filters != PAPER_FILTERS:
        notes.append(f"{filters} filters")
    return f"{name} ({', '.join(notes)})" if notes else name


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
    add("--data", type=Path, metavar="DIR", help="folder of the real cohorts")
    add("--output", type=Path, default=Path("benchmarks/results/comparison.csv"), metavar="FILE")
    add("--cohorts", nargs="+", choices=[*COHORTS, SIMULATED])
    add("--models", nargs="+", choices=MODELS, default=list(MODELS))
    add("--epochs", type=int, default=PAPER_EPOCHS, help="of the presets; published: %(default)s")
    add("--filters", type=int, default=PAPER_FILTERS, help="of the U-Net; published: %(default)s")
    add("--device", default="auto", help="where networks are trained")
    add("--n-jobs", type=int, default=1, help="folds at the same time")
    options = parser.parse_args()
    cohorts = options.cohorts or [*(COHORTS if options.data else ()), SIMULATED]
    if options.data is None and set(cohorts) != {SIMULATED}:
        parser.error("the real cohorts need --data")

    columns = [*KEYS, "metric", "value"]
    known = (
        # digits as they were written: rows that are there do not change
        pd.read_csv(options.output, **EXACT_NUMBERS)
        if options.output.exists()
        else pd.DataFrame(columns=columns)
    )
    done = set(known[KEYS].itertuples(index=False, name=None))
    settings = {name: getattr(options, name) for name in ("epochs", "filters", "device")}
    tasks = [
        (cohort, name, fold)
        for name in options.models  # the slowest last
        for cohort in cohorts
        for fold in range(N_FOLDS)
        if (cohort, label_of(name, **settings), fold) not in done
    ]
    print(f"{len(tasks)} folds to do; {len(done)} are in {options.output}")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    outcomes = Parallel(n_jobs=options.n_jobs, return_as="generator_unordered")(
        delayed(run_fold)(options.data, *task, **settings) for task in tasks
    )
    for rows in tqdm(outcomes, total=len(tasks), unit="fold"):
        known = pd.concat([known, rows]) if len(known) else rows
        write(known, options.output)
    for cohort in known["cohort"].unique():
        show(known, cohort)


if __name__ == "__main__":
    main()
