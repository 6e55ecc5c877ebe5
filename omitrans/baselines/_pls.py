"""Partial least squares with a number of components chosen by cross-validation."""

import warnings
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.cross_decomposition import PLSRegression
from sklearn.exceptions import ConvergenceWarning

from omitrans.baselines._multi_target import MultiTargetRegressor
from omitrans.model_selection._folds import make_folds, sample_groups
from omitrans.solvers._kernels import inner_products
from omitrans.solvers._standardize import standardize
from omitrans.utils._sklearn import Interval, fit_context


class PLSRegressor(MultiTargetRegressor):
    """Predict all targets from the few components of X that covary with them most.

    This is partial least squares regression of features and targets scaled to variance 1. Every
    number of components up to `max_components` is tried with one fit per fold, because the
    components of a smaller model are the first components of a larger one.

    Parameters
    ----------
    max_components : int, default=16
        Largest number of components; it is lower if there are fewer samples or features.
    cv : int, splitter or iterable, default=5
        Folds of the cross-validation. A number makes this number of folds with
        :class:`~sklearn.model_selection.KFold`, or with
        :class:`~sklearn.model_selection.GroupKFold` if `fit` knows groups.
    shuffle : bool, default=False
        Whether to shuffle the samples before they are split into folds, if `cv` is a number. Set
        it if rows are sorted, e.g. by cancer type.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffling.

    Attributes
    ----------
    n_components_ : int
        Number of components with the lowest mean squared error on held-out samples.
    cv_mse_ : ndarray of shape (max_components,)
        Mean squared error on held-out samples for 1, 2, ... components, averaged over folds.
    rotations_ : ndarray of shape (n_features, n_components)
        Matrix that maps centred features to scores. It has fewer columns than `n_components_` if
        the rank of X is lower.
    loadings_ : ndarray of shape (n_components, n_targets)
        Matrix that maps scores to centred targets.
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
    sklearn.cross_decomposition.PLSRegression : PLS with a fixed number of components.

    Notes
    -----
    scikit-learn computes the components. During the fit it also holds a table of
    ``n_features * n_targets`` coefficients in float64.

    References
    ----------
    S. Wold, M. Sjöström, L. Eriksson, "PLS-regression: a basic tool of chemometrics",
    Chemometrics and Intelligent Laboratory Systems 58(2), 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.baselines import PLSRegressor
    >>> rng = np.random.default_rng(0)
    >>> factors = rng.normal(size=(60, 2))
    >>> X = factors @ rng.normal(size=(2, 30)) + 0.1 * rng.normal(size=(60, 30))
    >>> Y = factors @ rng.normal(size=(2, 5))
    >>> bool(PLSRegressor().fit(X, Y).score(X, Y) > 0.95)
    True
    """

    _parameter_constraints = {
        "max_components": [Interval(Integral, 1, None, closed="left")],
        "cv": ["cv_object"],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        max_components: int = 16,
        *,
        cv: Any = 5,
        shuffle: bool = False,
        random_state: Any = None,
    ) -> None:
        self.max_components = max_components
        self.cv = cv
        self.shuffle = shuffle
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike, groups: Any = "auto") -> Self:
        """Choose the number of components and compute the components.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles, e.g. beta values. No missing values.
        y : array-like or DataFrame of shape (n_samples, n_targets) or (n_samples,)
            Target profiles of the same samples in the same order, e.g. log2(FPKM + 1). When both
            are frames, their indexes must be equal.
        groups : "auto", None or array-like of shape (n_samples,), default="auto"
            The group of each sample, e.g. its patient. The cross-validation never splits a group
            between training and test samples. "auto" reads the patients from the index of a frame
            X if it holds ids of TCGA, TARGET or GTEx and patients have several samples. None
            switches grouping off.

        Returns
        -------
        self
            The fitted regressor.

        Raises
        ------
        SampleMismatchError
            If X and y name different samples, the same samples in another order, or a sample twice.
        ValueError
            If X or y hold missing or infinite values, or if `cv` splits a group between training
            and test samples.

        Warns
        -----
        PatientGroupsWarning
            If samples were grouped because their ids name the same patients.
        """
        source, target = self._check_training_tables(X, y)
        groups = sample_groups(X, groups, n_samples=len(source))
        self.cv_mse_ = self._held_out_errors(source, target, groups)
        self.n_components_ = int(self.cv_mse_.argmin()) + 1
        self.rotations_, self.loadings_, *means = self._fit_components(
            source, target, slice(None), self.n_components_
        )
        self._source_mean, self._target_mean = means
        return self

    def _predict(self, source: np.ndarray) -> np.ndarray:
        # the mean is subtracted from the few scores, not from a copy of X
        scores = inner_products(source, self.rotations_.T)
        scores -= inner_products(self._source_mean[None], self.rotations_.T)
        predicted = scores @ self.loadings_.astype(np.float64) + self._target_mean
        return predicted.astype(source.dtype, copy=False)

    def _held_out_errors(self, X: np.ndarray, Y: np.ndarray, groups: Any) -> np.ndarray:
        """Return the mean squared error for 1, 2, ... components, averaged over folds."""
        folds = []
        splits = make_folds(
            self.cv, X, Y, groups, self.random_state, each_once=False, shuffle=self.shuffle
        )
        for train, test in splits:
            rotations, loadings, x_mean, y_mean = self._fit_components(
                X, Y, train, self.max_components
            )
            scores = X[test] @ rotations - x_mean @ rotations
            residual = np.subtract(Y[test], y_mean, dtype=np.float64)
            errors = []
            for score, loading in zip(scores.T, loadings, strict=True):
                residual -= np.outer(score, loading)
                errors.append(np.mean(residual**2))
            folds.append(errors)
        n_tried = min(map(len, folds))
        return np.mean([errors[:n_tried] for errors in folds], axis=0)

    def _fit_components(
        self, X: np.ndarray, Y: np.ndarray, rows: Any, n_components: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return rotations and loadings on the scale of the data, and the means of X and Y."""
        x = standardize(X, rows, centre=True, scale=True)
        y = standardize(Y.astype(X.dtype, copy=False), rows, centre=True, scale=True)
        components = _components(x.values, y.values, min(n_components, *x.values.shape))
        rotations = (components[0] / x.scale[:, None]).astype(X.dtype)
        loadings = (components[1].T * y.scale).astype(X.dtype)
        return rotations, loadings, x.mean.astype(X.dtype), y.mean.astype(X.dtype)


def _components(X: np.ndarray, Y: np.ndarray, n_wanted: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rotations and loadings of standardised tables, with a column per component.

    There are fewer components than wanted if X has a lower rank. The directions beyond it hold
    rounding errors, of any size once they are divided by their own length.
    """
    for n in range(min(n_wanted, _rank(X)), 0, -1):
        model = PLSRegression(n, scale=False)
        with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
            # the power iteration stops close enough to the solution; if nothing is left to
            # predict, further components are zero
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.filterwarnings("ignore", message="[yY] residual is constant")
            try:
                model.fit(X, Y)
            except ValueError:  # nothing in X covaries with what is left of Y
                continue
        if np.isfinite(model.x_rotations_).all() and np.isfinite(model.y_loadings_).all():
            return model.x_rotations_, model.y_loadings_
    return np.zeros((X.shape[1], 1)), np.zeros((Y.shape[1], 1))  # the mean


def _rank(X: np.ndarray) -> int:
    """Return the number of directions of X that are larger than rounding errors."""
    gram = inner_products(X, X) if len(X) <= X.shape[1] else inner_products(X.T, X.T)
    values = np.linalg.eigvalsh(gram)
    # the eigenvalues are squares, which are exact to the rounding of float64
    rounding = max(max(X.shape) * np.finfo(X.dtype).eps, np.sqrt(len(gram) * np.finfo(float).eps))
    return int(np.count_nonzero(values > rounding**2 * values[-1]))
