"""Checks of privacy: copies of training samples, and what an attacker learns of these."""

from typing import Any

import numpy as np
from scipy import stats

from omitrans.generation._tables import AuditTables, Part, distances, row

_LEVEL = 0.01
_CLOSE = 0.05  # quantile of the distances of test samples below which a sample is called close
_MUCH_NEARER = 0.8  # distance to training by distance to test samples that tells of copying
_ADVANTAGE = 0.05
_N_BOOTSTRAP = 500
_TINY = 1e-12


def memorisation(tables: AuditTables, seed: int) -> list[dict[str, Any]]:
    """Compare the distances of synthetic and of test samples to the training samples.

    Draws with too little spread lie near the mean, and so near to samples of every kind. Only what
    is near to training samples, and not as near to test samples, counts.
    """
    train, test, synthetic = (part.values for part in tables[:3])
    inner, among_test = distances(train, train), distances(test, test)
    np.fill_diagonal(inner, np.inf)
    np.fill_diagonal(among_test, np.inf)
    own = np.maximum(inner.min(axis=1), _TINY)

    def nearest(part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        table = distances(part, train)
        place = table.argmin(axis=1)
        return table[np.arange(len(part)), place], place

    of_test, place_of_test = nearest(test)
    of_synthetic, place = nearest(synthetic)
    scaled_test, scaled_synthetic = of_test / own[place_of_test], of_synthetic / own[place]
    # how much nearer the training samples are than the other test samples
    prefers_test = of_test / np.maximum(among_test.min(axis=1), _TINY)
    prefers = of_synthetic / np.maximum(distances(synthetic, test).min(axis=1), _TINY)
    near = (scaled_synthetic < 0.5 * scaled_test.min()) | (of_synthetic < 0.5 * of_test.min())
    copies = int(np.sum(near & (prefers < 0.5)))
    limits = [np.quantile(of, _CLOSE, method="higher") for of in (of_test, prefers_test)]
    limits[1] = min(limits[1], _MUCH_NEARER)
    close = (of_synthetic < limits[0]) & (prefers < limits[1])
    close_test = (of_test < limits[0]) & (prefers_test < limits[1])
    # draws beside the same training sample tell one thing, however many they are
    n_told = len(np.unique(place))
    told = round(close.mean() * n_told)
    table = [[told, n_told - told], [close_test.sum(), len(test) - close_test.sum()]]
    p_value = float(stats.fisher_exact(table, alternative="greater").pvalue)
    share = stats.binomtest(int(close.sum()), len(synthetic)).proportion_ci(0.95, method="wilson")
    ratio = float(np.median(of_synthetic) / max(np.median(of_test), _TINY))
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
            close.mean(),
            reference=close_test.mean(),
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
    only a clear preference counts. The interval counts the real samples that are the nearest, and
    not the draws: draws with little spread all have the same few neighbours.
    """
    random = np.random.default_rng(seed)
    n = min(len(train), len(test))
    chosen = [part[random.permutation(len(part))[:n]] for part in (train, test)]
    apart = distances(synthetic, np.vstack(chosen))
    neighbours = apart.argmin(axis=1)
    share, n_told = float(np.mean(neighbours < n)), len(np.unique(neighbours))
    to_test = np.maximum(apart[:, n:].min(axis=1), _TINY)
    nearer = np.median(apart[:, :n].min(axis=1) / to_test) < (1 + _MUCH_NEARER) / 2
    told = round(share * n_told)
    bounds = stats.binomtest(told, n_told).proportion_ci(0.95, method="wilson")
    return row(
        "memorisation",
        "nearest sample is a training sample",
        share,
        reference=0.5,
        low=min(bounds.low, share),
        high=max(bounds.high, share),
        verdict="good" if bounds.low <= 0.6 else "poor" if nearer and bounds.low > 0.75 else "fair",
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
