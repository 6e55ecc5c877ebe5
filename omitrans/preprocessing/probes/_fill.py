"""Replacements for missing values, which are learned from the training samples only."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_limits

from omitrans.preprocessing._columns import column_blocks, value_range
from omitrans.preprocessing.probes._probe_columns import ProbeColumns, probe_blocks

# policies that need more than the means
REFERENCES = ("group", "knn", "components")
_N_LANDMARKS = 5000
_N_COMPONENT_SAMPLES = 1000
_SAMPLES_A_COMPONENT = 4


class ProbeStatistics(NamedTuple):
    """Statistics of each probe over the training samples."""

    means: np.ndarray
    missing_rates: np.ndarray
    variances: np.ndarray
    limits: np.ndarray
    """Smallest and largest value of all probes."""


def probe_statistics(X: Any, where: ProbeColumns, replicates: str) -> ProbeStatistics:
    """Return the statistics of each probe over the samples; infinity is an error."""
    parts: list[tuple[np.ndarray, ...]] = []
    limits = []
    n_seen = 0
    for block in probe_blocks(X, where, replicates):
        names = where.probes[n_seen : n_seen + block.shape[1]]
        n_seen += block.shape[1]
        limits.append(value_range(pd.DataFrame(block, columns=names, copy=False)))
        mean = observed_mean(block)
        with np.errstate(invalid="ignore"):  # R's NA is a NaN that signals
            squares = (block - mean) ** 2
        parts.append((mean, np.isnan(block).mean(axis=0), observed_mean(squares)))
    means, missing_rates, variances = map(np.concatenate, zip(*parts, strict=True))
    lows, highs = np.array(limits).T
    joint = np.array([np.fmin.reduce(lows), np.fmax.reduce(highs)])
    return ProbeStatistics(means, missing_rates, variances, joint)


def learn_reference(
    values: np.ndarray,
    policy: str,
    *,
    means: np.ndarray,
    variances: np.ndarray,
    groups: Any,
    n_groups: int,
    n_components: int,
    random_state: Any,
) -> dict[str, np.ndarray]:
    """Return the data that a policy needs beside the means: components, samples or groups.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_probes)
        Training samples as rows, NaN where a value is missing.
    policy : {"group", "knn", "components"}
        Policy for missing values.
    means, variances : ndarray of shape (n_probes,)
        Means and variances of the probes over the training samples.
    groups : array-like of shape (n_samples,) or None
        Group of each sample; None makes `n_groups` groups by k-means.
    n_groups, n_components : int
        Number of groups, and number of components.
    random_state : int, RandomState instance or None
        Seed of the random numbers of k-means.

    Returns
    -------
    dict of str to ndarray
        Arrays by name: "loadings" and "noise", or "profiles" and "landmarks".
    """
    if policy == "components":
        return _components(fill_with(values, means), n_components)
    landmarks = _variable_probes(variances)
    if policy == "knn":
        return {"profiles": values, "landmarks": landmarks}
    if groups is None:
        known = fill_with(values[:, landmarks], means[landmarks])
        groups = _cluster(known, n_groups, random_state)
    elif np.shape(groups) != (len(values),):
        raise ValueError(
            f"groups must hold one label for each of the {len(values)} samples; got shape "
            f"{np.shape(groups)}."
        )
    profiles = _group_means(values, np.asarray(groups), means)
    return {"profiles": profiles, "landmarks": landmarks}


class Filler:
    """Predictor of the missing values of a sample from the training samples.

    A sample is read once, by the function that :meth:`reader` returns, and is represented by a few
    numbers: its scores on the components, or its nearest profiles. From these, :meth:`expected`
    computes the values. Each sample is read alone, because rounding in a product over the batch
    would depend on its size.

    Parameters
    ----------
    means : ndarray of shape (n_probes,)
        Means of the probes over the training samples, used where the reference has no answer.
    reference : dict of str to ndarray
        Result of `learn_reference`; if it is empty, all missing values become means.
    absent : ndarray of shape (n_probes,), bool
        Mask of the probes that the whole table lacks.
    limits : ndarray of shape (2,)
        Smallest and largest value of the training samples.
    n_neighbors : int
        Number of profiles to average.
    """

    def __init__(
        self,
        means: np.ndarray,
        reference: dict[str, np.ndarray],
        *,
        absent: np.ndarray,
        limits: np.ndarray,
        n_neighbors: int,
    ) -> None:
        self.means, self.reference, self.absent = means, reference, absent
        self._limits, self._n_neighbors = limits, n_neighbors

    def reader(self) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """Return the function that reads a sample, given its values and the missing positions."""
        if "loadings" in self.reference:
            return _score_reader(self.means, **self.reference, absent=self.absent)
        if "profiles" in self.reference:
            return _neighbor_reader(**self.reference, n_neighbors=self._n_neighbors)
        return lambda row, missing: np.array([])

    def expected(self, missing: np.ndarray, found: np.ndarray) -> np.ndarray:
        """Return predictions of the missing values of a sample, as float64.

        Parameters
        ----------
        missing : ndarray of int
            Positions of all probes that the sample lacks.
        found : ndarray
            Result of the reader for this sample.

        Returns
        -------
        ndarray
            One value for each position. Products over only some of the positions would be rounded
            differently.
        """
        means = self.means[missing]
        if "loadings" in self.reference:
            loadings = self.reference["loadings"][missing].astype(np.float64)
            return np.clip(means + loadings @ found, *self._limits)
        if "profiles" in self.reference and len(found):
            values = observed_mean(self.reference["profiles"][np.ix_(found, missing)])
            return np.where(np.isnan(values), means, values)
        return means


def _variable_probes(variances: np.ndarray) -> np.ndarray:
    """Return the ascending positions of the most variable probes, on which samples are compared."""
    ranked = np.argsort(-np.nan_to_num(variances), kind="stable")
    return np.sort(ranked[:_N_LANDMARKS])


def _cluster(values: np.ndarray, n_groups: int, random_state: Any) -> np.ndarray:
    """Return the group of each sample, found by k-means."""
    n_groups = min(n_groups, len(np.unique(values, axis=0)))
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    return KMeans(n_groups, n_init=3, random_state=seed).fit_predict(values)


def _group_means(values: np.ndarray, labels: np.ndarray, fallback: np.ndarray) -> np.ndarray:
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
    for columns, block in column_blocks(values):
        np.copyto(block, profile[columns], where=np.isnan(block), casting="same_kind")
    return values


def _components(values: np.ndarray, n_components: int) -> dict[str, np.ndarray]:
    """Return loadings and noise variance of probabilistic principal components.

    `values` are complete training samples, and are overwritten; evenly spaced samples are used if
    there are many. With too few samples or probes there are no loadings, and only the means are
    known.
    """
    if len(values) > _N_COMPONENT_SAMPLES:
        values = values[np.linspace(0, len(values) - 1, _N_COMPONENT_SAMPLES).astype(int)]
    n_components = min(n_components, len(values) // _SAMPLES_A_COMPONENT, values.shape[1] - 1)
    if n_components < 1:
        return {
            "loadings": np.empty((values.shape[1], 0), dtype=np.float32),
            "noise": np.array(1.0),
        }
    # its products are so narrow that several threads mostly wait for each other, and they round by
    # how many there are
    with threadpool_limits(1, user_api="blas"):
        pca = PCA(n_components, copy=False, svd_solver="randomized", random_state=0).fit(values)
    spread = np.sqrt(np.maximum(pca.explained_variance_ - pca.noise_variance_, 0))
    # constant probes leave no noise; the system to solve must stay regular
    noise = np.maximum(pca.noise_variance_, 1e-6)
    return {"loadings": (pca.components_.T * spread).astype(np.float32), "noise": np.asarray(noise)}


def _score_reader(
    means: np.ndarray, loadings: np.ndarray, noise: np.ndarray, *, absent: np.ndarray
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Return the function that computes the expected scores of a sample from its observed values.

    Under probabilistic principal components a profile is ``means + loadings @ score`` with normal
    scores and noise. `absent` marks probes that the whole table lacks, so that their part is
    computed only once.
    """
    loadings = loadings.astype(np.float64)  # once, and not with each sample
    present = loadings[~absent] if absent.any() else loadings
    common = present.T @ present + noise * np.eye(loadings.shape[1])
    del present

    def read(row: np.ndarray, missing: np.ndarray) -> np.ndarray:
        gaps = loadings[missing & ~absent]
        with np.errstate(invalid="ignore"):  # R's NA is a NaN that signals
            deviation = np.where(missing, 0, row - means)
        return np.linalg.solve(common - gaps.T @ gaps, loadings.T @ deviation)

    return read


def _neighbor_reader(
    profiles: np.ndarray, landmarks: np.ndarray, n_neighbors: int
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Return the function that finds the profiles nearest to a sample, none without a landmark.

    `profiles` are training samples or means of their groups; `landmarks` are the probes from which
    distances are computed.
    """
    known = np.ascontiguousarray(profiles[:, landmarks])

    def read(row: np.ndarray, missing: np.ndarray) -> np.ndarray:
        observed = np.flatnonzero(~missing[landmarks])
        if not len(observed):
            return np.array([], dtype=int)
        gaps = known[:, observed] - row[landmarks[observed]]
        both = ~np.isnan(gaps)
        with np.errstate(invalid="ignore"):  # a reference that shares no landmark is infinitely far
            distance = np.square(np.where(both, gaps, 0.0)).sum(axis=1) / both.sum(axis=1)
        return np.argsort(np.nan_to_num(distance, nan=np.inf), kind="stable")[:n_neighbors]

    return read
