"""Checks of privacy: copies of training samples, and what an attacker learns of these."""

from typing import Any

import numpy as np
from scipy import stats

from omitrans.generation._tables import AuditTables, Part, distances, row

_LEVEL = 0.01
_CLOSE = 0.05  # quantile of the distances of test samples below which a sample is called close
_ADVANTAGE = 0.05
_N_BOOTSTRAP = 500


def memorisation(tables: AuditTables, seed: int) -> list[dict[str, Any]]:
    """Compare the distances of synthetic and of test samples to the training samples."""
    train, test, synthetic = (part.values for part in tables[:3])
    inner = distances(train, train)
    np.fill_diagonal(inner, np.inf)
    own = np.maximum(inner.min(axis=1), 1e-12)

    def nearest(part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        table = distances(part, train)
        place = table.argmin(axis=1)
        close = table[np.arange(len(part)), place]
        return close, close / own[place]

    of_test, scaled_test = nearest(test)
    of_synthetic, scaled_synthetic = nearest(synthetic)
    copies = int(np.sum(scaled_synthetic < 0.5 * scaled_test.min()))
    copies = max(copies, int(np.sum(of_synthetic < 0.5 * of_test.min())))
    limit = np.quantile(of_test, _CLOSE, method="higher")
    close = int(np.sum(of_synthetic < limit)), int(np.sum(of_test < limit))
    table = [[close[0], len(synthetic) - close[0]], [close[1], len(test) - close[1]]]
    p_value = float(stats.fisher_exact(table, alternative="greater").pvalue)
    share = stats.binomtest(close[0], len(synthetic)).proportion_ci(0.95, method="wilson")
    ratio = float(np.median(of_synthetic) / max(np.median(of_test), 1e-12))
    return [
        row(
            "memorisation",
            "near copies of training samples",
            copies / len(synthetic),
            reference=0.0,
            verdict="poor" if copies else "good",
        ),
        row(
            "memorisation",
            "share unusually close to a training sample",
            close[0] / len(synthetic),
            reference=close[1] / len(test),
            low=share.low,
            high=share.high,
            verdict="poor" if p_value < _LEVEL else "good",
        ),
        row("memorisation", "median distance, ratio to test samples", ratio, reference=1.0),
        _preference(train, test, synthetic, seed),
    ]


def _preference(
    train: np.ndarray, test: np.ndarray, synthetic: np.ndarray, seed: int
) -> dict[str, Any]:
    """Return how often the nearest of equally many training and test samples is a training one.

    Real samples of other conditions make it differ from one half without any copying, so that
    only a clear preference counts.
    """
    random = np.random.default_rng(seed)
    n = min(len(train), len(test))
    train = train[random.permutation(len(train))[:n]]
    test = test[random.permutation(len(test))[:n]]
    wins = distances(synthetic, train).min(axis=1) < distances(synthetic, test).min(axis=1)
    bounds = stats.binomtest(int(wins.sum()), len(wins)).proportion_ci(0.95, method="wilson")
    return row(
        "memorisation",
        "nearest sample is a training sample",
        wins.mean(),
        reference=0.5,
        low=bounds.low,
        high=bounds.high,
        verdict="poor" if bounds.low > 0.75 else "fair" if bounds.low > 0.6 else "good",
    )


def attribute_privacy(tables: AuditTables, seed: int) -> list[dict[str, Any]]:
    """Let an attacker who knows half of the genes of a sample ask its synthetic neighbour."""
    random = np.random.default_rng(seed)
    known = random.random(len(tables.genes)) < 0.5
    if known.all() or not known.any():
        known = np.arange(len(tables.genes)) < 1
    neighbours = {
        name: distances(part.values[:, known], tables.synthetic.values[:, known]).argmin(axis=1)
        for name, part in (("train", tables.train), ("test", tables.test))
    }
    rows = []
    for name in map(str, tables.train.labels):
        levels = tables.synthetic.labels[name].to_numpy()
        hits = {
            source: part.labels[name].to_numpy() == levels[neighbours[source]]
            for source, part in (("train", tables.train), ("test", tables.test))
        }
        rows.append(_advantage(name, hits["train"], hits["test"], random))
    if not known.all():
        told = tables.synthetic.values
        of_train = _explained(tables.train, told[neighbours["train"]], ~known)
        of_test = _explained(tables.test, told[neighbours["test"]], ~known)
        rows.append(_advantage("hidden genes", of_train, of_test, random))
    return rows


def _explained(part: Part, told: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Return how well the hidden genes of each sample are told: 1 minus the error per variance."""
    scores: np.ndarray = 1 - np.mean((part.values[:, hidden] - told[:, hidden]) ** 2, axis=1)
    return scores


def _advantage(
    target: str, train: np.ndarray, test: np.ndarray, random: np.random.Generator
) -> dict[str, Any]:
    """Return how much better the attacker tells training samples than test samples."""
    means = [
        part[random.integers(len(part), size=(_N_BOOTSTRAP, len(part)))].mean(axis=1)
        for part in (train, test)
    ]
    low, high = np.quantile(means[0] - means[1], [0.025, 0.975])
    value = float(train.mean() - test.mean())
    verdict = "poor" if low > 2 * _ADVANTAGE else "fair" if low > _ADVANTAGE else "good"
    bounds = {"low": float(low), "high": float(high)}
    return row("attribute privacy", target, value, reference=0.0, verdict=verdict, **bounds)
