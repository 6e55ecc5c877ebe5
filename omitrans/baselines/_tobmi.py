"""TOBMI: the mean expression of the training samples with the most similar methylation."""

from math import isqrt
from numbers import Integral, Real
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import gen_batches

from omitrans.baselines._multi_target import MultiTargetRegressor
from omitrans.utils._blocks import BLOCK_VALUES, columns_per_block
from omitrans.utils._sklearn import Interval, StrOptions, fit_context


class TOBMIRegressor(MultiTargetRegressor):
    """Predict the weighted mean of the targets of the most similar training samples.

    This is trans-omics block missing data imputation (TOBMI). The most similar training samples,
    the donors, are those with the smallest Euclidean distance ``d`` over all columns of X. The
    weight of a donor is ``1 / (d + eps)``, divided by the sum of these weights.

    Parameters
    ----------
    n_neighbors : int or "sqrt", default="sqrt"
        Number of donors. "sqrt" is the published rule, the square root of the number of training
        samples, rounded down. A number larger than the number of training samples takes all of
        them.
    eps : float, default=1e-9
        Number that is added to each distance, so that the weight of a donor at distance 0 is
        finite. Such a donor gets almost all the weight.

    Attributes
    ----------
    n_neighbors_ : int
        Number of donors in use.
    n_targets_ : int
        Number of targets.
    target_names_ : ndarray of shape (n_targets,)
        Names of the targets: the columns of y, or y0, y1, ... where y has no names.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of X seen in fit, if X is a frame.

    See Also
    --------
    sklearn.neighbors.KNeighborsRegressor : Nearest neighbours with other weights and distances.

    Notes
    -----
    The model keeps its training samples. Donors are found block by block, without a table of all
    distances. The distances of the donors are then computed again from the differences, because
    the fast formula is inexact near zero.

    As published, the columns are not scaled. Scale them first if their units differ.

    References
    ----------
    X. Dong et al., "TOBMI: trans-omics block missing data imputation using a k-nearest neighbor
    weighted approach", Bioinformatics 35(8), 2019. The constant 1e-9 is that of the comparison in
    X. Zhou et al., "Imputing missing RNA-sequencing data from DNA methylation by using a transfer
    learning-based neural network", GigaScience 9(7), 2020; TOBMI itself divides by ``d``.

    Examples
    --------
    >>> from omitrans.baselines import TOBMIRegressor
    >>> X, Y = [[0.1], [0.2], [0.9], [1.0]], [[1.0], [1.2], [6.0], [8.0]]
    >>> TOBMIRegressor(n_neighbors=2).fit(X, Y).predict([[0.95]]).round(3)
    array([[7.]])
    """

    _parameter_constraints = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left"), StrOptions({"sqrt"})],
        "eps": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, n_neighbors: int | str = "sqrt", *, eps: float = 1e-9) -> None:
        self.n_neighbors = n_neighbors
        self.eps = eps

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Keep the training samples.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles, e.g. beta values. No missing values.
        y : array-like or DataFrame of shape (n_samples, n_targets) or (n_samples,)
            Target profiles of the same samples in the same order, e.g. log2(FPKM + 1). When both
            are frames, their indexes must be equal.

        Returns
        -------
        self
            The fitted regressor.

        Raises
        ------
        SampleMismatchError
            If X and y name different samples, the same samples in another order, or a sample twice.
        ValueError
            If X or y hold missing or infinite values.
        """
        source, target = self._check_training_tables(X, y)
        self._donor_source = source
        self._donor_target = target.astype(source.dtype, copy=False)
        n_samples = len(source)
        wanted = isqrt(n_samples) if self.n_neighbors == "sqrt" else self.n_neighbors
        self.n_neighbors_ = min(int(wanted), n_samples)
        return self

    def _predict(self, source: np.ndarray) -> np.ndarray:
        search = NearestNeighbors(n_neighbors=self.n_neighbors_, algorithm="brute")
        donors = search.fit(self._donor_source).kneighbors(source, return_distance=False)
        predicted = self._weights(source, donors) @ self._donor_target
        return predicted.astype(source.dtype, copy=False)

    def _weights(self, source: np.ndarray, donors: np.ndarray) -> sparse.csr_array:
        """Return the weight of each training sample in the mean for each sample."""
        distances = [
            _distances(self._donor_source, rows, sample)
            for rows, sample in zip(donors, source, strict=True)
        ]
        weights = 1 / (np.array(distances) + self.eps)
        weights /= weights.sum(axis=1, keepdims=True)
        n_samples, n_neighbors = donors.shape
        starts = np.arange(0, donors.size + 1, n_neighbors)
        weights = weights.astype(self._donor_target.dtype).ravel()
        shape = (n_samples, len(self._donor_source))
        return sparse.csr_array((weights, donors.ravel(), starts), shape=shape)


def _distances(table: np.ndarray, rows: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """Return the Euclidean distances between some rows of `table` and the vector `sample`."""
    squares = np.zeros(len(rows))
    for columns in gen_batches(len(sample), columns_per_block(len(rows), BLOCK_VALUES)):
        difference = np.subtract(table[rows, columns], sample[columns], dtype=np.float64)
        squares += np.einsum("ij,ij->i", difference, difference)
    return np.sqrt(squares)
