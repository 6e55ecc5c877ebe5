"""How honestly translators scatter: energy score, coverage and correlations of drawn profiles.

Folds keep the samples of a patient together, and every model learns from the training samples of a
fold only, its residuals too. Each arm draws the test samples of the fold:

``independent``   the kernel model, and normal errors with the variance of each gene only
``covariance``    the same predictions and variances, and the covariance between genes
``z``             a network with noise z alone (noise_dim), for each weight of the reconstruction
``z+covariance``  the same network, noise z, and errors with covariance

Each finished fold is written at once, and is not computed again.

    python benchmarks/noise_translators.py --data DIR --networks
    python benchmarks/noise_translators.py --summary
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from comparison import read_cohort
from sklearn.model_selection import GroupKFold

from omitrans import OmiTransRegressor
from omitrans.baselines import MultiKernelRidgeRegressor
from omitrans.metrics import energy_score, gene_set_coverage, interval_coverage, s_dist
from omitrans.pipelines import make_translation_pipeline

COHORTS = ("tcga_brca", "tcga_lihc")
N_FOLDS, N_DRAWS, NOISE_DIM = 5, 50, 16
WEIGHTS = (100.0, 1.0)  # of the reconstruction loss, beside the adversarial loss of weight 1
RESULTS = Path(__file__).parent / "results" / "noise_translators.csv"


def without_covariance(model: Any) -> None:
    """Let the errors of a model be independent, with the variances that they had."""
    noise = model._residual_noise
    variances = np.square(noise["factors"]).sum(axis=0) + np.square(noise["deviation"])
    model._residual_noise = {
        "factors": noise["factors"][:0],
        "deviation": np.sqrt(variances).astype(noise["deviation"].dtype),
    }


Arm = tuple[str, pd.DataFrame, np.ndarray]


def kernel_arms(X: pd.DataFrame, Y: pd.DataFrame, groups: Any, new: pd.DataFrame) -> Iterator[Arm]:
    """Yield the name, the draws and the predictions of each arm with the kernel model."""
    kernel = MultiKernelRidgeRegressor().fit(X, Y)
    kernel.learn_residuals(X, Y, groups, random_state=0)
    predicted = kernel.predict(new)
    yield "covariance", kernel.sample_y(new, N_DRAWS, random_state=0), predicted
    without_covariance(kernel)
    yield "independent", kernel.sample_y(new, N_DRAWS, random_state=0), predicted


def network_arms(X: pd.DataFrame, Y: pd.DataFrame, groups: Any, new: pd.DataFrame) -> Iterator[Arm]:
    """Yield the name, the draws and the predictions of each arm with a network."""
    for weight in WEIGHTS:
        network = OmiTransRegressor(
            backbone=None,
            noise_dim=NOISE_DIM,
            reconstruction_weight=weight,
            device="cpu",
            random_state=0,
        )
        network.fit(X, Y, groups=groups)
        predicted = network.predict(new)
        drawn = network.sample_y(new, N_DRAWS, random_state=0, residuals=False)
        yield f"z, weight {weight:g}", drawn, predicted
        network.learn_residuals(X, Y, groups, cv=2, random_state=0)
        drawn = network.sample_y(new, N_DRAWS, random_state=0)
        yield f"z+covariance, weight {weight:g}", drawn, predicted


def scores(truth: pd.DataFrame, drawn: pd.DataFrame, predicted: np.ndarray) -> dict[str, float]:
    """Return all scores of the draws of one fold."""
    first = drawn.iloc[: len(truth)]
    spread = drawn.to_numpy().reshape(N_DRAWS, *truth.shape).std(axis=0, ddof=1)
    found = {
        "rmse": float(np.sqrt(np.square(truth.to_numpy() - predicted).mean())),
        "deviation": float(np.sqrt(np.square(spread, dtype=np.float64).mean())),
        "energy": energy_score(truth, drawn),
        "s_dist": s_dist(truth.to_numpy(), first.to_numpy()),
    }
    varies = truth.std() > 0
    for level in (0.8, 0.9):
        found[f"genes_{level:g}"] = interval_coverage(truth, drawn, level)[varies].mean()
        found[f"sets_{level:g}"] = gene_set_coverage(truth, drawn, level)
    return found


def run(data: Path, cohort: str, *, networks: bool, n_folds: int) -> None:
    """Score the arms in the folds of a cohort that are not in the results yet."""
    X, Y, groups = read_cohort(data, cohort)
    done = set()
    if RESULTS.exists():
        table = pd.read_csv(RESULTS)
        table = table[table["arm"].str.startswith("z") == networks]
        done = set(zip(table["cohort"], table["fold"], table["arm"], strict=True))
    groups = np.asarray(groups)
    for fold, (train, test) in enumerate(GroupKFold(N_FOLDS).split(X, groups=groups)):
        if fold >= n_folds or any(key[:2] == (cohort, fold) for key in done):
            continue
        steps = make_translation_pipeline(None)[:-1]
        source = steps.fit_transform(X.iloc[train]).astype(np.float32)
        new = steps.transform(X.iloc[test]).astype(np.float32)
        target, truth = Y.iloc[train].astype(np.float32), Y.iloc[test]
        rows, start = [], perf_counter()
        arms = network_arms if networks else kernel_arms
        for name, drawn, predicted in arms(source, target, groups[train], new):
            row = {"cohort": cohort, "fold": fold, "arm": name}
            row |= {"seconds": round(perf_counter() - start, 1)}
            rows.append(row | scores(truth, drawn, predicted))
            print(pd.Series(rows[-1]).to_string(), flush=True)
            start = perf_counter()
        table = pd.DataFrame(rows).round(4)
        table.to_csv(RESULTS, mode="a", header=not RESULTS.exists(), index=False)


def summarize() -> None:
    """Print the mean over the folds."""
    table = pd.read_csv(RESULTS)
    print(table.drop(columns="fold").groupby(["cohort", "arm"]).mean().round(3).to_string())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--cohorts", nargs="+", default=COHORTS)
    parser.add_argument("--networks", action="store_true", help="the arms with networks, too")
    parser.add_argument("--folds", type=int, default=N_FOLDS, help="number of folds to score")
    parser.add_argument("--summary", action="store_true")
    options = parser.parse_args()
    if not options.summary:
        for cohort in options.cohorts:
            for networks in (False, True)[: 1 + options.networks]:
                run(options.data, cohort, networks=networks, n_folds=options.folds)
    summarize()
