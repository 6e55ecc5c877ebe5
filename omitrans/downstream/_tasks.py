"""The tasks of a downstream report: what each model scores on each of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from omitrans.downstream._classification import evaluate_classifier
from omitrans.downstream._clusters import cluster_survival
from omitrans.downstream._driving_genes import driving_genes
from omitrans.downstream._driving_scores import score_driving_genes
from omitrans.downstream._judgement import MEASURED, N_SIGNIFICANT
from omitrans.downstream._list_scores import score_gene_list
from omitrans.downstream._prognosis_genes import prognosis_genes
from omitrans.downstream._survival_model import cross_validate_cox
from omitrans.metrics._tables import check_tables

_MIN_EXPRESSED = 0.5  # share of samples
Rows = Iterator[dict[str, Any]]


@dataclass(frozen=True)
class Setting:
    """The tables of one setting: predicted test samples alone, or with measured training samples.

    Attributes
    ----------
    name : str
        "test" or "union".
    expression : dict of str to DataFrame
        Expression of the same samples by model; that of "measured" first.
    methylation : DataFrame or None
        Methylation of these samples.
    outcome : DataFrame or None
        The columns ``time`` and ``event`` of the samples whose outcome is known.
    """

    name: str
    expression: dict[str, pd.DataFrame]
    methylation: pd.DataFrame | None
    outcome: pd.DataFrame | None

    @property
    def measured(self) -> pd.DataFrame:
        """Measured expression."""
        return self.expression[MEASURED]

    def with_outcome(self, model: str) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
        """Return expression, time and event of the samples whose outcome is known."""
        outcome: Any = self.outcome
        if not len(outcome):
            raise ValueError(
                f"time and event are known of none of the {len(self.measured)} samples. Give them "
                "by the ids of the samples, as in the tables."
            )
        return self.expression[model].loc[outcome.index], outcome["time"], outcome["event"]


@dataclass(frozen=True)
class Options:
    """Settings of the tasks, as of :func:`omitrans.downstream.downstream_report`."""

    threshold: float
    alpha: float
    k: int
    n_clusters: int
    n_bootstrap: int
    seed: int


def driving(setting: Setting, options: Options) -> Rows:
    """Find the genes that methylation drives again (Table 2 of the TDimpute paper)."""
    limits = {"threshold": options.threshold, "alpha": options.alpha}
    genes = driving_genes(setting.methylation, setting.measured, **limits)
    n_positive = int((genes["r2"] > options.threshold).sum())

    def compute(model: str) -> Rows:
        scores = score_driving_genes(
            genes,
            setting.methylation,
            setting.expression[model],
            **limits,
            k=min(options.k, int(genes["probe"].notna().sum())),
            n_bootstrap=options.n_bootstrap,
            random_state=options.seed,
        ).scores
        yield from _of_frame(scores, n_samples=len(setting.measured), n_positive=n_positive)

    return _each(setting, "driving genes", compute)


def prognosis(setting: Setting, options: Options) -> Rows:
    """Find the genes that go with survival again (Table 3 of the TDimpute paper)."""
    genes = prognosis_genes(*setting.with_outcome(MEASURED))
    n_found, n_samples = int((genes["q"] < options.alpha).sum()), int(genes["n"].max())
    place = {"task": "prognosis genes", "setting": setting.name, "model": MEASURED}
    reference = -genes["p"].dropna()
    positive = -reference < options.alpha
    if not positive.any():
        raise ValueError(
            f"None of {len(reference)} genes with a p-value goes with survival in measured "
            f"expression at alpha={options.alpha:g}, so there is nothing to find. Raise alpha."
        )
    counts = {"n_samples": n_samples, "n_positive": int(positive.sum())}
    yield place | {"metric": N_SIGNIFICANT, "value": n_found} | counts

    def compute(model: str) -> Rows:
        p = prognosis_genes(*setting.with_outcome(model))["p"].reindex(reference.index)
        scores = score_gene_list(
            positive,
            reference,
            -p.fillna(1.0),  # such as a gene that is predicted to be the same everywhere
            k=min(options.k, len(reference)),
            n_bootstrap=options.n_bootstrap,
            random_state=options.seed,
        )
        yield from _of_frame(scores, **counts)

    yield from _each(setting, "prognosis genes", compute)


def clusters(setting: Setting, options: Options) -> Rows:
    """Cluster predicted samples as measured ones (Figure 4 of the TDimpute paper)."""
    shared = {
        "n_clusters": options.n_clusters,
        "min_expressed": None,
        "random_state": options.seed,
    }
    measured, *outcome = setting.with_outcome(MEASURED)
    # genes that most samples express, if values are not centred; predictions may be below 0
    values = measured.to_numpy()
    expressed = (values > 0).mean(axis=0) > _MIN_EXPRESSED
    kept = measured.columns[expressed | (values < 0).any()]
    reference = cluster_survival(measured[kept], *outcome, **shared)

    def compute(model: str) -> Rows:
        table = setting.with_outcome(model)[0][kept]
        found = reference
        known = {"n_samples": len(measured)}
        if model != MEASURED:
            found = cluster_survival(table, *outcome, reference=reference.labels, **shared)
            for metric, scores in _agreement(reference.labels, found.labels, options).items():
                yield {"metric": metric, "chance": 0.0, **scores, **known}
        yield {"metric": "log_rank_p", "value": found.p_value, **known}

    return _each(setting, "clusters", compute, measured_too=True)


def survival(setting: Setting, options: Options) -> Rows:
    """Predict survival from expression (Figure 4 of the TDimpute paper)."""

    def compute(model: str) -> Rows:
        table, time, event = setting.with_outcome(model)
        found = cross_validate_cox(table, time, event, random_state=options.seed)
        known = {"n_samples": len(table), "n_positive": int(event.sum()), "chance": 0.5}
        for score in found.scores.itertuples():
            values = {"value": score.mean, "lower": score.lower, "upper": score.upper}
            yield {"metric": f"{score.Index}_c", **values, **known}

    return _each(setting, "survival", compute, measured_too=True)


def classes(
    setting: Setting, options: Options, *, classifier: Any, labels: pd.Series, groups: Any
) -> Rows:
    """Classify predicted samples by a classifier of measured ones (Table 3 of OmiTrans)."""
    samples = labels.index
    tables = {name: table.loc[samples] for name, table in setting.expression.items()}
    measured = tables.pop(MEASURED)
    for name in list(tables):
        try:
            check_tables(measured, tables[name])
        except ValueError as error:
            del tables[name]
            place = {"task": "classes", "setting": setting.name, "model": name}
            yield place | {"metric": "", "value": np.nan, "note": str(error)}
    scores = evaluate_classifier(
        classifier,
        measured,
        tables,
        labels,
        groups=groups,
        n_bootstrap=max(options.n_bootstrap, 2),
        random_state=options.seed,
    )
    if not options.n_bootstrap:
        scores[["lower", "upper"]] = np.nan
    largest = float(labels.value_counts(normalize=True).max())
    for found in scores.itertuples():
        yield {
            "task": "classes",
            "setting": setting.name,
            "metric": found.score,
            "model": found.model,
            "value": found.value,
            "lower": found.lower,
            "upper": found.upper,
            "chance": {"accuracy": largest, "auc": 0.5}.get(found.score, np.nan),
            "n_samples": len(samples),
        }


def _agreement(
    reference: pd.Series, labels: pd.Series, options: Options
) -> dict[str, dict[str, float]]:
    """Return how two clusterings agree, with intervals from samples drawn with replacement."""
    rng = np.random.default_rng(options.seed)
    first, second = reference.to_numpy(), labels.to_numpy()
    draws = [rng.integers(len(first), size=len(first)) for _ in range(options.n_bootstrap)]
    result = {}
    for name, score in (("ari", adjusted_rand_score), ("nmi", normalized_mutual_info_score)):
        drawn = [score(first[rows], second[rows]) for rows in draws]
        lower, upper = np.quantile(drawn, [0.025, 0.975]) if drawn else (np.nan, np.nan)
        result[name] = {"value": score(first, second), "lower": lower, "upper": upper}
    return result


def _of_frame(scores: pd.DataFrame, **known: Any) -> Rows:
    """Yield the rows of a frame with the columns ``value``, ``lower``, ``upper`` and ``chance``."""
    for metric, found in scores.iterrows():
        yield {
            "metric": str(metric),
            **{str(name): value for name, value in found.items()},
            **known,
        }


def _each(
    setting: Setting, task: str, compute: Callable[[str], Rows], *, measured_too: bool = False
) -> Rows:
    """Yield the rows of each model; a model that cannot be judged gets a row that says why."""
    for model in setting.expression:
        if model == MEASURED and not measured_too:
            continue
        place = {"task": task, "setting": setting.name, "model": model}
        try:
            for found in compute(model):
                yield place | found
        except ValueError as error:
            yield place | {"metric": "", "value": np.nan, "note": str(error)}
