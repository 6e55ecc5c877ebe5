"""Checks of use: classifiers that learn from synthetic samples, or try to tell them apart."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.parallel import Parallel, delayed

from omitrans.generation._tables import AuditTables, Part, row

_GOOD_LOSS, _FAIR_LOSS = 0.03, 0.10
_FEWEST_PAIRS = 20


def classifier_named(name: str) -> Any:
    """Return an unfitted classifier: "mlp", that of the paper, or "logistic"."""
    if name == "mlp":
        network = MLPClassifier((64, 64), early_stopping=False, max_iter=200, tol=1e-3)
        return make_pipeline(StandardScaler(), network)
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))


def utility(
    tables: AuditTables, classifier: Any, n_seeds: int, seed: int, n_jobs: int | None
) -> list[dict[str, Any]]:
    """Train on synthetic and on real samples, and test on the held-out real ones."""
    names = [str(name) for name in tables.train.labels]
    jobs = [
        (name, source, seed + i)
        for name in names
        for source in (tables.train, tables.synthetic)
        for i in range(n_seeds)
    ]
    found = Parallel(n_jobs=n_jobs)(
        delayed(_scores)(source, tables.test, name, classifier, number)
        for name, source, number in jobs
    )
    scores = np.array(list(found)).reshape(len(names), 2, n_seeds, 2)
    rows = []
    for name, (real, synthetic) in zip(names, scores, strict=True):
        for j, title in enumerate(("macro AUC", "macro F1")):
            value, reference = float(synthetic[:, j].mean()), float(real[:, j].mean())
            if np.isnan(value) or np.isnan(reference):  # one level only
                continue
            spread, loss = 2 * float(synthetic[:, j].std()), reference - value
            verdict = "good" if loss <= _GOOD_LOSS else "fair" if loss <= _FAIR_LOSS else "poor"
            more = {"low": value - spread, "high": value + spread, "verdict": verdict}
            rows.append(row(f"utility, {title}", name, value, reference=reference, **more))
    return rows


def _scores(source: Part, test: Part, name: str, classifier: Any, seed: int) -> tuple[float, float]:
    """Return the macro AUC and the macro F1 on the real test samples."""
    labels, truth = source.labels[name].to_numpy(), test.labels[name].to_numpy()
    if len(set(labels)) < 2 or len(set(truth)) < 2:
        return np.nan, np.nan
    model = clone(classifier)
    seeds = {key: seed for key in model.get_params() if key.endswith("random_state")}
    model.set_params(**seeds).fit(source.values, labels)
    probability = pd.DataFrame(model.predict_proba(test.values), columns=model.classes_)
    levels = sorted(set(truth))
    probability = probability.reindex(columns=levels, fill_value=0.0)
    areas = [roc_auc_score(truth == level, probability[level]) for level in levels]
    predicted = model.predict(test.values)
    return float(np.mean(areas)), float(
        f1_score(truth, predicted, average="macro", labels=levels, zero_division=0.0)
    )


def discrimination(tables: AuditTables, seed: int) -> list[dict[str, Any]]:
    """Let classifiers tell synthetic from real samples of the same covariates."""
    rows = []
    models = {
        "logistic regression": classifier_named("logistic"),
        "random forest": RandomForestClassifier(100, min_samples_leaf=2, random_state=seed),
    }
    for title, model in models.items():
        value, low, high = _told_apart(tables.test, tables.synthetic, model, seed)
        reference, _, top = _told_apart(tables.test, tables.train, model, seed)
        extra = low - max(0.5, top)
        verdict = "good" if extra <= 0 else "fair" if value <= 0.8 else "poor"
        bounds = {"low": low, "high": high}
        rows.append(
            row("discrimination, AUC", title, value, reference=reference, verdict=verdict, **bounds)
        )
    return rows


def _told_apart(real: Part, other: Part, model: Any, seed: int) -> tuple[float, float, float]:
    """Return the cross-validated AUC, and a bootstrap interval of 95 %.

    The pairs of a fold stay together; a model would else learn from the partner of a held-out
    sample which covariates are rarer among the others.
    """
    random = np.random.default_rng(seed)
    first, second = _pairs(real.labels, other.labels, random)
    values = np.vstack([real[0][first], other[0][second]])
    truth = np.repeat([0, 1], len(first))
    pair = np.tile(np.arange(len(first)), 2)
    folds = GroupKFold(min(5, len(first)), shuffle=True, random_state=seed)
    scores = cross_val_predict(model, values, truth, groups=pair, cv=folds, method="predict_proba")[
        :, 1
    ]
    areas = []
    for _ in range(300):
        drawn = random.integers(len(first), size=len(first))
        areas.append(_area(scores[drawn], scores[drawn + len(first)]))
    low, high = np.quantile(areas, [0.025, 0.975])
    area = _area(scores[: len(first)], scores[len(first) :])
    return area, float(low), float(high)


def _area(real: np.ndarray, other: np.ndarray) -> float:
    """Return the AUC of equally many scores of each kind, from their ranks."""
    ranks = rankdata(np.concatenate([real, other]))[len(real) :]
    return float((ranks.mean() - (len(other) + 1) / 2) / len(real))


def _pairs(
    real: pd.DataFrame, other: pd.DataFrame, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of two tables with the same covariates; any rows if there are few such pairs."""
    waiting: dict[tuple[str, ...], list[int]] = {}
    for i in random.permutation(len(other)):
        waiting.setdefault(tuple(other.iloc[i]), []).append(i)
    found = []
    for i in random.permutation(len(real)):
        left = waiting.get(tuple(real.iloc[i]))
        if left:
            found.append((i, left.pop()))
    if len(found) < min(_FEWEST_PAIRS, len(real), len(other)):
        n = min(len(real), len(other))
        return random.permutation(len(real))[:n], random.permutation(len(other))[:n]
    first, second = np.array(found).T
    return first, second
