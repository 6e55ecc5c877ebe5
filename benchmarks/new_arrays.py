"""Models for arrays they were not trained on: accuracy, intervals, training with hidden probes.

Each cohort is split by patient, three quarters to learn from. Models stand in the package's
pipeline inside TrustedRegressor. On the samples set aside are measured

- R² of their 450K table and of simulated EPIC and EPICv2 versions of it (noise 0.02 in betas), with
  missing probes filled by training means, the nearest training group, k neighbours and components;
- how many real values the 80, 90 and 95 % intervals hold;
- R² at falling shares of probes, of networks trained with and without hidden probes, and what the
  trust card expects there.

    python benchmarks/new_arrays.py --data DIR

DIR holds the folders of COHORTS with ``methylation.parquet`` and ``expression.parquet``, samples as
rows; without it only the simulated cohort is run. Results go to ``results/new_arrays_*.csv``, a
row a measurement.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold, GroupShuffleSplit

from omitrans import OmiTransRegressor
from omitrans.baselines import make_baselines
from omitrans.datasets import make_paired_omics, simulate_array_version
from omitrans.exceptions import LowCoverageWarning
from omitrans.metrics import r2_per_feature
from omitrans.model_selection import patient_of
from omitrans.pipelines import make_translation_pipeline
from omitrans.preprocessing import ArrayHarmonizer
from omitrans.trust import TrustedRegressor

COHORTS = ("tcga_brca", "tcga_coad_chr21", "tcga_lihc")
OF_GENES = ("tcga_lihc",)  # betas averaged by gene: no array measures them
SIMULATED = "simulated"
DEFAULT = "components"  # how the package's pipeline fills missing probes
LEVELS = (0.8, 0.9, 0.95)
SHARES = (1.0, 0.8, 0.5, 0.3)
RESULTS = Path(__file__).parent / "results"


def read_cohort(folder, cohort):
    """Return X, Y and the patient of each sample."""
    if cohort == SIMULATED:
        data = make_paired_omics(300, 2000, 150, random_state=1)
        return data.X, data.Y, data.samples["patient"].to_numpy()
    X, Y = (
        pd.read_parquet(folder / cohort / f"{name}.parquet")
        for name in ("methylation", "expression")
    )
    return X, Y, np.asarray(patient_of(X.index, id_format="tcga"))


def make_regressors():
    return {
        "ridge": make_baselines(["ridge"])["ridge"],
        "omitrans": OmiTransRegressor(backbone=None, random_state=0),
        "omitrans, hidden probes": OmiTransRegressor(
            backbone=None, probe_dropout=0.4, random_state=0
        ),
    }


def median_r2(Y, predicted):
    return float(np.nanmedian(r2_per_feature(Y.to_numpy(), np.asarray(predicted))))


def measure_arrays(model, X, Y, seed):
    """Yield R² of the samples' table and of its newer versions."""
    tables = {"450K": X} | {
        name: simulate_array_version(X, name, random_state=seed) for name in ("EPIC", "EPICv2")
    }
    for array, table in tables.items():
        yield array, median_r2(Y, model.predict(table))


def measure_intervals(model, X, Y):
    """Yield the share of real values inside the intervals, at each level."""
    for level in LEVELS:
        lower, upper = model.predict_interval(X, level)
        yield level, float((Y.ge(lower) & Y.le(upper)).to_numpy().mean())


def measure_shares(model, X, Y, seed):
    """Yield R² with a share of the probes, and what the trust card expects."""
    order = np.random.default_rng(seed).permutation(X.shape[1])
    for share in SHARES:
        table = X[X.columns[order[: round(share * X.shape[1])]]]
        expected = float(model.trust_card_.expected_r2(share).median())
        yield share, median_r2(Y, model.predict(table)), expected


def run(cohort, folder, n_repeats, n_jobs):
    """Return the three tables of a cohort."""
    X, Y, patients = read_cohort(folder, cohort)
    arrays, intervals, shares = [], [], []
    # not refused: how much is lost at low coverage is what is measured
    relaxed = {"min_coverage": 0.0, "warn_coverage": 0.0}
    split = GroupShuffleSplit(n_repeats, test_size=0.25, random_state=0)
    for seed, (train, test) in enumerate(split.split(X, groups=patients)):
        place = {"cohort": cohort, "repeat": seed, "n_train": len(train), "n_test": len(test)}
        for name, regressor in make_regressors().items():
            policies = ("mean", "group", "knn", DEFAULT) if name == "ridge" else ("mean", DEFAULT)
            for missing in policies:
                harmonizer = ArrayHarmonizer(missing=missing, random_state=0, **relaxed)
                # gene-level tables have no probes to lose to another array
                pipeline = make_translation_pipeline(regressor, harmonizer=harmonizer)
                model = TrustedRegressor(pipeline, cv=GroupKFold(5), random_state=0, n_jobs=n_jobs)
                model.fit(X.iloc[train], Y.iloc[train], groups=patients[train])
                held = X.iloc[test], Y.iloc[test]
                who = place | {"model": name}
                if cohort not in OF_GENES:
                    for array, r2 in measure_arrays(model, *held, seed):
                        arrays.append(who | {"array": array, "missing": missing, "median_r2": r2})
                for share, r2, expected in measure_shares(model, *held, seed):
                    found = {"share": share, "median_r2": r2, "expected_median_r2": expected}
                    shares.append(who | {"missing": missing} | found)
                if missing == DEFAULT:
                    for level, inside in measure_intervals(model, *held):
                        intervals.append(who | {"level": level, "inside": inside})
            print(cohort, seed, name, flush=True)
    return {"arrays": arrays, "intervals": intervals, "shares": shares}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--n-jobs", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore", LowCoverageWarning)
    cohorts = (SIMULATED, *(COHORTS if options.data else ()))
    tables = {"arrays": [], "intervals": [], "shares": []}
    for cohort in cohorts:
        for name, rows in run(cohort, options.data, options.repeats, options.n_jobs).items():
            tables[name] += rows
            path = RESULTS / f"new_arrays_{name}.csv"
            pd.DataFrame(tables[name]).round(4).to_csv(path, index=False)
    columns = {
        "arrays": ["array", "missing"],
        "intervals": ["level"],
        "shares": ["missing", "share"],
    }
    for name, rows in tables.items():
        value = "inside" if name == "intervals" else "median_r2"
        print(
            pd.DataFrame(rows)
            .pivot_table(index=["cohort", "model"], columns=columns[name], values=value)
            .round(3)
            .to_string()
        )


if __name__ == "__main__":
    main()
