"""Kernel matrices of samples, and ridge regression for many penalties on one kernel matrix."""

import numpy as np
from scipy.linalg import eigh
from sklearn.utils import gen_batches

from omitrans.utils._blocks import BLOCK_VALUES, columns_per_block

TARGETS_A_BLOCK = 2048
# Directions whose eigenvalue is at most this fraction of the largest are left out: divided by it,
# the rounding of float64 would reach the sixth digit of predictions.
_SMALLEST_VALUE = 1e-10
# Up to this ratio of the largest to the smallest eigenvalue float32 holds enough digits of a model.
_MAX_CONDITION = 1e4


def inner_products(A: np.ndarray, B: np.ndarray, centre: np.ndarray | None = None) -> np.ndarray:
    """Return the inner products of the rows of A with the rows of B, in float64.

    Parameters
    ----------
    A : ndarray of shape (n_a, n_columns)
        Samples. A float32 table is not copied as a whole.
    B : ndarray of shape (n_b, n_columns)
        Samples.
    centre : ndarray of shape (n_columns,), default=None
        What is subtracted from each row first, so that a kernel that is centred later keeps the
        digits that a common offset takes. None subtracts nothing.

    Returns
    -------
    ndarray of shape (n_a, n_b)
        Inner products.
    """
    products = np.zeros((len(A), len(B)))
    for columns in gen_batches(A.shape[1], columns_per_block(max(len(A), len(B)), BLOCK_VALUES)):
        left = A[:, columns].astype(np.float64)
        right = left if B is A else B[:, columns].astype(np.float64)
        if centre is not None:
            left -= centre[columns]
            if right is not left:
                right -= centre[columns]
        products += left @ right.T
    return products


def squared_distances(A: np.ndarray, B: np.ndarray, centre: np.ndarray | None = None) -> np.ndarray:
    """Return the squared Euclidean distances between the rows of A and of B, in float64.

    Parameters
    ----------
    A : ndarray of shape (n_a, n_columns)
        Samples.
    B : ndarray of shape (n_b, n_columns)
        Samples.
    centre : ndarray of shape (n_columns,), default=None
        What is subtracted from each row first, as for :func:`inner_products`.

    Returns
    -------
    ndarray of shape (n_a, n_b)
        Squared distances.
    """
    distances = inner_products(A, B, centre)
    distances *= -2
    for table, shape in ((A, (-1, 1)), (B, (1, -1))):
        distances += _squared_norms(table, centre).reshape(shape)
    return np.maximum(distances, 0, out=distances)


def _squared_norms(table: np.ndarray, centre: np.ndarray | None) -> np.ndarray:
    norms = np.zeros(len(table))
    for columns in gen_batches(table.shape[1], columns_per_block(len(table), BLOCK_VALUES)):
        block = table[:, columns].astype(np.float64)
        if centre is not None:
            block -= centre[columns]
        norms += np.einsum("ij,ij->i", block, block)
    return norms


class KernelEigen:
    """The eigendecomposition of a centred kernel matrix, from which ridge regressions are solved.

    The kernel is centred, so the regressions have an intercept that is not penalised.

    Parameters
    ----------
    kernel : ndarray of shape (n_samples, n_samples)
        Kernel matrix of the training samples in float64; it is overwritten.
    """

    def __init__(self, kernel: np.ndarray) -> None:
        self.column_means = kernel.mean(axis=0)
        kernel -= self.column_means
        kernel -= kernel.mean(axis=1, keepdims=True)
        self.values, self.vectors = eigh(kernel, overwrite_a=True, check_finite=False)
        self.values[self.values <= _SMALLEST_VALUE * self.values[-1]] = 0
        self.mean_value = float(self.values.mean())

    def loo_mse(self, Y: np.ndarray, alphas: np.ndarray) -> np.ndarray:
        """Return the mean squared leave-one-out error over targets for each penalty.

        Parameters
        ----------
        Y : ndarray of shape (n_samples, n_targets)
            Targets.
        alphas : ndarray of shape (n_alphas,)
            Penalties larger than 0.

        Returns
        -------
        ndarray of shape (n_alphas,)
            The error of each penalty.
        """
        rotated = self.vectors.T @ (Y - Y.mean(axis=0, dtype=np.float64))
        errors = []
        for alpha in alphas:
            kept = self.kept(alpha)
            residual = self.vectors @ (kept[:, None] * rotated)
            freedom = self.vectors**2 @ kept - 1 / len(Y)
            errors.append(np.mean((residual / freedom[:, None]) ** 2))
        return np.array(errors)

    def kept(self, alpha: float) -> np.ndarray:
        """Return the share of each direction that ridge leaves in the residual.

        Parameters
        ----------
        alpha : float
            Penalty larger than 0; it may be 0 if all eigenvalues are.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``alpha / (value + alpha)``; 1 for directions that are left out.
        """
        return np.divide(
            alpha, self.values + alpha, out=np.ones_like(self.values), where=self.values > 0
        )

    def inverse(self, alphas: np.ndarray) -> np.ndarray:
        """Return by what each direction of the targets is multiplied, for some penalties.

        Parameters
        ----------
        alphas : ndarray of shape (n_alphas,)
            Penalties.

        Returns
        -------
        ndarray of shape (n_samples, n_alphas)
            ``1 / (value + alpha)``; 0 for directions that are left out.
        """
        values = self.values[:, None]
        return np.divide(
            1, values + alphas, out=np.zeros((len(values), len(alphas))), where=values > 0
        )

    def solve(self, Y: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the dual coefficients and the intercepts for one penalty.

        Parameters
        ----------
        Y : ndarray of shape (n_samples, n_targets)
            Targets.
        alpha : float
            Penalty; 0 gives the solution of least norm.

        Returns
        -------
        dual_coef : ndarray of shape (n_samples, n_targets)
            Coefficients of the training samples, in the dtype of Y, or in float64 if float32
            cannot hold them or would lose digits that the predictions need.
        intercept : ndarray of shape (n_targets,)
            Intercepts, in the dtype of Y.
        """
        inverse = np.divide(
            1, self.values + alpha, out=np.zeros_like(self.values), where=self.values > 0
        )
        mean = Y.mean(axis=0, dtype=np.float64)
        dtype = Y.dtype if self._fits(inverse, np.abs(Y).max(), Y.dtype) else np.float64
        dual_coef = np.empty_like(Y, dtype=dtype)
        intercept = np.empty_like(mean, dtype=Y.dtype)
        for block in gen_batches(Y.shape[1], TARGETS_A_BLOCK):
            coef = self.vectors @ (
                inverse[:, None] * (self.vectors.T @ (Y[:, block] - mean[block]))
            )
            dual_coef[:, block] = coef
            intercept[block] = mean[block] - self.column_means @ coef
        return dual_coef, intercept

    def _fits(self, inverse: np.ndarray, largest: float, dtype: np.dtype) -> bool:
        """Return whether `dtype` can hold coefficients of targets up to `largest`.

        A kernel multiplies their rounding errors by its largest value.
        """
        used = inverse[inverse > 0]
        if dtype == np.float64 or not len(used):
            return True
        info = np.finfo(dtype)
        sizes = used * max(float(largest), float(info.tiny))
        in_range = sizes.max() < info.max / 1e3 and sizes.min() > info.tiny * 1e3
        return bool(in_range and self.values.max() * used.max() < _MAX_CONDITION)
