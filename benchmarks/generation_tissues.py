"""What generated expression of human tissues is good for: classifiers and lists of genes.

1. Classifiers of tissue and disease learn from synthetic samples under the covariates of the real
   training samples, one or several draws of each, and are tested on real samples. "real" learns
   from the real ones. Splits are fixed, by donor where donors are known; the seed of generators and
   classifiers changes.
2. On simulated expression with 50 driver genes of a disease, genes are ranked by counterfactuals.
   The precision is the share of drivers among the first 50: within studies that hold both
   conditions, and where study and disease go together, of which a warning must tell.

Results are kept in the output files, whose rows of other cohorts, models and seeds stay.

    python benchmarks/generation_tissues.py --data DIR --seeds 5

DIR holds the folder ``gtex_scira`` with ``expression.parquet`` and ``covariates.parquet``; without
it only simulated cohorts are run.
"""

import argparse
import time
import warnings
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
from sklearn.model_selection import GroupShuffleSplit, StratifiedShuffleSplit
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from omitrans import PMIImputer, WGANGPGenerator
from omitrans.baselines import GaussianCopulaGenerator, GaussianGenerator, ImputerGenerator
from omitrans.datasets import make_disease_expression, make_expression
from omitrans.exceptions import ConfoundedChangeWarning
from omitrans.generation import counterfactual_ranking

SPLIT_SEED = 2026
TEST_SIZE = 0.25
N_DRIVERS = 50
REAL = "real"
GENERATORS = {
    "gaussian": lambda seed: GaussianGenerator(random_state=seed),
    "gaussian-shared": lambda seed: GaussianGenerator(class_prior=np.inf, random_state=seed),
    "copula": lambda seed: GaussianCopulaGenerator(random_state=seed),
    "imputer": lambda seed: ImputerGenerator(PMIImputer(random_state=seed), random_state=seed),
    "wgan-paper": lambda seed: WGANGPGenerator.from_preset("paper-gtex-tcga", random_state=seed),
    "wgan": lambda seed: WGANGPGenerator(random_state=seed),
}
# The network is that of the paper.
CLASSIFIERS = {
    "mlp": lambda seed: MLPClassifier((64, 64), tol=1e-3, random_state=seed),
    "logistic": lambda seed: LogisticRegression(C=0.01, max_iter=500, random_state=seed),
}
# design -> share of donors whose study follows the disease, covariate that is held
DESIGNS = {"within study": (0.0, "study"), "confounded": (1.0, None)}


class Cohort(NamedTuple):
    """Expression, covariates, the covariates to be told from expression, donors, and a split."""

    expression: pd.DataFrame
    covariates: pd.DataFrame
    labels: list
    donors: np.ndarray | None
    train: np.ndarray
    test: np.ndarray


# --- cohorts ---


def read_gtex(folder):
    """Return 26 tissues with 20 samples each, whose donors are not known."""
    expression = pd.read_parquet(folder / "gtex_scira" / "expression.parquet")
    covariates = pd.read_parquet(folder / "gtex_scira" / "covariates.parquet")
    covariates = covariates.loc[expression.index, ["tissue"]].astype(str)
    splitter = StratifiedShuffleSplit(1, test_size=TEST_SIZE, random_state=SPLIT_SEED)
    train, test = next(splitter.split(expression, covariates["tissue"]))
    return Cohort(expression, covariates, ["tissue"], None, train, test)


def simulate_tissues(_):
    """Return eight tissues of donors who give several; the noise is such that some are mistaken."""
    data = make_expression(600, 500, n_tissues=8, noise=4.0, random_state=0)
    covariates = data.samples[["tissue", "sex", "cohort", "age"]]
    return by_donor(data.expression, covariates, ["tissue"], data.samples["donor"])


def simulate_disease(_):
    """Return four tissues of healthy and diseased donors from two studies; the effect is weak."""
    data = make_disease_expression(600, 500, n_drivers=N_DRIVERS, effect=0.3, random_state=0)
    return by_donor(data.expression, data.covariates, ["condition"], data.samples["donor"])


def by_donor(expression, covariates, labels, donors):
    """Return a cohort whose split keeps the samples of a donor together."""
    donors = donors.to_numpy()
    splitter = GroupShuffleSplit(1, test_size=TEST_SIZE, random_state=SPLIT_SEED)
    train, test = next(splitter.split(expression, groups=donors))
    return Cohort(expression, covariates, labels, donors, train, test)


COHORTS = {
    "gtex_scira": read_gtex,
    "simulated tissues": simulate_tissues,
    "simulated disease": simulate_disease,
}


# --- classifiers ---


def fit_generator(model, seed, cohort):
    """Return a generator that knows the training samples."""
    real, X = cohort.expression.iloc[cohort.train], cohort.covariates.iloc[cohort.train]
    groups = None if cohort.donors is None else cohort.donors[cohort.train]
    return GENERATORS[model](seed).fit(X, real, groups=groups)


def training_tables(generator, seed, cohort, n_draws):
    """Return real or synthetic expression with the covariates of its rows."""
    real, X = cohort.expression.iloc[cohort.train], cohort.covariates.iloc[cohort.train]
    if generator is None:
        return real, X
    drawn = generator.sample_y(X, n_samples=n_draws, random_state=seed)
    return drawn, pd.concat([X] * n_draws)


def classify(tables, cohort, label, classifier, seed):
    """Return scores on the real test samples of a classifier that learned from `tables`."""
    source, known = tables[0], tables[1][label].to_numpy()
    truth = cohort.covariates[label].iloc[cohort.test].to_numpy()
    test = cohort.expression.iloc[cohort.test].to_numpy()
    model = make_pipeline(StandardScaler(), CLASSIFIERS[classifier](seed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 200 epochs are enough to compare
        model.fit(source.to_numpy(), known)
    probability = model.predict_proba(test)
    areas = [
        roc_auc_score(truth == level, probability[:, place])
        for place, level in enumerate(model.classes_)
        if 0 < (truth == level).sum() < len(truth)
    ]
    predicted = model.predict(test)
    return {
        "accuracy": accuracy_score(truth, predicted),
        "macro_f1": f1_score(truth, predicted, average="macro", zero_division=0.0),
        "macro_auc": float(np.mean(areas)),
    }


def run_classifiers(args):
    """Compare what classifiers learn from real and from synthetic expression."""
    keys = ["cohort", "label", "classifier", "draws", "model", "seed"]
    rows = []
    for name in args.cohorts:
        if name == "gtex_scira" and args.data is None:
            continue
        cohort = COHORTS[name](args.data)
        for model, seed in product(args.models, range(args.seeds)):
            start = time.perf_counter()
            generator = None if model == REAL else fit_generator(model, seed, cohort)
            seconds = time.perf_counter() - start
            for draws in args.draws:
                tables = training_tables(generator, seed, cohort, draws)
                for label, classifier in product(cohort.labels, CLASSIFIERS):
                    place = (name, label, classifier, draws, model, seed)
                    row = dict(zip(keys, place, strict=True))
                    row |= classify(tables, cohort, label, classifier, seed)
                    rows.append(row | {"seconds": seconds})
            print(f"  {name}, {model} {seed}: {seconds:.0f} s", flush=True)
            write(rows, keys, args.output / "generation_tissues.csv")
    show(rows, keys[:-1], ["accuracy", "macro_f1", "macro_auc"])


# --- lists of genes ---


def precision(model, seed, design):
    """Return the share of drivers among the first genes, and whether a warning was given."""
    confounding, within = DESIGNS[design]
    data = make_disease_expression(
        400, 500, n_drivers=N_DRIVERS, confounding=confounding, random_state=seed
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ranking = counterfactual_ranking(
            GENERATORS[model](seed),
            data.covariates,
            {"condition": ("healthy", "disease")},
            y=data.expression,
            within=within,
            groups=data.samples["donor"],
            n_refits=0,
            random_state=seed,
        )
    flagged = any(issubclass(warning.category, ConfoundedChangeWarning) for warning in caught)
    found = ranking["gene"].head(N_DRIVERS).isin(data.truth.drivers)
    return {"precision": float(found.mean()), "flagged": float(flagged)}


def run_rankings(args):
    """Compare the genes that generators name as drivers of a disease with the true ones."""
    keys = ["design", "model", "seed"]
    rows = []
    for design in DESIGNS:
        for model in args.ranking_models:
            for seed in range(args.seeds):
                start = time.perf_counter()
                row = dict(zip(keys, (design, model, seed), strict=True))
                row |= precision(model, seed, design)
                rows.append(row | {"seconds": time.perf_counter() - start})
                write(rows, keys, args.output / "generation_rankings.csv")
    show(rows, keys[:-1], ["precision", "flagged"])


# --- output ---


def show(rows, keys, scores):
    """Print means and standard deviations over seeds."""
    if rows:
        grouped = pd.DataFrame(rows).groupby(keys, sort=False)[scores]
        mean, spread = grouped.mean(), grouped.std()
        shown = mean.map("{:.4f}".format) + spread.map(
            " ± {:.4f}".format, na_action="ignore"
        ).fillna("")
        print(f"\n{shown.to_string()}", flush=True)


def write(rows, keys, path):
    """Write what there is; other rows that the file holds stay."""
    table = pd.DataFrame(rows)
    if path.exists():
        table = pd.concat([pd.read_csv(path), table])
    table = table.drop_duplicates(keys, keep="last").sort_values(keys[:-2], kind="stable")
    path.parent.mkdir(parents=True, exist_ok=True)
    table.set_index(keys).to_csv(path, float_format="%.5g")


def main():
    models = [REAL, *GENERATORS]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--cohorts", nargs="*", choices=COHORTS, default=list(COHORTS))
    parser.add_argument("--models", nargs="+", choices=models, default=models)
    parser.add_argument(
        "--ranking-models", nargs="*", choices=models[1:], default=["gaussian", "wgan"]
    )
    parser.add_argument(
        "--draws", nargs="+", type=int, default=[1, 4], help="draws for each training sample"
    )
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    args = parser.parse_args()
    run_classifiers(args)
    run_rankings(args)


if __name__ == "__main__":
    main()
