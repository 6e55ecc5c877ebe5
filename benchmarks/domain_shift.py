"""How often DomainShiftDetector flags samples of its own cohort, and samples of another.

Per cohort, four fifths of the patients train the detector, again and again. Flagged shares are
measured on the other fifth ("same": the false positive rate), on other cohorts ("other") and on
the held-out samples after a fault of processing ("fault").

    python benchmarks/domain_shift.py --data DIR

DIR may hold ``tcga_transfer/brca_to_luad`` and ``tcga_pan_rppa`` (methylation of genes),
``tcga_brca`` and ``tcga_lihc`` (their shared genes) and ``gtex_scira`` (expression of 26 tissues
with 20 samples each); the simulated cohort needs nothing.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit
from tqdm import tqdm

from omitrans.datasets import make_paired_omics
from omitrans.model_selection import patient_of
from omitrans.preprocessing import beta_to_m
from omitrans.trust import DomainShiftDetector

COLUMNS = ["data", "rate", "train", "n_train", "n_features", "kind", "new", "n_new", "flagged"]
MAX_COHORTS_APART = 10  # more are counted together
Tables = dict[str, pd.DataFrame]


def simulated() -> Tables:
    """Return betas of tumours of four simulated cancer types, and of normal tissue."""
    data = make_paired_omics(1_000, 2_000, 10, missing_rate=0, random_state=0)
    normal = data.samples["sample_type"].eq("normal")
    tumours = data.X[~normal].groupby(data.samples.loc[~normal, "cancer_type"])
    return {**{str(name): table for name, table in tumours}, "normal tissue": data.X[normal]}


def brca_to_luad(folder: Path) -> Tables:
    """Return methylation of breast and lung tumours, gaps filled with the breast's means."""
    folder = folder / "tcga_transfer" / "brca_to_luad"
    source = pd.read_parquet(folder / "source_methylation.parquet")
    target = pd.read_parquet(folder / "target_methylation.parquet")
    return {"BRCA": source.fillna(source.mean()), "LUAD": target.fillna(source.mean())}


def brca_to_lihc(folder: Path) -> Tables:
    """Return methylation of the few genes that breast and liver tables share."""
    breast = pd.read_parquet(folder / "tcga_brca" / "methylation_hm27_gene.parquet")
    liver = pd.read_parquet(folder / "tcga_lihc" / "methylation.parquet")
    shared = breast.columns.intersection(liver.columns)
    return {"BRCA": breast[shared].dropna(), "LIHC": liver[shared].dropna()}


def pan_cancer(folder: Path) -> Tables:
    """Return methylation of the genes that all four cancers have."""
    folder = folder / "tcga_pan_rppa"
    X = pd.read_parquet(folder / "methylation_hm27_gene.parquet").dropna(axis=1)
    cancers = pd.read_parquet(folder / "labels.parquet").loc[X.index, "cancer"]
    return {str(name): table for name, table in X.groupby(cancers)}


def gtex(folder: Path) -> Tables:
    """Return expression of 26 tissues."""
    folder = folder / "gtex_scira"
    X = pd.read_parquet(folder / "expression.parquet")
    tissues = pd.read_parquet(folder / "covariates.parquet").loc[X.index, "tissue"]
    return {str(name): table for name, table in X.groupby(tissues)}


REAL: dict[str, Callable[[Path], Tables]] = {
    "brca_to_luad": brca_to_luad,
    "brca_to_lihc": brca_to_lihc,
    "pan_cancer": pan_cancer,
    "gtex": gtex,
}


def faults(X: pd.DataFrame, *, betas: bool) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield samples as faults of processing leave them."""
    rng = np.random.default_rng(0)
    shuffled = rng.permutation(X.shape[1])
    yield "all columns swapped", pd.DataFrame(X.to_numpy()[:, shuffled], X.index, X.columns)
    some = np.arange(X.shape[1])
    chosen = rng.choice(some, max(2, X.shape[1] // 10), replace=False)
    some[chosen] = np.roll(chosen, 1)
    yield "a tenth of the columns swapped", pd.DataFrame(X.to_numpy()[:, some], X.index, X.columns)
    if betas:
        yield "M-values", beta_to_m(X.clip(0.001, 0.999))
        for size in (0.05, 0.1):
            yield f"betas {size} higher", (X + size).clip(upper=1)
        offset = rng.normal(0, 0.1, X.shape[1]).astype(np.float32)
        yield "batch offset, deviation 0.1 a column", (X + offset).clip(0, 1)


def groups_of(X: pd.DataFrame) -> np.ndarray:
    """Return the patient of each sample; each sample is one where ids do not tell."""
    try:
        return patient_of(X.index.astype(str))
    except ValueError:
        return np.arange(len(X))


def measure(
    name: str, tables: Tables, repeats: int, rates: list[float]
) -> Iterator[list[str | int | float]]:
    """Yield the flagged share of each kind of samples for each training cohort and rate."""
    splits = GroupShuffleSplit(repeats, test_size=0.2, random_state=0)
    for cohort in tqdm(tables, desc=name, unit="cohort"):
        X, groups = tables[cohort], groups_of(tables[cohort])
        p_values: dict[tuple[str, str], list[np.ndarray]] = {}
        for train, held in splits.split(X, groups=groups):
            detector = DomainShiftDetector(random_state=0).fit(X.iloc[train], groups=groups[train])
            new = [("same", cohort, X.iloc[held])]
            for other in set(tables) - {cohort}:
                label = other if len(tables) <= MAX_COHORTS_APART else "others"
                new.append(("other", label, tables[other]))
            for fault, table in faults(X.iloc[held], betas=name != "gtex"):
                new.append(("fault", fault, table))
            for kind, label, table in new:
                p_values.setdefault((kind, label), []).append(detector.p_values(table))
        for rate in rates:
            for (kind, label), found in sorted(p_values.items(), reverse=True):
                flagged = np.concatenate(found) <= rate
                counts = len(detector.training_distances_), X.shape[1]
                yield [name, rate, cohort, *counts, kind, label, len(flagged), flagged.mean()]


def main() -> None:
    """Measure all cohorts and print the flagged shares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="folder of the real cohorts")
    add("--output", type=Path, default=Path("benchmarks/results/domain_shift.csv"), metavar="FILE")
    add("--repeats", type=int, default=10)
    add("--rates", type=float, nargs="+", default=[0.01, 0.05])
    options = parser.parse_args()
    cohorts = {"simulated": simulated()}
    if options.data:
        cohorts |= {name: read(options.data) for name, read in REAL.items()}
    rows = [
        row
        for name, tables in cohorts.items()
        for row in measure(name, tables, options.repeats, options.rates)
    ]
    results = pd.DataFrame(rows, columns=COLUMNS)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    results.to_csv(options.output, index=False, float_format="%.4g")
    results["of"] = results["new"].where(results["kind"].eq("fault"), "all")
    table = results.pivot_table(
        index=["data", "kind", "of"], columns="rate", values="flagged", sort=False
    )
    print(table.round(3).to_string())


if __name__ == "__main__":
    main()
