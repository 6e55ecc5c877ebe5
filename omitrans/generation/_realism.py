"""Checks of realism: rare conditions, clusters of genes, the distribution of each gene."""

from typing import Any

import numpy as np
from sklearn.metrics import adjusted_rand_score

from omitrans.generation._tables import AuditTables, distances, row
from omitrans.solvers._gene_clusters import cluster_genes, match_clusters

_FEWEST_JUDGED = 5  # test samples of a level below which its numbers get no verdict
_RADIUS = 0.9  # quantile of the neighbour distances in training that counts as near


def coverage(tables: AuditTables, n_neighbors: int) -> list[dict[str, Any]]:
    """Return for each level how many samples there are, and how many have a near neighbour."""
    rows = []
    for name in map(str, tables.train.labels):
        for level in sorted(set(tables.test.labels[name]) | set(tables.synthetic.labels[name])):
            train, test, synthetic = (
                part.values[(part.labels[name] == level).to_numpy()] for part in tables[:3]
            )
            rows.append(
                row("samples", name, len(synthetic), level=level, reference=float(len(test)))
            )
            if len(train) < 3 or not len(test):
                continue
            inner = distances(train, train)
            k = min(n_neighbors, len(train) - 1)
            radius = np.quantile(np.sort(inner, axis=1)[:, k], _RADIUS)
            real = _near(test, train, radius)
            for title, value in (
                ("recall", _near(test, synthetic, radius)),
                ("precision", _near(synthetic, test, radius)),
            ):
                verdict = _by(value, real) if len(test) >= _FEWEST_JUDGED else ""
                rows.append(row(title, name, value, level=level, reference=real, verdict=verdict))
    return rows


def _near(samples: np.ndarray, others: np.ndarray, radius: float) -> float:
    """Return the share of samples with another one within the radius; 0 if there is none."""
    if not len(samples) or not len(others):
        return 0.0
    return float(np.mean(distances(samples, others).min(axis=1) <= radius))


def _by(value: float, reference: float) -> str:
    lost = reference - value
    return "good" if lost <= 0.1 else "fair" if lost <= 0.3 else "poor"


def clusters(tables: AuditTables, n_clusters: int, seed: int) -> list[dict[str, Any]]:
    """Cluster the genes of each table, and count the genes that matched clusters share."""
    n_clusters = min(n_clusters, len(tables.genes) // 2)
    if n_clusters < 2:
        return []
    real, of_synthetic, of_train = (
        cluster_genes(part.values, n_clusters, seed)
        for part in (tables.test, tables.synthetic, tables.train)
    )
    rows = []
    for title, score in (
        ("share of genes in matched clusters", _shared),
        ("adjusted Rand index", adjusted_rand_score),
    ):
        value, reference = score(real, of_synthetic), score(real, of_train)
        rows.append(
            row("gene clusters", title, value, reference=reference, verdict=_by(value, reference))
        )
    return rows


def _shared(first: np.ndarray, second: np.ndarray) -> float:
    """Return the share of genes in clusters that belong to each other, one to one."""
    return float(np.trace(match_clusters(first, second)) / len(first))


def distributions(tables: AuditTables) -> list[dict[str, Any]]:
    """Compare mean, standard deviation and distribution function of each gene."""
    test = tables.test.values
    rows = []
    measures = {
        "difference of means, median, in sd": lambda part: np.median(
            np.abs(part.mean(axis=0) - test.mean(axis=0))
        ),
        "ratio of standard deviations, median": lambda part: np.median(
            part.std(axis=0) / np.maximum(test.std(axis=0), 1e-12)
        ),
        "Kolmogorov-Smirnov distance, median": lambda part: np.median(_ks(part, test)),
    }
    for title, measure in measures.items():
        value, real = float(measure(tables.synthetic.values)), float(measure(tables.train.values))
        worse = abs(value - 1) - abs(real - 1) if "ratio" in title else value - real
        verdict = "good" if worse <= 0.1 else "fair" if worse <= 0.25 else "poor"
        rows.append(row("genes", title, value, reference=real, verdict=verdict))
    return rows


def _ks(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the largest distance between the distribution functions of each gene."""
    first, second = np.sort(first, axis=0), np.sort(second, axis=0)
    found = np.empty(first.shape[1])
    for j, (a, b) in enumerate(zip(first.T, second.T, strict=True)):
        points = np.concatenate([a, b])
        below_a = np.searchsorted(a, points, side="right") / len(a)
        below_b = np.searchsorted(b, points, side="right") / len(b)
        found[j] = np.abs(below_a - below_b).max()
    return found
