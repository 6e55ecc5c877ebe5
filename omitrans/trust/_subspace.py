"""Principal components of a cohort, and how far samples lie inside and outside them."""

from collections.abc import Iterator
from typing import NamedTuple, Self

import numpy as np
from scipy.linalg import eigh
from sklearn.utils import gen_batches

_VALUES_A_BLOCK = 2**22
_BLOCK_ROWS = 64
_MAX_SAMPLES = 2000  # more do not change the leading components, and cost their number squared
_ROUNDING = 1e-10  # directions that vary less than this share of the first do not vary


class Subspace(NamedTuple):
    """Leading principal components of standardised samples.

    Parameters
    ----------
    mean, scale : ndarray of shape (n_features,)
        What standardises the columns.
    components : ndarray of shape (n_components, n_features)
        Orthonormal directions.
    variances : ndarray of shape (n_components,)
        Variances along them.
    """

    mean: np.ndarray
    scale: np.ndarray
    components: np.ndarray
    variances: np.ndarray

    @classmethod
    def learn(
        cls, X: np.ndarray, rows: np.ndarray, n_components: int, rng: np.random.RandomState
    ) -> Self:
        """Learn the components of some samples.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Samples.
        rows : ndarray of int
            Those to learn from.
        n_components : int
            How many; there are fewer if the samples span no more, since one direction at least is
            left outside.
        rng : numpy.random.RandomState
            Chooses samples if there are very many.

        Returns
        -------
        Subspace
            The components.
        """
        mean, scale = _location_and_scale(X, rows)
        if len(rows) > _MAX_SAMPLES:
            rows = np.sort(rng.choice(rows, _MAX_SAMPLES, replace=False))
        products = np.zeros((len(rows), len(rows)))
        for _, block in _standard_blocks(X, rows, mean, scale):
            products += block @ block.T
        products -= products.mean(axis=0)
        products -= products.mean(axis=1, keepdims=True)
        values, vectors = _leading(products, n_components)
        components = np.empty((len(values), X.shape[1]), dtype=X.dtype)
        loadings = vectors.T / np.sqrt(values)[:, np.newaxis]  # centred, as vectors are
        for columns, block in _standard_blocks(X, rows, mean, scale):
            components[:, columns] = loadings @ block
        return cls(mean, scale, components, values / (len(rows) - 1))

    def first(self, n_components: int) -> Self:
        """Return the subspace of the first components."""
        return self._replace(
            components=self.components[:n_components], variances=self.variances[:n_components]
        )

    def squared_distances(self, X: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return how far some samples lie from the mean, squared.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Samples.
        rows : ndarray of int
            Those to measure.

        Returns
        -------
        ndarray of shape (n_rows, 2)
            Mahalanobis distance of the scores on the components, and squared length of what is
            outside. Those of a sample do not depend on the others.
        """
        components = self.components.astype(np.float64, copy=False)
        squares = np.empty((len(rows), 2))
        for batch in gen_batches(len(rows), _BLOCK_ROWS):
            # one product a sample: those of several round in an order that depends on how many
            for i, sample in enumerate(X[rows[batch]], start=batch.start):
                outside = (sample - self.mean) / self.scale
                scores = components @ outside
                outside -= scores @ components
                squares[i] = np.sum(scores**2 / self.variances), outside @ outside
        return squares


def _location_and_scale(X: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return means and deviations of columns, small deviations being drawn to the median."""
    mean, variance = np.empty((2, X.shape[1]))
    for columns, block in _column_blocks(X, rows):
        mean[columns], variance[columns] = block.mean(axis=0), block.var(axis=0, ddof=1)
    variance[variance <= (_ROUNDING * mean) ** 2] = 0
    varying = variance[variance > 0]
    if not len(varying):
        raise ValueError(
            "X does not vary among the training samples of a fold, so no distance can be "
            "measured. Check that it holds different samples, not one repeated."
        )
    return mean, np.sqrt(variance + np.median(varying) / len(rows))


def _leading(products: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the n largest eigenvalues, falling, with their vectors; one at least is left out."""
    last = len(products) - 1
    values, vectors = eigh(
        products, subset_by_index=[max(last - n, 0), last], overwrite_a=True, check_finite=False
    )
    n_varying = int((values > _ROUNDING * values[-1]).sum())
    n = min(n, n_varying - 1)
    return values[::-1][:n], vectors[:, ::-1][:, :n]


def _column_blocks(X: np.ndarray, rows: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield some rows of X in float64, in blocks of columns."""
    for columns in gen_batches(X.shape[1], max(1, _VALUES_A_BLOCK // len(rows))):
        yield columns, X[rows, columns].astype(np.float64)


def _standard_blocks(
    X: np.ndarray, rows: np.ndarray, mean: np.ndarray, scale: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield some rows of X, standardised, in blocks of columns."""
    for columns, block in _column_blocks(X, rows):
        block -= mean[columns]
        block /= scale[columns]
        yield columns, block
