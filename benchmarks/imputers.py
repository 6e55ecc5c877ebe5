"""PMI, GAIN-GTEx and every imputer they were compared with: in-place and inductive, side by side.

At a missing rate of 50 %, over three masks, each imputer fills the same holes. In the inductive
scenario it is fitted on four fifths of the samples, whole, and imputes the others (one split, no
donor on both sides); in place it is fitted on the table with the holes. Numbers are R² over hidden
entries, the reference being the mean of the gene's values that are not hidden, averaged over
genes, as published; and seconds. MICE and MissForest are run on tables of up to 100 genes, which
are drawn from the larger ones. Finished fits are kept in ``--cache`` and not computed again.

    python benchmarks/imputers.py --data DIR --cache DIR

DIR holds the folders of COHORTS with ``expression.parquet`` and ``covariates.parquet``, samples as
rows; without it only the simulated cohort is run.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit

from omitrans import GAINImputer, PMIImputer
from omitrans.baselines import make_imputers
from omitrans.comparison import compare_imputers
from omitrans.datasets import make_expression

# cohort -> categorical covariates
COHORTS = {"gtex_scira": ["tissue"], "saureus_modulome": []}
SIMULATED = "simulated"
MAX_GENES_OF_CHAINS = 100
CHAINS = ("mice", "missforest")
N_MASKS, MISSING_RATE = 3, 0.5


def read_cohort(folder, cohort):
    """Return one frame of expression and covariates, the covariates by kind, and the donors."""
    if cohort == SIMULATED:
        data = make_expression(400, 400, n_tissues=8, random_state=0)
        covariates = {
            "categorical_covariates": ["tissue", "sex", "cohort"],
            "numeric_covariates": ["age"],
        }
        return data.X, covariates, data.samples["donor"].to_numpy()
    X = pd.read_parquet(folder / cohort / "expression.parquet")
    X = X.loc[:, X.std() > 0]
    named = pd.read_parquet(folder / cohort / "covariates.parquet").loc[X.index]
    categorical = COHORTS[cohort]
    X = pd.concat([X, named[categorical].astype(str)], axis=1)
    return X, {"categorical_covariates": categorical or None}, np.arange(len(X))


def some_genes(X, covariates, n_genes):
    """Return X with at most so many genes, drawn at random."""
    named = [name for columns in covariates.values() for name in columns or ()]
    genes = X.columns.drop(named)
    if len(genes) <= n_genes:
        return X
    drawn = np.sort(np.random.default_rng(0).choice(len(genes), n_genes, replace=False))
    return X[[*genes[drawn], *named]]


def make_models(covariates, *, chains):
    """Return imputers by name; those of chained regressions only on request."""
    categorical = covariates.get("categorical_covariates") or []
    tissue = "tissue" if "tissue" in categorical else None
    names = ["median", "knn-1", "knn-5", "knn-10", "svd", "ridge", *(CHAINS if chains else ())]
    models = make_imputers(names, **covariates, tissue=tissue, random_state=0)
    options = {**covariates, "random_state": 0}
    return models | {
        "gain-mse": GAINImputer(**options),
        "gain": GAINImputer(**options, adversarial_weight=1.0),
        "pmi": PMIImputer(**options),
        # what the paper says and what the authors' code does in place (and both do inductively)
        "pmi-0.5-0.9": PMIImputer(**options, observed_rate=(0.5, 0.9)),
        "pmi-0.5": PMIImputer(**options, observed_rate=(0.5, 0.5)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--cohorts", nargs="+", default=[SIMULATED, *COHORTS])
    parser.add_argument("--scenarios", nargs="+", default=["inductive", "in-place"])
    parser.add_argument("--models", nargs="+", help="some of them only")
    parser.add_argument("--n-jobs", type=int)
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).parent / "results" / "imputers.csv"
    )
    args = parser.parse_args()
    tables = []
    for cohort in args.cohorts:
        if cohort != SIMULATED and args.data is None:
            continue
        X, covariates, donors = read_cohort(args.data, cohort)
        shapes = {
            "all": X,
            f"{MAX_GENES_OF_CHAINS}": some_genes(X, covariates, MAX_GENES_OF_CHAINS),
        }
        for genes, table in shapes.items():
            for scenario in args.scenarios:
                models = make_models(covariates, chains=genes != "all")
                if args.models:
                    models = {name: models[name] for name in args.models if name in models}
                split = GroupShuffleSplit(1, test_size=0.2, random_state=0)
                comparison = compare_imputers(
                    models,
                    table,
                    scenario=scenario,
                    covariates=[name for columns in covariates.values() for name in columns or ()],
                    missing_rates=[MISSING_RATE],
                    n_masks=N_MASKS,
                    cv=split,
                    groups=donors,
                    random_state=0,
                    n_jobs=args.n_jobs,
                    cache_dir=args.cache,
                    verbose=1,
                )
                summary = comparison.summary(costs=True)
                spread = comparison.at().results.pivot_table(
                    index="model", columns="metric", values="value", aggfunc="std"
                )
                summary.insert(0, "std_over_masks", spread["mean_r2_per_feature"])
                print(f"\n{cohort}, {genes} genes, {scenario}\n{summary.round(3)}", flush=True)
                tables.append(
                    summary.reset_index().assign(cohort=cohort, genes=genes, scenario=scenario)
                )
                write(pd.concat(tables), args.output)


def write(table, path):
    """Write what there is; rows of other cohorts and models that the file holds stay."""
    keys = ["cohort", "genes", "scenario", "model"]
    if path.exists():
        table = pd.concat([pd.read_csv(path, dtype={"genes": str}), table])
    table = table.drop_duplicates(keys, keep="last").sort_values(keys[:3], kind="stable")
    path.parent.mkdir(parents=True, exist_ok=True)
    table.set_index(keys).to_csv(path, float_format="%.5g")


if __name__ == "__main__":
    main()
