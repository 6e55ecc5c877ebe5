"""Kernel matrices of samples, and ridge regression for many penalties on one kernel matrix."""

import numpy as np
from scipy.linalg import eigh
from sklearn.utils import gen_batches

from omitrans.utils._blocks import BLOCK_VALUES, columns_per_block

TARGETS_A_BLOCK = 2048


def inner_products(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Return the inner products of the rows of A with the rows of B, in float64.

    Parameters
    ----------
    A : ndarray of shape (n_a, n_columns)
        Samples. A float32 table is not copied as a whole.
    B : ndarray of shape (n_b, n_columns)
        Samples.

    Returns
    -------
    ndarray of shape (n_a, n_b)
        Inner products.
    """
    products = np.zeros((len(A), len(B)))
    for columns in gen_batches(A.shape[1], columns_per_block(max(len(A), len(B)), BLOCK_VALUES)):
        left = A[:, columns].astype(np.float64)
        right = left if B is A else B[:, columns].astype(np.float64)
        products += left @ right.T
    return products


def squared_distances(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Return the squared Euclidean distances between the rows of A and of B, in float64.

    Parameters
    ----------
    A : ndarray of shape (n_a, n_columns)
        Samples.
    B : ndarray of shape (n_b, n_columns)
        Samples.

    Returns
    -------
    ndarray of shape (n_a, n_b)
        Squared distances.
    """
    distances = inner_products(A, B)
    distances *= -2
    for table, shape in ((A, (-1, 1)), (B, (1, -1))):
        distances += np.einsum("ij,ij->i", table, table, dtype=np.float64).reshape(shape)
    return np.maximum(distances, 0, out=distances)


class KernelEigen:
    """The eigendecomposition of a centred kernel matrix, from which ridge regressions are solved.

    The kernel is centred, so the regressions have an intercept that is not penalised.

    Parameters
    ----------
    kernel : ndarray of shape (n_samples, n_samples)
        Kernel matrix of the training samples in float64; it is overwritten.
    """

    def __init__(self, kernel: np.ndarray) -> None:
        rounding = len(kernel) * np.finfo(np.float64).eps * kernel.diagonal().max()
        self.column_means = kernel.mean(axis=0)
        kernel -= self.column_means
        kernel -= kernel.mean(axis=1, keepdims=True)
        self.values, self.vectors = eigh(kernel, overwrite_a=True, check_finite=False)
        self.values[self.values <= rounding] = 0
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
            kept = np.divide(  # the share of each direction that ridge leaves in the residual
                alpha, self.values + alpha, out=np.ones_like(self.values), where=self.values > 0
            )
            residual = self.vectors @ (kept[:, None] * rotated)
            freedom = self.vectors**2 @ kept - 1 / len(Y)
            errors.append(np.mean((residual / freedom[:, None]) ** 2))
        return np.array(errors)

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
            Coefficients of the training samples, in the dtype of Y.
        intercept : ndarray of shape (n_targets,)
            Intercepts, in the dtype of Y.
        """
        inverse = np.divide(
            1, self.values + alpha, out=np.zeros_like(self.values), where=self.values > 0
        )
        mean = Y.mean(axis=0, dtype=np.float64)
        dual_coef = np.empty_like(Y)
        intercept = np.empty_like(mean, dtype=Y.dtype)
        for block in gen_batches(Y.shape[1], TARGETS_A_BLOCK):
            coef = self.vectors @ (
                inverse[:, None] * (self.vectors.T @ (Y[:, block] - mean[block]))
            )
            dual_coef[:, block] = coef
            intercept[block] = mean[block] - self.column_means @ coef
        return dual_coef, intercept
