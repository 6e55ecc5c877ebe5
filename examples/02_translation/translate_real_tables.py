"""
=====================================
Compare models on tables of your own
=====================================

Give it a folder with two tables of the same samples, and it compares the mean, ridge regression,
LASSO and OmiTrans by cross-validation grouped by patient. It then trains OmiTrans on all samples
and keeps it for new arrays::

    python translate_real_tables.py --data my_cohort --output results

The folder holds ``methylation`` and ``expression``, each as ``.parquet``, ``.csv`` or ``.tsv``
(also ``.csv.gz``, ``.tsv.gz``); other names are given with ``--methylation`` and
``--expression``. **Samples are rows.** The first column (of a parquet table: the index, or a
column ``sample_id``) holds the sample ids, and every other column is a number of one probe or
gene. Methylation may have gaps, expression may not. Samples that only one table has are left out.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import omitrans
from omitrans import OmiTransRegressor
from omitrans.annotation import check_probe_table
from omitrans.baselines import LassoRegressor
from omitrans.comparison import compare_models
from omitrans.displays import (
    GenePredictionDisplay,
    HistoryDisplay,
    ModelComparisonDisplay,
    R2HistogramDisplay,
)
from omitrans.pipelines import make_translation_pipeline

ENDINGS = (".parquet", ".csv", ".csv.gz", ".tsv", ".tsv.gz")

# %%
# Tables in
# ---------


def find_table(folder, name):
    """Return the path of a table: `name` itself, or with one of the known endings."""
    candidates = [folder / name, *(folder / f"{name}{ending}" for ending in ENDINGS)]
    found = [path for path in candidates if path.is_file()]
    if len(found) != 1:
        sys.exit(
            f"{folder} holds {len(found)} files for the table {name!r}; looked for "
            f"{', '.join(path.name for path in candidates)}. Name one file with --{name}."
        )
    return found[0]


def read_file(path):
    """Read a table with ids in front."""
    if path.suffix == ".parquet":
        table = pd.read_parquet(path)
        return table.set_index("sample_id") if "sample_id" in table else table
    return pd.read_csv(path, sep="\t" if ".tsv" in path.name else ",", index_col=0)


def read_table(path):
    """Read a table with samples as rows, and say what is wrong with any other."""
    table = read_file(path)
    texts = table.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes]]
    if len(texts) or isinstance(table.index, pd.RangeIndex):
        found = f"columns with text ({', '.join(map(str, texts[:3]))})" if len(texts) else "no ids"
        sys.exit(
            f"{path} holds {found}. Expected: a row a sample, its id in the first column (in "
            "parquet: the index or a column sample_id), and numbers in all other columns."
        )
    table.index = table.index.astype(str)
    return table


def pair(X, Y):
    """Return both tables with the samples that they share."""
    shared = X.index.intersection(Y.index)
    if not len(shared):
        pairs = (X.columns, Y.columns), (X.columns, Y.index), (X.index, Y.columns)
        turned = any(len(one.intersection(other)) for one, other in pairs)
        sys.exit(
            f"No sample id is in both tables (methylation: {X.index[0]}, ...; expression: "
            f"{Y.index[0]}, ...). "
            + (
                "Sample ids stand in the columns, it seems: turn that table round."
                if turned
                else "Bring the ids to one form."
            )
        )
    left_out = len(X) + len(Y) - 2 * len(shared)
    print(f"{len(shared):,} samples in both tables, {left_out:,} in one only.")
    X, Y = X.loc[shared], Y.loc[shared]
    gaps = Y.columns[Y.isna().any()]
    if len(gaps):
        sys.exit(
            f"Expression has gaps in {len(gaps):,} genes ({', '.join(map(str, gaps[:3]))}, ...). "
            "Fill them, or leave these genes out."
        )
    return X, Y


# %%
# Models
# ------
# All of them stand behind the same preprocessing. Penalties are chosen inside the training folds.
# Probes that hardly vary (a standard deviation of 0.01) are dropped: one deviating beta would
# otherwise weigh hundreds of standard deviations.


def make_models(probes, source_unit):
    """Return the models by name, not fitted."""
    folds = KFold(5, shuffle=True, random_state=0)  # rows may be sorted
    regressors = {
        "mean": DummyRegressor(),
        "ridge": make_pipeline(StandardScaler(), RidgeCV(alphas=np.logspace(1, 5, 13))),
        "LASSO": LassoRegressor(cv=folds),
        "OmiTrans": OmiTransRegressor(random_state=0),
    }
    return {
        name: make_translation_pipeline(
            regressor,
            probe_annotation=probes,
            min_variance=1e-4,
            source_unit=source_unit,
        )
        for name, regressor in regressors.items()
    }


# %%
# Figures out
# -----------


def write_figures(folder, comparison, model, Y, unit):
    """Draw the comparison, the out-of-fold prediction and the training of OmiTrans."""
    predicted = comparison.predictions["OmiTrans"]
    displays = {
        "model_comparison": ModelComparisonDisplay.from_results(comparison.results),
        "r2_per_gene": R2HistogramDisplay.from_predictions(Y, predicted),
        "r2_per_sample": R2HistogramDisplay.from_predictions(Y, predicted, axis="sample"),
        "example_genes": GenePredictionDisplay.from_predictions(Y, predicted, unit=unit),
        "loss_curves": HistoryDisplay.from_estimator(model),
    }
    for name, display in displays.items():
        if name not in ("model_comparison", "loss_curves"):
            display.figure_.suptitle("OmiTrans, out of fold")
        display.figure_.savefig(folder / f"{name}.png", dpi=150)
        plt.close(display.figure_)


# %%
# The whole
# ---------


def parse_arguments():
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[2])
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="DIR", help="folder with the two tables")
    add("--output", type=Path, required=True, metavar="DIR", help="folder to write to")
    add("--methylation", default="methylation", metavar="FILE", help="name inside the folder")
    add("--expression", default="expression", metavar="FILE", help="name inside the folder")
    add("--probes", type=Path, metavar="FILE", help="probe table: probe_id, chromosome, ...")
    add(
        "--patient-length",
        type=int,
        default=12,
        metavar="N",
        help="characters of a sample id that name its patient, 12 in TCGA barcodes; 0: no patients",
    )
    add("--m-values", action="store_true", help="methylation holds M-values, not betas")
    add("--unit", default="log2(FPKM + 1)", help="unit of expression, for the figures")
    add("--folds", type=int, default=5)
    add("--n-jobs", type=int, default=1, help="processes; -1 takes all cores")
    return parser.parse_args()


def main():
    options = parse_arguments()
    X, Y = pair(
        read_table(find_table(options.data, options.methylation)),
        read_table(find_table(options.data, options.expression)),
    )
    length = options.patient_length
    patients = X.index.str[:length] if length else X.index
    print(f"{patients.nunique():,} patients, {X.shape[1]:,} probes, {Y.shape[1]:,} genes.")
    probes = check_probe_table(read_file(options.probes)) if options.probes else None
    options.output.mkdir(parents=True, exist_ok=True)

    models = make_models(probes, None if options.m_values else "beta")
    comparison = compare_models(
        models,
        X,
        Y,
        cv=options.folds,
        groups=patients,
        n_jobs=options.n_jobs,
        verbose=1,
        return_predictions=True,
    )
    print(comparison.summary().T.to_string(float_format="{:,.4f}".format))
    comparison.summary().to_csv(options.output / "table1.csv")
    comparison.results.to_csv(options.output / "comparison.csv", index=False)

    model = models["OmiTrans"].fit(X, Y)
    omitrans.save(model, options.output / "model.omitrans")
    write_figures(options.output, comparison, model, Y, options.unit)
    print(f"Tables, figures and model.omitrans are in {options.output}")


if __name__ == "__main__":
    main()
