"""What predicted expression is good for, in the shape of the papers' tables.

Half of the patients (or another share) lack expression; every model learns from the others and
predicts it. `downstream_report` then looks for the genes that methylation drives, for genes that go
with survival, for clusters of samples, for survival, and for classes, in the predicted samples
alone ("test") and together with the measured training samples ("union", as the TDimpute paper
does). Controls know nothing of single genes: the mean, what covariates tell, and five principal
components of methylation. Published numbers are printed beside ours; they are of other cohorts.

    python benchmarks/downstream.py --data DIR --draws 2
    python benchmarks/downstream.py --summary

DIR holds one folder per cohort (see COHORTS). The simulated pan-cancer cohort needs no data. It
tells which genes probes silence and which raise the hazard, so that predictions are judged by the
truth, too. Finished draws are kept in the output file and not computed again.
"""

import argparse
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from comparison import BASELINES, PRESETS, label_of, make_model
from sklearn.model_selection import GroupShuffleSplit

from omitrans.datasets import make_paired_omics
from omitrans.downstream import (
    control_predictions,
    downstream_report,
    driving_genes,
    prognosis_genes,
)
from omitrans.metrics import pr_auc

CIS = 10_000  # bases around a gene in which probes may silence it
PATIENT = 12  # characters of a TCGA barcode that name the patient
KEYS = ["cohort", "missing", "draw"]
CONTROLS = ["mean", "covariates", "methylation components"]
MODELS = ("ridge", "kernel-ridge", "lasso", "tdimpute", "omitrans-fc", "omitrans")
MAIN = {
    "driving genes": "pr_auc_integral",
    "prognosis genes": "pr_auc_integral",
    "clusters": "ari",
    "survival": "harrell_c",
    "classes": "accuracy",
    "true driving genes": "pr_auc_integral",
    "true prognosis genes": "pr_auc_integral",
}
# At a missing rate of one half. Tables 2 and 4 of TDimpute (means over 16 cancers, "union", 27,717
# CpGs; the captions of Tables 3 and 4 are exchanged in the paper), Table 3 of OmiTrans (33 types).
PUBLISHED = pd.DataFrame(
    {
        "driving genes, union": {"svd": 0.737, "tobmi": 0.703, "lasso": 0.702, "tdimpute": 0.807},
        "prognosis genes, union": {"svd": 0.561, "tobmi": 0.595, "lasso": 0.590, "tdimpute": 0.627},
        "classes, test": {
            "measured": 0.9571,
            "omitrans-fc": 0.9444,
            "omitrans-cnn": 0.9130,
            "tdimpute": 0.9356,
            "lasso": 0.9307,
            "cgan": 0.8745,
            "linear": 0.8921,
        },
    }
)


class Cohort(NamedTuple):
    """Paired tables, outcomes, classes, covariates, patients, and what is known to be true."""

    X: pd.DataFrame
    Y: pd.DataFrame
    time: pd.Series
    event: pd.Series
    classes: pd.Series
    covariates: pd.DataFrame
    patients: pd.Index
    truth: dict = {}
    places: dict = {}


def read_real(folder, name, labels, classes):
    """Return a cohort of files, with overall survival."""
    X, Y = (
        pd.read_parquet(folder / name / f"{kind}.parquet") for kind in ("methylation", "expression")
    )
    known = pd.read_parquet(folder / name / f"{labels}.parquet")
    shared = X.index[X.index.isin(Y.index)]
    X, Y = X.loc[shared], Y.loc[shared]
    Y = Y.loc[:, Y.std() > 1e-6]
    known = known.reindex(shared)
    usable = known["OS.time"] > 0
    stage = known["ajcc_pathologic_tumor_stage"].astype(object)
    covariates = pd.DataFrame(
        {
            "age": known["age_at_initial_pathologic_diagnosis"],
            "sex": known["gender"],
            "stage": stage,
        }
    )
    levels = known[classes]
    levels = levels[levels.isin(levels.value_counts().index[levels.value_counts() >= 30])]
    return Cohort(
        X.fillna(X.median()),
        Y,
        known["OS.time"].where(usable),
        known["OS"].where(usable),
        levels.reindex(shared),
        covariates,
        shared.str[:PATIENT],
    )


def simulate(_):
    """Return eight cancer types, with the genes that probes silence or that raise the hazard."""
    data = make_paired_omics(600, 2_000, 400, n_cancer_types=8, missing_rate=0, random_state=0)
    Y = data.Y.loc[:, data.Y.std() > 1e-6]
    samples = data.samples
    truth = {
        "true driving genes": Y.columns.isin(data.truth["edges"]["gene_id"]),
        "true prognosis genes": Y.columns.isin(data.truth["prognostic"]["gene_id"]),
    }
    return Cohort(
        data.X,
        Y,
        samples["survival_time"].astype(float),
        samples["event"].astype(float),
        samples["cancer_type"],
        samples[["cancer_type", "sample_type", "purity"]],
        pd.Index(samples["patient"]),
        truth,
        {"probe_annotation": data.probes, "gene_annotation": data.genes, "cis_window": CIS},
    )


COHORTS = {
    "simulated": simulate,
    "tcga_brca": lambda folder: read_real(folder, "tcga_brca", "labels", "pam50"),
    "tcga_lihc": lambda folder: read_real(folder, "tcga_lihc", "labels", "histological_grade"),
    "tcga_brca769": lambda folder: read_real(
        folder, "tcga_brca769", "clinical_cdr", "histological_type"
    ),
}
UNITS = {"tcga_brca769": None}


def predict(cohort, name, model, train, test, options):
    """Return the predictions of a model for the test samples."""
    unit = UNITS.get(name, "beta")
    made = make_model(model, places={}, unit=unit, epochs=options.epochs, filters=64, device="auto")
    made.fit(cohort.X.iloc[train], cohort.Y.iloc[train])
    values = np.asarray(made.predict(cohort.X.iloc[test]))
    return pd.DataFrame(values, cohort.Y.index[test], cohort.Y.columns)


def judge(name, cohort, missing, draw, options):
    """Return the rows of one draw."""
    splitter = GroupShuffleSplit(1, test_size=missing, random_state=draw)
    train, test = next(splitter.split(cohort.X, groups=cohort.patients))
    predictions = {}
    for model in options.models:
        start = time.perf_counter()
        label = label_of(model, epochs=options.epochs, filters=64)
        predictions[label] = predict(cohort, name, model, train, test, options)
        print(f"  {name} {draw}, {model}: {time.perf_counter() - start:.0f} s", flush=True)
    found = downstream_report(
        predictions,
        cohort.Y.iloc[test],
        train_expression=cohort.Y.iloc[train],
        methylation=cohort.X.iloc[test],
        train_methylation=cohort.X.iloc[train],
        covariates=cohort.covariates,
        time=cohort.time,
        event=cohort.event,
        classes=cohort.classes,
        threshold=options.threshold,
        random_state=draw,
    ).frame
    rows = [found, *known_truth(cohort, predictions, train, test)]
    place = dict(zip(KEYS, (name, missing, draw), strict=True))
    return pd.concat(rows).assign(**place)


def known_truth(cohort, predictions, train, test):
    """Yield how well measured and predicted expression find the genes that are known to be true."""
    if not cohort.truth:
        return
    tables = {"measured": cohort.Y.iloc[test]} | predictions
    tables |= control_predictions(
        cohort.Y.iloc[train],
        methylation=cohort.X.iloc[train],
        new_methylation=cohort.X.iloc[test],
        covariates=cohort.covariates.iloc[train],
        new_covariates=cohort.covariates.iloc[test],
    )
    outcome, strata = (cohort.time.iloc[test], cohort.event.iloc[test]), cohort.classes.iloc[test]
    X = cohort.X.iloc[test]
    for model, table in tables.items():
        scores = {
            "true driving genes": driving_genes(X, table, **cohort.places)["r2"].fillna(0.0),
            "true prognosis genes": -prognosis_genes(table, *outcome, strata=strata)["p"].fillna(1),
        }
        for task, positive in cohort.truth.items():
            row = {"task": task, "setting": "test", "metric": "pr_auc_integral", "model": model}
            value = pr_auc(positive, scores[task].to_numpy())
            counts = {"n_positive": positive.sum(), "n_samples": len(test)}
            yield pd.DataFrame([row | counts | {"value": value, "chance": positive.mean()}])


def show(results):
    """Print the main score of each task, means over draws and their standard deviations."""
    main = results[results["metric"] == results["task"].map(MAIN)]
    for (cohort, missing), part in main.groupby(["cohort", "missing"], sort=False):
        keys = ["model", "task", "setting"]
        grouped = part.groupby(keys, sort=False)["value"]
        mean, spread = grouped.mean(), grouped.std()
        shown = mean.map("{:.3f}".format) + spread.map(
            " ± {:.3f}".format, na_action="ignore"
        ).fillna("")
        columns = ["task", "setting"]
        table = shown.reset_index().pivot_table("value", "model", columns, "first", sort=False)
        table = table.fillna("–")
        order = ["measured", *[m for m in table.index if m not in ("measured", *CONTROLS)]]
        order += [name for name in CONTROLS if name in table.index]
        n_draws = part["draw"].nunique()
        print(f"\n{cohort}, {missing:.0%} without expression, {n_draws} draws")
        print(table.reindex(order).T.to_string())
    print("\nPublished, other cohorts\n" + PUBLISHED.T.to_string(na_rep="–"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="folder of the real cohorts")
    add("--cohorts", nargs="+", choices=COHORTS, default=None)
    add(
        "--models",
        nargs="+",
        choices=[*BASELINES, *PRESETS, "tdimpute", "omitrans"],
        default=MODELS,
    )
    add("--missing", nargs="+", type=float, default=[0.5], help="shares without expression")
    add("--draws", type=int, default=2)
    add("--epochs", type=int, default=100, help="of the published presets; published: 800")
    add("--threshold", type=float, default=0.25, help="squared correlation of a driven gene")
    add("--output", type=Path, default=Path(__file__).parent / "results" / "downstream.csv")
    add("--summary", action="store_true", help="compute nothing")
    options = parser.parse_args()
    results = pd.read_csv(options.output) if options.output.exists() else pd.DataFrame()
    cohorts = options.cohorts or (list(COHORTS) if options.data else ["simulated"])
    for name in [] if options.summary else cohorts:
        cohort = COHORTS[name](options.data)
        for missing in options.missing:
            for draw in range(options.draws):
                place = (name, missing, draw)
                if len(results) and (results[KEYS] == place).all(axis=1).any():
                    continue
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)
                    rows = judge(name, cohort, missing, draw, options)
                results = pd.concat([results, rows])
                options.output.parent.mkdir(parents=True, exist_ok=True)
                columns = [*KEYS, *rows.columns.drop(KEYS)]
                results[columns].to_csv(options.output, index=False, float_format="%.5g")
    if len(results):
        show(results)


if __name__ == "__main__":
    main()
