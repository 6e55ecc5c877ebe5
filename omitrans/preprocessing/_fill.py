"""What stands in for a missing value: something learned from the training samples, never others."""

from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.utils import check_random_state

from omitrans.preprocessing._probe_columns import ProbeColumns, probe_blocks

_BLOCK_ELEMENTS = 2**22
_N_LANDMARKS = 5000


def probe_statistics(
    X: Any, where: ProbeColumns, replicates: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, missing rate and variance of each probe over the samples."""
    parts = []
    for block in probe_blocks(X, where, replicates):
        mean = observed_mean(block)
        parts.append((mean, np.isnan(block).mean(axis=0), observed_mean((block - mean) ** 2)))
    means, missing_rates, variances = map(np.concatenate, zip(*parts, strict=True))
    return means, missing_rates, variances


def variable_probes(variances: np.ndarray) -> np.ndarray:
    """Return positions, rising, of the probes that vary most: samples are compared on them."""
    ranked = np.argsort(-np.nan_to_num(variances), kind="stable")
    return np.sort(ranked[:_N_LANDMARKS])


def cluster(values: np.ndarray, n_groups: int, random_state: Any) -> np.ndarray:
    """Return a group of every sample, by k-means."""
    n_groups = min(n_groups, len(np.unique(values, axis=0)))
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    return KMeans(n_groups, n_init=3, random_state=seed).fit_predict(values)


def group_means(values: np.ndarray, labels: np.ndarray, fallback: np.ndarray) -> np.ndarray:
    """Return the mean profile of each group, in the order of the sorted labels."""
    profiles = [
        fill_with(observed_mean(values[labels == label])[None], fallback)[0]
        for label in np.unique(labels)
    ]
    return np.stack(profiles).astype(values.dtype)


def observed_mean(values: np.ndarray) -> np.ndarray:
    """Return the mean of each column over its observed values, in float64; NaN without any."""
    count = (~np.isnan(values)).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.nansum(values, axis=0, dtype=np.float64) / count


def fill_with(values: np.ndarray, profile: np.ndarray) -> np.ndarray:
    """Replace missing values by those of one profile, in place."""
    width = max(1, _BLOCK_ELEMENTS // max(1, len(values)))
    for start in range(0, values.shape[1], width):
        block = values[:, start : start + width]
        np.copyto(block, profile[start : start + width], where=np.isnan(block), casting="same_kind")
    return values


def fill_from_nearest(
    values: np.ndarray, profiles: np.ndarray, landmarks: np.ndarray, n_neighbors: int
) -> np.ndarray:
    """Replace missing values by means over the profiles nearest to each sample, in place.

    `profiles` are training samples or means of their groups, `landmarks` the probes that distances
    are measured on. What none of the nearest has, and samples without a landmark, stay missing.
    """
    known = np.ascontiguousarray(profiles[:, landmarks])
    # one sample at a time: a product over the batch would round by its size
    for row in values:
        missing = np.flatnonzero(np.isnan(row))
        observed = np.flatnonzero(~np.isnan(row[landmarks]))
        if not len(missing) or not len(observed):
            continue
        gaps = known[:, observed] - row[landmarks[observed]]
        both = ~np.isnan(gaps)
        with np.errstate(invalid="ignore"):  # a reference that shares no landmark is infinitely far
            distance = np.square(np.where(both, gaps, 0.0)).sum(axis=1) / both.sum(axis=1)
        nearest = np.argsort(np.nan_to_num(distance, nan=np.inf), kind="stable")[:n_neighbors]
        row[missing] = observed_mean(profiles[np.ix_(nearest, missing)])
    return values
