"""Ridge penalties for each target and for each principal component of the targets."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh

from omitrans.solvers._kernels import KernelEigen
from omitrans.solvers._workers import Workers
from omitrans.utils._blocks import column_blocks

PENALTIES = np.logspace(-3, 2, 21)  # in units of the mean eigenvalue
# Small, because the blocks stand beside the coefficients of all targets.
_BLOCK_VALUES = 2**14
_COLUMNS_AT_LEAST = 32
# Components of the targets with at most this fraction of the largest variance are left out.
_SMALLEST_COMPONENT = 1e-9
# Up to this ratio of the norm of the coefficients, times the largest eigenvalue, to that of the
# target, float32 holds enough digits of the coefficients.
_MAX_CONDITION = 1e4


class CentredTargets:
    """Some rows of a table of targets, of which centred blocks of columns are taken in float64.

    Parameters
    ----------
    Y : ndarray of shape (n_samples, n_targets)
        Table of targets, which is not copied.
    rows : ndarray of int, default=None
        The rows to take; None takes all.
    """

    def __init__(self, Y: np.ndarray, rows: np.ndarray | None = None) -> None:
        self._Y, self.rows = Y, rows
        self.n_samples = len(Y) if rows is None else len(rows)
        self.n_targets, self.dtype = Y.shape[1], Y.dtype
        self.blocks = list(
            column_blocks(self.n_samples, self.n_targets, _BLOCK_VALUES, at_least=_COLUMNS_AT_LEAST)
        )

    def block(self, columns: slice) -> tuple[np.ndarray, np.ndarray]:
        """Return some centred targets and their means; a constant target is exactly 0.

        Parameters
        ----------
        columns : slice
            The targets.

        Returns
        -------
        centred : ndarray of shape (n_samples, n_columns)
            Deviations from the means in float64.
        mean : ndarray of shape (n_columns,)
            The means.
        """
        part = self._Y[:, columns] if self.rows is None else self._Y[self.rows, columns]
        centred = part.astype(np.float64)
        constant = centred.min(axis=0) == centred.max(axis=0)
        mean = np.where(constant, centred[0], centred.mean(axis=0))
        centred -= mean
        return centred, mean


class LeaveOneOut:
    """The leave-one-out errors of ridge regressions with each of `PENALTIES`, in closed form.

    Parameters
    ----------
    eigen : KernelEigen
        The decomposed kernel.
    dtype : numpy.dtype, default=float64
        Dtype of the large products. float32 takes half the time, and is enough to compare errors.
    """

    def __init__(self, eigen: KernelEigen, dtype: np.dtype | type = np.float64) -> None:
        penalties = PENALTIES * eigen.mean_value
        kept = np.stack([eigen.kept(penalty) for penalty in penalties], axis=1)
        freedom = eigen.vectors**2 @ kept - 1 / len(kept)
        self._weights = (1 / (len(kept) * freedom**2)).astype(dtype)
        self._vectors, self._kept = eigen.vectors.astype(dtype), kept.astype(dtype)

    def errors(self, centred: np.ndarray) -> np.ndarray:
        """Return the mean squared leave-one-out error of each penalty and target.

        Parameters
        ----------
        centred : ndarray of shape (n_samples, n_targets)
            Centred targets, whose squares the dtype of the products can hold.

        Returns
        -------
        ndarray of shape (n_penalties, n_targets)
            The errors in that dtype.
        """
        dtype = self._vectors.dtype
        rotated = self._vectors.T @ centred.astype(dtype, copy=False)
        errors = np.empty((len(PENALTIES), centred.shape[1]), dtype=dtype)
        left = np.empty_like(rotated)
        for error, kept, weights in zip(errors, self._kept.T, self._weights.T, strict=True):
            np.multiply(kept[:, None], rotated, out=left)
            residual = self._vectors @ left
            np.square(residual, out=residual)
            np.matmul(weights, residual, out=error)
        return errors


def penalties_of_targets(
    eigen: KernelEigen, targets: CentredTargets, workers: Workers
) -> np.ndarray:
    """Return the position of the best penalty of each target.

    The curve of leave-one-out errors of a target, relative to its variance, is added to the mean of
    these curves over all targets, and the lowest point of the sum counts: what a curve does not
    tell, the others do.

    Parameters
    ----------
    eigen : KernelEigen
        The decomposed kernel.
    targets : CentredTargets
        Targets.
    workers : Workers
        Threads to use.

    Returns
    -------
    ndarray of int of shape (n_targets,)
        Positions in `PENALTIES`.
    """
    leave_one_out = LeaveOneOut(eigen, targets.dtype)
    relative = np.empty((len(PENALTIES), targets.n_targets), dtype=targets.dtype)

    def write(columns: slice) -> None:
        centred, _ = targets.block(columns)
        relative[:, columns] = leave_one_out.errors(_to_unit_variance(centred))

    for _ in workers.results(write, targets.blocks):
        pass
    relative += relative.mean(axis=1, keepdims=True)
    return relative.argmin(axis=0).astype(np.int8)


class ComponentMap(NamedTuple):
    """Dual coefficients of the targets' principal components, from which those of targets follow.

    Attributes
    ----------
    components : ndarray of shape (n_samples, n_helpful)
        Values of the samples on the components that are not left at the mean, of length 1.
    coefficients : ndarray of shape (n_samples, n_helpful)
        Dual coefficients of these components.
    penalties : ndarray of shape (n_components,)
        Penalties in units of the mean eigenvalue, the component of most variance first; infinite
        where none predicts better than the mean.
    """

    components: np.ndarray
    coefficients: np.ndarray
    penalties: np.ndarray

    def solve(self, centred: np.ndarray) -> np.ndarray:
        """Return the dual coefficients of centred targets.

        Parameters
        ----------
        centred : ndarray of shape (n_samples, n_targets)
            Centred targets.

        Returns
        -------
        ndarray of shape (n_samples, n_targets)
            Coefficients.
        """
        return self.coefficients @ (self.components.T @ centred)


def penalties_of_components(
    eigen: KernelEigen, targets: CentredTargets, workers: Workers
) -> ComponentMap:
    """Choose a penalty for each principal component of the targets by leave-one-out.

    Parameters
    ----------
    eigen : KernelEigen
        The decomposed kernel.
    targets : CentredTargets
        Targets.
    workers : Workers
        Threads to use.

    Returns
    -------
    ComponentMap
        Penalties, and the map to coefficients that follows.
    """
    n = targets.n_samples

    def products(columns: slice) -> np.ndarray:
        centred, _ = targets.block(columns)
        return centred @ centred.T

    gram = workers.add(np.zeros((n, n)), products, targets.blocks)
    variances, components = eigh(gram, overwrite_a=True, check_finite=False)
    kept = np.flatnonzero(variances > max(_SMALLEST_COMPONENT * variances[-1], 0))[::-1]
    components = components[:, kept]
    components -= components.mean(axis=0)
    errors = LeaveOneOut(eigen).errors(components)
    best = errors.argmin(axis=0)
    of_mean = np.einsum("ij,ij->j", components, components) * n / (n - 1) ** 2
    helps = errors.min(axis=0) < of_mean
    components = components[:, helps]
    inverse = eigen.inverse(PENALTIES * eigen.mean_value)[:, best[helps]]
    coefficients = eigen.vectors @ (inverse * (eigen.vectors.T @ components))
    return ComponentMap(components, coefficients, np.where(helps, PENALTIES[best], np.inf))


class DualSolution:
    """The dual coefficients of targets, block by block.

    Parameters
    ----------
    eigen : KernelEigen
        The decomposed kernel.
    targets : CentredTargets
        Targets.
    chosen : ndarray of int of shape (n_targets,) or None
        Positions in `PENALTIES` for each target.
    components : ComponentMap or None
        Map of the components.
    share : float
        Share of the solution by component, from 0 to 1; the rest is the solution by target.
    effects : callable or None, default=None
        Function of a slice of targets that returns what other features explain of them, which the
        solution by target leaves to those.
    """

    def __init__(
        self,
        eigen: KernelEigen,
        targets: CentredTargets,
        chosen: np.ndarray | None,
        components: ComponentMap | None,
        share: float,
        effects: Callable[[slice], np.ndarray] | None = None,
    ) -> None:
        self._eigen, self._targets = eigen, targets
        self.chosen, self.components, self._share = chosen, components, share
        self._effects = effects
        self._inverse = eigen.inverse(PENALTIES * eigen.mean_value)

    def block(self, columns: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the coefficients of some targets, the means and the norms of the targets.

        Parameters
        ----------
        columns : slice
            The targets.

        Returns
        -------
        coefficients : ndarray of shape (n_samples, n_columns)
            Dual coefficients in float64.
        mean, norm : ndarray of shape (n_columns,)
            Means of the targets, and norms of their deviations.
        """
        centred, mean = self._targets.block(columns)
        norm = np.sqrt(np.einsum("ij,ij->j", centred, centred))
        solved = np.zeros_like(centred)
        if self.components is not None and self._share > 0:
            solved = self.components.solve(self._share * centred)
        # whatever the share, what the effects explain is taken from the kernel
        if self.chosen is not None and (self._share < 1 or self._effects is not None):
            centred *= 1 - self._share
            if self._effects is not None:
                centred -= self._effects(columns)
            rotated = self._eigen.vectors.T @ centred
            rotated *= self._inverse[:, self.chosen[columns]]
            solved += np.matmul(self._eigen.vectors, rotated, out=centred)
        return solved, mean, norm

    def signal_variances(self, penalties: np.ndarray, workers: Workers) -> np.ndarray:
        """Return the variance of the signal of each target that is most likely with its penalty.

        Parameters
        ----------
        penalties : ndarray of shape (n_targets,)
            Penalties in units of the mean eigenvalue.
        workers : Workers
            Threads to use.

        Returns
        -------
        ndarray of shape (n_targets,)
            ``y' (K + a I)^-1 y / n_samples`` of centred targets without what other features
            explain; 0 if no samples differ.
        """
        unit = self._eigen.mean_value
        if not unit > 0:
            return np.zeros(self._targets.n_targets)

        def variances(columns: slice) -> np.ndarray:
            centred, _ = self._targets.block(columns)
            if self._effects is not None:
                centred -= self._effects(columns)
            rotated = self._eigen.vectors.T @ centred
            with np.errstate(over="ignore"):
                np.square(rotated, out=rotated)
            rotated /= self._eigen.values[:, None] / unit + penalties[columns]
            return rotated.mean(axis=0) / unit

        return np.concatenate(list(workers.results(variances, self._targets.blocks)))

    def fill(self, dtype: np.dtype, workers: Workers) -> tuple[np.ndarray, np.ndarray]:
        """Return the coefficients and means of all targets.

        Parameters
        ----------
        dtype : numpy.dtype
            Wanted dtype. The coefficients are in float64 if it cannot hold them or would lose
            digits that predictions need.
        workers : Workers
            Threads to use.

        Returns
        -------
        dual_coef : ndarray of shape (n_samples, n_targets)
            Dual coefficients.
        mean : ndarray of shape (n_targets,)
            Means of the targets, in the wanted dtype.
        """
        shape = self._targets.n_samples, self._targets.n_targets
        mean = np.empty(shape[1])
        for kind in dict.fromkeys((np.dtype(dtype), np.dtype(np.float64))):
            dual_coef = np.empty(shape, dtype=kind)

            def write(columns: slice, dual_coef: np.ndarray = dual_coef) -> bool:
                solved, mean[columns], norm = self.block(columns)
                if not self._fits(solved, norm, dual_coef.dtype):
                    return False
                dual_coef[:, columns] = solved
                return True

            if all(workers.results(write, self._targets.blocks)):
                break
        return dual_coef, mean.astype(dtype)

    def _fits(self, solved: np.ndarray, norm: np.ndarray, dtype: np.dtype) -> bool:
        """Return whether `dtype` can hold the coefficients of targets with these norms."""
        if dtype == np.float64:
            return True
        info = np.finfo(dtype)
        largest = np.maximum(solved.max(axis=0), -solved.min(axis=0))
        sizes = largest[largest > 0]
        in_range = np.all((sizes < info.max / 1e3) & (sizes > info.tiny * 1e6))
        # a kernel multiplies their rounding errors by its largest value
        error = self._eigen.values.max() * np.sqrt(np.einsum("ij,ij->j", solved, solved))
        return bool(in_range and np.all(error <= _MAX_CONDITION * norm))


def predicted_blocks(
    kernel: np.ndarray,
    solution: DualSolution,
    targets: CentredTargets,
    workers: Workers,
    effects: Callable[[slice], np.ndarray] | None = None,
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield predictions of blocks of targets, without keeping coefficients.

    Parameters
    ----------
    kernel : ndarray of shape (n_new, n_samples)
        Centred kernel of new samples with the training samples.
    solution : DualSolution
        Coefficients of the targets.
    targets : CentredTargets
        Targets of the training samples.
    workers : Workers
        Threads to use.
    effects : callable or None, default=None
        Function of a slice of targets that returns what other features add to predictions.

    Yields
    ------
    columns : slice
        The targets.
    predicted : ndarray of shape (n_new, n_columns)
        Predictions in float64.
    """

    def predict(columns: slice) -> np.ndarray:
        solved, mean, _ = solution.block(columns)
        predicted = kernel @ solved + mean
        return predicted if effects is None else predicted + effects(columns)

    yield from zip(targets.blocks, workers.results(predict, targets.blocks), strict=True)


def _to_unit_variance(centred: np.ndarray) -> np.ndarray:
    """Divide targets by their standard deviation in place; a constant target stays 0."""
    largest = np.abs(centred).max(axis=0)
    centred /= np.where(largest > 0, largest, 1.0)  # the squares of tiny values would vanish
    deviation = np.sqrt(np.mean(centred**2, axis=0))
    centred /= np.where(deviation > 0, deviation, 1.0)
    return centred
