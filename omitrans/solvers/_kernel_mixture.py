"""The weighted mean of kernels, centred on the training samples and of mean eigenvalue 1."""

from collections.abc import Mapping
from itertools import compress
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from omitrans.solvers._kernel_family import KERNELS, Similarities
from omitrans.solvers._kernel_weights import learn_weights
from omitrans.solvers._workers import Workers

SAMPLES_TO_LEARN_FROM = 1000
TARGETS_TO_LEARN_FROM = 500
# Equal weights count as much as this many samples.
_SAMPLES_OF_PRIOR = 100
# A centred kernel whose mean eigenvalue is this fraction of its values tells no samples apart.
_NOTHING = 1e-12


class KernelMixture(NamedTuple):
    """How the kernels of training samples are mixed, and where their mixture is centred.

    Attributes
    ----------
    weights : ndarray of shape (6,)
        Weights in the order of `KERNELS`; they add up to 1, or are all 0 if no two samples differ.
    widths : ndarray of shape (6,)
        Widths of the kernels.
    factors : ndarray of shape (6,)
        Weights divided by the mean eigenvalues of the centred kernels.
    column_means : ndarray of shape (n_samples,)
        Column means of the mixture of the training samples.
    """

    weights: np.ndarray
    widths: np.ndarray
    factors: np.ndarray
    column_means: np.ndarray

    @classmethod
    def of(cls, similarities: Similarities, weights: np.ndarray) -> tuple[Self, np.ndarray]:
        """Return the mixture of training samples for some weights, and its centred matrix.

        Parameters
        ----------
        similarities : Similarities
            Similarities of the training samples with each other.
        weights : ndarray of shape (6,)
            Weights, of which at least one is larger than 0. Those of kernels that tell no samples
            apart go to the others.

        Returns
        -------
        mixture : KernelMixture
            What new samples need.
        kernel : ndarray of shape (n_samples, n_samples)
            The centred matrix.
        """
        widths = similarities.widths()
        scales = _scales(similarities, widths)
        weights = np.where(scales > 0, weights, 0.0)
        weights = weights / (weights.sum() or 1.0)
        factors = np.divide(weights, scales, out=np.zeros(len(KERNELS)), where=scales > 0)
        kernel = _mix(similarities, widths, factors)
        means = kernel.mean(axis=0)
        kernel -= means
        kernel -= kernel.mean(axis=1, keepdims=True)
        return cls(weights, widths, factors, means), kernel

    def new(self, similarities: Similarities) -> np.ndarray:
        """Return the centred mixture of new samples with the training samples.

        Parameters
        ----------
        similarities : Similarities
            Similarities of the new samples with the training samples.

        Returns
        -------
        ndarray of shape (n_new, n_samples)
            The matrix.
        """
        return self.new_with_own(similarities)[0]

    def new_with_own(self, similarities: Similarities) -> tuple[np.ndarray, np.ndarray]:
        """Return the centred mixture of new samples, and that of each with itself.

        Parameters
        ----------
        similarities : Similarities
            Similarities of the new samples with the training samples.

        Returns
        -------
        kernel : ndarray of shape (n_new, n_samples)
            The matrix.
        own : ndarray of shape (n_new,)
            Value of each new sample with itself.
        """
        kernel = _mix(similarities, self.widths, self.factors)
        kernel -= self.column_means
        means = kernel.mean(axis=1)
        kernel -= means[:, None]
        linear = np.array([name.startswith("linear") for name in KERNELS])
        # the others are 1 where the distance is 0
        own = self.factors[linear] @ similarities.norms + self.factors[~linear].sum()
        return kernel, own - 2 * means - self.column_means.mean()


def learned_weights(
    similarities: Similarities, Y: np.ndarray, rows: np.ndarray | None, workers: Workers
) -> np.ndarray:
    """Return the weights under which the targets are most likely, drawn towards equal weights.

    Of few samples little can be learned: 100 of them count as much as equal weights do.

    Parameters
    ----------
    similarities : Similarities
        Similarities of the training samples with each other.
    Y : ndarray of shape (n_rows, n_targets)
        Table of targets.
    rows : ndarray of int of shape (n_samples,) or None
        Rows of the training samples in `Y`; None if these are all rows.
    workers : Workers
        Threads to use.

    Returns
    -------
    ndarray of shape (6,)
        Weights that add up to 1; 0 for kernels that tell no samples apart.
    """
    widths = similarities.widths()
    n_samples = similarities.products.shape[1]
    sample = spread(n_samples, SAMPLES_TO_LEARN_FROM)
    if len(sample) < n_samples:
        similarities = similarities.take(sample, sample)
    useful = _scales(similarities, widths) > 0
    if not useful.any():
        return np.full(len(KERNELS), 1 / len(KERNELS))
    kernels = np.empty((useful.sum(), len(sample), len(sample)))
    found = compress(similarities.kernels(widths), useful)
    for centred, kernel in zip(kernels, found, strict=True):
        np.subtract(kernel, kernel.mean(axis=0), out=centred)
        centred -= centred.mean(axis=1, keepdims=True)
        centred /= np.trace(centred) / len(centred)
    chosen = sample if rows is None else rows[sample]
    targets = Y[np.ix_(chosen, spread(Y.shape[1], TARGETS_TO_LEARN_FROM))]
    weights = np.zeros(len(KERNELS))
    weights[useful] = learn_weights(kernels, targets, workers)
    learned = n_samples / (n_samples + _SAMPLES_OF_PRIOR)
    weights[useful] = learned * weights[useful] + (1 - learned) / len(kernels)
    return weights


def given_weights(weights: Any) -> np.ndarray:
    """Return the weights of the six kernels that a parameter stands for, not yet scaled.

    Parameters
    ----------
    weights : str, mapping or array-like of shape (6,)
        Equal weights for a str, or numbers of at least 0.

    Returns
    -------
    ndarray of shape (6,)
        Weights in the order of `KERNELS`.

    Raises
    ------
    ValueError
        If a name is unknown, or if these are not six finite numbers of at least 0.
    """
    if isinstance(weights, str):
        return np.ones(len(KERNELS))
    if isinstance(weights, pd.Series):
        weights = weights.to_dict()
    if isinstance(weights, Mapping):
        unknown = [name for name in weights if name not in KERNELS]
        if unknown:
            raise ValueError(
                f"kernel_weights names the kernel {unknown[0]!r}, which does not exist. "
                f"Known: {'; '.join(KERNELS)}."
            )
        weights = [weights.get(name, 0.0) for name in KERNELS]
    numbers = np.asarray(weights, dtype=np.float64)
    usable = numbers.shape == (len(KERNELS),) and np.isfinite(numbers).all()
    if not usable or numbers.min() < 0 or not numbers.any():
        raise ValueError(
            f"kernel_weights must be 'learned', 'equal' or six finite numbers of at least 0, not "
            f"all of them 0, for: {'; '.join(KERNELS)}. Got {weights!r:.200}."
        )
    with np.errstate(over="ignore"):
        too_large = not np.isfinite(numbers.sum())
    return numbers / numbers.max() if too_large else numbers


def spread(length: int, at_most: int) -> np.ndarray:
    """Return at most this many positions, spread evenly.

    Parameters
    ----------
    length : int
        Number of positions to choose from.
    at_most : int
        Largest number of positions to return.

    Returns
    -------
    ndarray of int
        Positions in ascending order.
    """
    return np.linspace(0, length - 1, min(length, at_most)).astype(int)


def _scales(similarities: Similarities, widths: np.ndarray) -> np.ndarray:
    """Return the mean eigenvalue of each centred kernel; 0 where it is a rounding error."""
    scales = []
    for kernel in similarities.kernels(widths):
        diagonal = np.diagonal(kernel)
        scale = diagonal.mean() - kernel.mean()
        scales.append(scale if scale > _NOTHING * np.abs(diagonal).mean() else 0.0)
    return np.array(scales)


def _mix(similarities: Similarities, widths: np.ndarray, factors: np.ndarray) -> np.ndarray:
    mixed = np.zeros(similarities.products.shape[1:])
    for factor, kernel in zip(factors, similarities.kernels(widths), strict=True):
        if factor > 0:
            kernel *= factor
            mixed += kernel
    return mixed
