"""Every published method on real and simulated cohorts, by grouped 5-fold: nine metrics and times.

Every model gets the same folds (no patient on both sides) and stands behind the same
preprocessing, which learns from the training samples, as does the choice of every penalty. Each
finished fold is written at once; what the output holds already is not computed again.

    python benchmarks/comparison.py --data DIR
    python benchmarks/comparison.py --summary

DIR holds one folder per cohort with parquet tables, samples as rows (see COHORTS); without it only
the simulated cohorts are run. ``--summary`` computes nothing new: it compares ``omitrans`` with
each rival on the folds that the output holds. The published networks train for 800 epochs
on 9,081 samples, on a GPU. ``--epochs 200`` shortens them for a CPU, ``--filters 8`` narrows the
U-Net; the name of the model in the results says so.
"""

import argparse
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from joblib import Parallel, delayed
from sklearn.model_selection import GroupKFold
from tqdm import tqdm

from omitrans import OmiTransRegressor, TDimputeRegressor
from omitrans.baselines import MultiKernelRidgeRegressor, make_baselines
from omitrans.comparison import ModelComparison, compare_models
from omitrans.datasets import make_paired_omics
from omitrans.io.matrix._stream_parse import EXACT_NUMBERS
from omitrans.pipelines import make_translation_pipeline

PATIENT = 12  # characters of a TCGA barcode that name the patient


class Real(NamedTuple):
    """Files of a real cohort, below the folder of the data and without their suffix."""

    source: str
    # The same file as the source: the first half of its columns predicts the second half.
    target: str
    unit: str | None = "beta"  # of the source
    # Samples whose ids begin with the same characters stay together; None: all are independent.
    group_by: int | None = PATIENT
    # Positions of the probes and of the genes, for models that know of them.
    places: tuple[str, str] | None = None


class Simulated(NamedTuple):
    """Size and seed of a simulated pan-cancer cohort, grouped by patient.

    The defaults of the generator mix genes with cis effects, trans effects, both, and non-linear
    (gated) ones with a quarter that methylation cannot predict.
    """

    n_samples: int
    n_probes: int
    n_genes: int
    n_cancer_types: int
    random_state: int


COHORTS = {
    "tcga_brca": Real("tcga_brca/methylation", "tcga_brca/expression"),
    "tcga_lihc": Real("tcga_lihc/methylation", "tcga_lihc/expression"),
    "tcga_coad_chr21": Real("tcga_coad_chr21/methylation", "tcga_coad_chr21/expression"),
    "tcga_brca_genes": Real(
        "tcga_transfer/brca_to_luad/source_methylation",
        "tcga_transfer/brca_to_luad/source_expression",
    ),
    "tcga_brca_rank": Real("tcga_brca/methylation", "tcga_brca/expression_rankint_1761"),
    "tcga_brca_hm27": Real("tcga_brca/methylation_hm27_gene", "tcga_brca/expression_rankint_1761"),
    "tcga_brca_mirna": Real("tcga_brca/mirna", "tcga_brca/expression", unit=None),
    "tcga_lihc_mirna": Real("tcga_lihc/mirna", "tcga_lihc/expression", unit=None),
    "tcga_lihc_cis": Real(
        "tcga_lihc_cis_hdac11/methylation",
        "tcga_lihc_cis_hdac11/expression",
        places=("tcga_lihc_cis_hdac11/probes", "tcga_lihc_cis_hdac11/genes"),
    ),
    # Each of the four cancers lacks most genes of the others: the pipeline, which drops genes with
    # more than 10% missing, keeps about 360 of 3,868. The shared samples lack no protein.
    "tcga_pan_rppa": Real("tcga_pan_rppa/methylation_hm27_gene", "tcga_pan_rppa/protein"),
    "gtex_half": Real("gtex_scira/expression", "gtex_scira/expression", unit=None, group_by=None),
    # M-values; 144 of its patients are in tcga_brca, too
    "tcga_brca769": Real("tcga_brca769/methylation", "tcga_brca769/expression", unit=None),
    "simulated": Simulated(400, 2_000, 500, n_cancer_types=8, random_state=0),
    "simulated_300": Simulated(300, 2_000, 500, n_cancer_types=8, random_state=1),
    "simulated_1000": Simulated(1_000, 2_000, 500, n_cancer_types=16, random_state=2),
    "simulated_5000": Simulated(5_000, 1_000, 300, n_cancer_types=32, random_state=3),
}
BASELINES = ("mean", "linear", "ridge", "kernel-ridge", "pls", "lasso", "tobmi", "svd")
MULTI_KERNEL = "multi-kernel-ridge"
PRESETS = {"cgan": "paper-cgan", "omitrans-fc": "paper-fc", "omitrans-cnn": "paper-cnn"}
MODELS = (*BASELINES, MULTI_KERNEL, "tdimpute", "omitrans", "network", *PRESETS)
PAPER_EPOCHS, PAPER_DECAY, PAPER_FILTERS = 800, 100, 64
N_FOLDS = 5
KEYS = ["cohort", "model", "fold"]
COMPARED = ("mean_r2_per_feature", "mse", "mean_ae")
LEVEL = 0.05  # p-values below are marked


@lru_cache(maxsize=1)  # the folds of a cohort follow each other
def read_cohort(folder: Path | None, name: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.Index]:
    """Return source and target of the samples that both have, and the group of every sample."""
    cohort = COHORTS[name]
    if isinstance(cohort, Simulated):
        data = make_paired_omics(**cohort._asdict())
        return data.X, data.Y, pd.Index(data.samples["patient"])
    assert folder is not None
    X = pd.read_parquet(folder / f"{cohort.source}.parquet")
    if cohort.source == cohort.target:
        half = X.shape[1] // 2
        X, Y = X.iloc[:, :half], X.iloc[:, half:]
    else:
        Y = pd.read_parquet(folder / f"{cohort.target}.parquet")
        shared = X.index[X.index.isin(Y.index)]  # in the order of the source
        X, Y = X.loc[shared], Y.loc[shared]
    return X, Y, X.index if cohort.group_by is None else X.index.str[: cohort.group_by]


def read_places(folder: Path | None, name: str) -> dict[str, pd.DataFrame]:
    """Return tables of probes and genes, if the positions of both are known."""
    places = getattr(COHORTS[name], "places", None)
    if places is None:
        return {}
    assert folder is not None
    probes, genes = (pd.read_parquet(folder / f"{place}.parquet") for place in places)
    genes = genes.rename(columns={"chr": "chromosome"}).rename_axis("gene_id").reset_index()
    names = {"name": "probe_id", "chr": "chromosome", "start": "position"}
    probes = probes.rename(columns=names)
    return {
        "probes": probes[list(names.values())].astype({"position": int}),
        "genes": genes[["gene_id", "chromosome", "start", "end"]].astype(
            {"start": int, "end": int}
        ),
    }


def make_model(
    name: str,
    *,
    places: dict[str, pd.DataFrame],
    unit: str | None,
    epochs: int,
    filters: int,
    device: str,
) -> Any:
    """Return a model by name, not fitted; features with a deviation below 0.01 are dropped."""
    if name == MULTI_KERNEL:
        regressor = MultiKernelRidgeRegressor(**places)
    elif name in BASELINES:
        regressor = make_baselines([name], random_state=0)[name]
    elif name == "tdimpute":
        regressor = TDimputeRegressor(device=device, random_state=0)
    elif name == "omitrans":  # what users get
        backbone = MultiKernelRidgeRegressor(**places) if places else "multi-kernel"
        regressor = OmiTransRegressor(backbone=backbone, device=device, random_state=0)
    elif name == "network":
        regressor = OmiTransRegressor(backbone=None, device=device, random_state=0)
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
    return make_translation_pipeline(regressor, min_variance=1e-4, source_unit=unit)


def run_fold(
    folder: Path | None, cohort: str, name: str, fold: int, **settings: Any
) -> pd.DataFrame:
    """Return the metrics of one model on one fold."""
    X, Y, groups = read_cohort(folder, cohort)
    split = list(GroupKFold(N_FOLDS).split(X, groups=groups))[fold]
    unit, places = getattr(COHORTS[cohort], "unit", "beta"), read_places(folder, cohort)
    model = make_model(name, unit=unit, places=places, **settings)
    results = compare_models({name: model}, X, Y, cv=[split], groups=groups).results
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


def summarise(results: pd.DataFrame, cohort: str, reference: str) -> None:
    """Print the means of one cohort, and `reference` minus each rival with p-values.

    A rival that is better in a metric is named in the last column, with a star where p < LEVEL
    (corrected resampled t-test, not corrected for the number of rivals).
    """
    rows = results[results["cohort"] == cohort]
    complete = rows.groupby("model")["fold"].nunique() == N_FOLDS
    rows = rows[rows["model"].map(complete)]
    if rows.empty:
        return
    comparison = ModelComparison(rows, errors=pd.DataFrame())
    table = comparison.summary(costs=True)[[*COMPARED, "fit_seconds"]]
    title = f"{cohort}, means over folds"
    if reference in table.index and len(table) > 1:
        title += f"; Δ: {reference} minus rival"
        table["rival better in"] = ""
        for metric in COMPARED:
            tests = comparison.tests(metric, baseline=reference, correction=None)
            tests = tests.set_index("model")
            table[f"Δ {metric}"] = -tests["difference"]  # reference minus rival
            table[f"p {metric}"] = tests["p_value"]
            better = tests.index[tests["better"] == tests.index]
            stars = (tests.loc[better, "p_value"] < LEVEL).map({True: "*", False: ""})
            table.loc[better, "rival better in"] += f" {metric}" + stars
        table["rival better in"] = table.pop("rival better in")
    text = table.to_string(float_format="{:,.4f}".format, na_rep="")
    print(f"\n{title}\n{text}")


def main() -> None:
    """Run what is missing and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="folder of the real cohorts")
    add("--output", type=Path, default=Path("benchmarks/results/comparison.csv"), metavar="FILE")
    add("--cohorts", nargs="+", choices=list(COHORTS))
    add("--models", nargs="+", choices=MODELS, default=list(MODELS))
    add("--epochs", type=int, default=PAPER_EPOCHS, help="of the presets; published: %(default)s")
    add("--filters", type=int, default=PAPER_FILTERS, help="of the U-Net; published: %(default)s")
    add("--device", default="auto", help="where networks are trained")
    add("--n-jobs", type=int, default=1, help="folds at the same time")
    add("--summary", action="store_true", help="compute nothing; test a model against its rivals")
    add("--reference", default="omitrans", metavar="MODEL", help="of --summary: %(default)s")
    options = parser.parse_args()
    real = [name for name, cohort in COHORTS.items() if isinstance(cohort, Real)]
    cohorts = options.cohorts or [
        name for name in COHORTS if options.data or options.summary or name not in real
    ]
    if options.data is None and not options.summary and set(cohorts) & set(real):
        parser.error("the real cohorts need --data")

    columns = [*KEYS, "metric", "value"]
    known = (
        # digits as they were written: rows that are there do not change
        pd.read_csv(options.output, **EXACT_NUMBERS)
        if options.output.exists()
        else pd.DataFrame(columns=columns)
    )
    if options.summary:
        for cohort in cohorts:
            summarise(known, cohort, options.reference)
        return
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
