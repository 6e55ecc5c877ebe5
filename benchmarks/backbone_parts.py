"""What each part of the kernel backbone is worth: variants with one part left out.

The folds and the preprocessing are those of ``comparison.py``. What the output holds already is
not computed again.

    python benchmarks/backbone_parts.py --data DIR
"""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
from comparison import COHORTS, KEYS, N_FOLDS, Simulated, read_cohort, read_places, write
from sklearn.model_selection import GroupKFold
from tqdm import tqdm

from omitrans.baselines import MultiKernelRidgeRegressor
from omitrans.comparison import compare_models
from omitrans.io.matrix._stream_parse import EXACT_NUMBERS
from omitrans.pipelines import make_translation_pipeline

BARE = {"n_selected": 0, "cis": None}
VARIANTS: dict[str, dict[str, Any]] = {
    "whole": {},
    "no cis features": {"cis": None},
    "no selected features": {"n_selected": 0},
    "no direct features": BARE,
    "no direct features, equal kernels": BARE | {"kernel_weights": "equal"},
    "no direct features, linear kernel": BARE | {"kernel_weights": {"linear, standardised": 1}},
    "no direct features, by gene": BARE | {"penalties": "gene"},
    "no direct features, by component": BARE | {"penalties": "component"},
}
LARGE = ("tcga_brca769", "simulated_5000")
METRICS = ["mean_r2_per_feature", "mse", "mean_ae"]


def run_fold(folder: Path | None, cohort: str, variant: str, fold: int) -> pd.DataFrame:
    """Return the metrics of one variant on one fold."""
    X, Y, groups = read_cohort(folder, cohort)
    split = list(GroupKFold(N_FOLDS).split(X, groups=groups))[fold]
    params = VARIANTS[variant]
    places = {} if "cis" in params else read_places(folder, cohort)
    model = make_translation_pipeline(
        MultiKernelRidgeRegressor(**places, **params),
        min_variance=1e-4,
        source_unit=getattr(COHORTS[cohort], "unit", "beta"),
    )
    results = compare_models({variant: model}, X, Y, cv=[split], groups=groups).results
    results = results[results["metric"].isin(METRICS)]
    return results.assign(cohort=cohort, model=variant, fold=fold)[[*KEYS, "metric", "value"]]


def main() -> None:
    """Run what is missing and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="folder of the real cohorts")
    add("--output", type=Path, default=Path("benchmarks/results/backbone_parts.csv"))
    add("--cohorts", nargs="+", choices=list(COHORTS))
    options = parser.parse_args()
    simulated = [name for name, cohort in COHORTS.items() if isinstance(cohort, Simulated)]
    small = [name for name in (COHORTS if options.data else simulated) if name not in LARGE]
    known = pd.DataFrame(columns=[*KEYS, "metric", "value"])
    if options.output.exists():
        known = pd.read_csv(options.output, **EXACT_NUMBERS)
    done = set(known[KEYS].itertuples(index=False, name=None))
    tasks = [
        (cohort, variant, fold)
        for cohort in options.cohorts or small
        for variant in VARIANTS
        for fold in range(N_FOLDS)
        if (cohort, variant, fold) not in done
    ]
    for task in tqdm(tasks, unit="fold"):
        rows = run_fold(options.data, *task)
        known = pd.concat([known, rows]) if len(known) else rows
        write(known, options.output)
    for metric in METRICS:
        part = known[known["metric"] == metric]
        table = part.pivot_table("value", "cohort", "model", sort=False)
        print(f"\n{metric}\n{table.to_string(float_format='{:.4f}'.format)}")


if __name__ == "__main__":
    main()
