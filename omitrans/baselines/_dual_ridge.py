"""Ridge regression in the space of samples, which is fast for many features and targets."""

from collections.abc import Iterator
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import squareform
from sklearn.utils import gen_batches

from omitrans.baselines._multi_target import MultiTargetRegressor
from omitrans.solvers._kernels import (
    TARGETS_A_BLOCK,
    KernelEigen,
    inner_products,
    squared_distances,
)
from omitrans.utils._sklearn import Interval, StrOptions, fit_context

_TARGETS_TO_TUNE_ON = 1024
_SAMPLES_A_BLOCK = 1024
_ALPHAS = np.logspace(-3, 2, 16)


class DualRidgeRegressor(MultiTargetRegressor):
    """Ridge regression in its dual form, with an intercept and a linear or an RBF kernel.

    The penalty (and the width of the kernel) may be chosen by the leave-one-out error. This needs
    no further fits: one eigendecomposition of the kernel matrix of the training samples is enough
    for all penalties.

    Parameters
    ----------
    alpha : float or array-like of shape (n_alphas,), default=None
        Penalty, the same for all targets. If several are given, the one with the lowest
        leave-one-out error is taken. 0 gives the minimum-norm least squares solution. None tries
        16 values from 1e-3 to 1e2.
    alpha_mode : {"relative", "absolute"}, default="relative"
        Unit of the penalties. "relative" counts them as fractions of the mean eigenvalue of the
        centred kernel matrix, i.e. of the mean squared distance of a sample to the mean.
        "absolute" takes the value in the objective ``||Y - X W||² + alpha ||W||²``, as in
        scikit-learn.
    kernel : {"linear", "rbf"}, default="linear"
        Kernel: "linear" is the inner product of two samples, and "rbf" is ``exp(-gamma d²)`` for
        two samples at distance ``d``.
    gamma : float or array-like of shape (n_gammas,), default=(0.1, 0.3, 1.0)
        Parameter of the RBF kernel, in units of 1 / median(``d²``) over the pairs of training
        samples. If several are given, the best one is chosen together with the penalty.

    Attributes
    ----------
    alpha_ : float
        The penalty in use, in absolute units.
    gamma_ : float or None
        The gamma in use, in absolute units; None for the linear kernel.
    loo_mse_ : ndarray of shape (n_gammas, n_alphas) or None
        Mean squared leave-one-out error of each gamma and penalty; None if there was no choice.
    dual_coef_ : ndarray of shape (n_samples, n_targets)
        Coefficients of the training samples, in the dtype of X, or in float64 if float32 cannot
        hold them or would lose digits.
    intercept_ : ndarray of shape (n_targets,)
        Intercepts.
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
    sklearn.linear_model.RidgeCV : The same linear models, with a table of all coefficients.
    sklearn.kernel_ridge.KernelRidge : Other kernels, without intercept or choice of the penalty.

    Notes
    -----
    The model keeps the training samples and `dual_coef_`, so its memory grows with
    ``n_samples * (n_features + n_targets)``. The ``n_features * n_targets`` coefficients, 19 GB
    for 39,464 probes and 60,483 genes, are never computed. Time grows with the cube of the number
    of samples. With many more samples than features, use scikit-learn's classes.

    At most 1,024 targets, spread evenly over the columns, are used to choose the penalty. Each fold
    of the leave-one-out error leaves one *sample* out. If samples of one patient are alike, the
    chosen penalty is therefore a little too small.

    Directions whose eigenvalue is at most 1e-10 of the largest are left out, because rounding
    decides about them.

    The columns are not scaled. Put a :class:`~sklearn.preprocessing.StandardScaler` in front if
    they should be.

    References
    ----------
    R. Rifkin, R. Lippert, "Notes on regularized least squares", MIT-CSAIL-TR-2007-025, section 3
    (leave-one-out errors in closed form).

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.baselines import DualRidgeRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 300))
    >>> Y = X @ rng.normal(size=(300, 4))
    >>> model = DualRidgeRegressor().fit(X, Y)
    >>> model.dual_coef_.shape
    (50, 4)
    """

    _centre: np.ndarray | None = None  # models of earlier versions

    _parameter_constraints = {
        "alpha": [Interval(Real, 0, None, closed="left"), "array-like", None],
        "alpha_mode": [StrOptions({"relative", "absolute"})],
        "kernel": [StrOptions({"linear", "rbf"})],
        "gamma": [Interval(Real, 0, None, closed="neither"), "array-like"],
    }

    def __init__(
        self,
        alpha: float | ArrayLike | None = None,
        *,
        alpha_mode: str = "relative",
        kernel: str = "linear",
        gamma: float | ArrayLike = (0.1, 0.3, 1.0),
    ) -> None:
        self.alpha = alpha
        self.alpha_mode = alpha_mode
        self.kernel = kernel
        self.gamma = gamma

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit the coefficients of the training samples.

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
            If `alpha` or `gamma` is not one or several finite numbers of at least 0, if 0 is among
            several penalties, or if X or y hold missing or infinite values.
        """
        source, target = self._check_training_tables(X, y)
        target = target.astype(source.dtype, copy=False)
        # exact for a constant column, which must not vary by the rounding of its mean
        constant = source.min(axis=0) == source.max(axis=0)
        self._centre = np.where(constant, source[0], source.mean(axis=0, dtype=np.float64))
        eigen = self._search(source, target)
        self.dual_coef_, self.intercept_ = eigen.solve(target, self.alpha_)
        self._source = source
        return self

    def _predict(self, source: np.ndarray) -> np.ndarray:
        predicted = np.empty((len(source), self.n_targets_), dtype=source.dtype)
        for rows in gen_batches(len(source), _SAMPLES_A_BLOCK):
            if self.gamma_ is None:
                kernel = inner_products(source[rows], self._source, self._centre)
            else:
                distances = squared_distances(source[rows], self._source, self._centre)
                kernel = np.exp(-self.gamma_ * distances)
            for block in gen_batches(self.n_targets_, TARGETS_A_BLOCK):
                # a product in float64, without a float64 copy of all coefficients
                product = kernel @ self.dual_coef_[:, block].astype(np.float64)
                predicted[rows, block] = product + self.intercept_[block]
        return predicted

    def _search(self, X: np.ndarray, Y: np.ndarray) -> KernelEigen:
        """Set `alpha_`, `gamma_` and `loo_mse_`; return the eigendecomposition for `gamma_`."""
        relative = _choices(_ALPHAS if self.alpha is None else self.alpha, "alpha")
        n_gammas = 1 if self.kernel == "linear" else len(_choices(self.gamma, "gamma"))
        searches = len(relative) * n_gammas > 1
        if searches and not np.all(relative > 0):
            raise ValueError("alpha=0 has no leave-one-out error: give it alone, not in a search.")
        n_tuned = min(Y.shape[1], _TARGETS_TO_TUNE_ON)
        tuned = Y[:, np.linspace(0, Y.shape[1] - 1, n_tuned).astype(int)]
        best, lowest, errors = None, np.inf, []
        for gamma, kernel in self._kernels(X):
            eigen = KernelEigen(kernel)
            alphas = relative * (eigen.mean_value if self.alpha_mode == "relative" else 1.0)
            errors.append(eigen.loo_mse(tuned, alphas) if searches else np.zeros(1))
            if best is None or errors[-1].min() < lowest:
                best, lowest = eigen, errors[-1].min()
                self.alpha_, self.gamma_ = float(alphas[errors[-1].argmin()]), gamma
        self.loo_mse_ = np.array(errors) if searches else None
        assert best is not None  # there is at least one kernel
        return best

    def _kernels(self, X: np.ndarray) -> Iterator[tuple[float | None, np.ndarray]]:
        """Yield each gamma in absolute units, with its kernel matrix of the training samples."""
        if self.kernel == "linear":
            yield None, inner_products(X, X, self._centre)
            return
        distances = squared_distances(X, X, self._centre)
        np.fill_diagonal(distances, 0)
        median = np.median(squareform(distances, checks=False)) or 1.0
        for gamma in _choices(self.gamma, "gamma") / median:
            yield float(gamma), np.exp(-gamma * distances)


def _choices(values: Any, name: str) -> np.ndarray:
    """Return one or several values as a vector."""
    choices = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if choices.ndim != 1 or not len(choices) or not np.all((choices >= 0) & np.isfinite(choices)):
        raise ValueError(f"{name} must be one or several finite numbers >= 0. Got {values!r}.")
    return choices
