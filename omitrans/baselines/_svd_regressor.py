"""Regression on the singular vectors of the joint table of targets and features."""

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from omitrans.baselines._multi_target import MultiTargetRegressor
from omitrans.solvers._kernels import inner_products
from omitrans.solvers._low_rank import leading_vectors
from omitrans.solvers._standardize import standardize
from omitrans.utils._sklearn import Interval, StrOptions, fit_context


class SVDRegressor(MultiTargetRegressor):
    """Predict targets by a low-rank approximation of the joint table of targets and features.

    The joint table ``[Y / scale | X]`` of the training samples is decomposed. The targets of a new
    sample are taken from the combination of the right singular vectors that is nearest to its
    features.

    Parameters
    ----------
    rank : int, default=10
        Number of singular vectors to compute.
    target_scale : float or "max", default="max"
        Number that the targets are divided by; the features are not scaled. "max" takes the
        largest absolute target of the training samples. The larger the number, the less the
        targets influence the singular vectors; a very large number gives a regression on the
        principal components of X.
    center : bool, default=True
        Whether to subtract the mean of each column of both tables first. The published comparison
        does not.
    random_state : int, RandomState instance or None, default=None
        Seed of the randomized decomposition; the result hardly depends on it.

    Attributes
    ----------
    target_scale_ : float
        Number that the targets were divided by.
    components_ : ndarray of shape (rank, n_features)
        The part of the right singular vectors that belongs to X.
    target_components_ : ndarray of shape (rank, n_targets)
        The part of the right singular vectors that belongs to Y, in the units of Y.
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
    SVDImputer : The iterative method, for tables with missing values anywhere.
    sklearn.cross_decomposition.PLSRegression : Components that covary with the targets.

    Notes
    -----
    **This is not the published method.** TDimpute's comparison puts training and test samples into
    one table whose test targets are missing, and fills it iteratively (:class:`SVDImputer` with
    ``fit_transform``). That method is transductive: the test samples influence the singular
    vectors, and the method must be repeated to predict other samples. For given vectors its fixed
    point is the prediction made here, but in the iteration the vectors adapt to the values that
    they have filled in. On three small TCGA cohorts the iteration was worse than predicting the
    mean, and the prediction made here was better than the mean.

    References
    ----------
    X. Zhou et al., "Imputing missing RNA-sequencing data from DNA methylation by using a transfer
    learning-based neural network", GigaScience 9(7), 2020 (the method "SVD": rank 10, targets
    divided by 16.5, the largest log2 value).

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.baselines import SVDRegressor
    >>> factors = np.random.default_rng(0).normal(size=(30, 2))
    >>> X, Y = factors @ [[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]], factors @ [[3.0], [4.0]]
    >>> model = SVDRegressor(rank=2, random_state=0).fit(X, Y)
    >>> model.predict([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]]).round(3)
    array([[3.],
           [4.]])
    """

    _parameter_constraints = {
        "rank": [Interval(Integral, 1, None, closed="left")],
        "target_scale": [Interval(Real, 0, None, closed="neither"), StrOptions({"max"})],
        "center": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        rank: int = 10,
        *,
        target_scale: float | str = "max",
        center: bool = True,
        random_state: Any = None,
    ) -> None:
        self.rank = rank
        self.target_scale = target_scale
        self.center = center
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Compute the singular vectors of the joint table.

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
        target = target.astype(source.dtype, copy=False)
        self.target_scale_ = self._scale(target)
        x, y = (standardize(table, centre=self.center, scale=False) for table in (source, target))
        # one power of 2 for both tables: no square overflows, and no digit changes
        unit = np.exp2(
            np.frexp(max(_largest(x.values), _largest(y.values) / self.target_scale_))[1]
        )
        joint = np.hstack(
            [y.values / (self.target_scale_ * unit), x.values / unit], dtype=x.values.dtype
        )
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        left, values, vectors = leading_vectors(joint, min(self.rank, *source.shape), seed)
        # what lies below is rounding, whose vectors have any direction
        eps = np.finfo(joint.dtype).eps
        rounding = max(joint.shape) * eps
        kept = values > rounding * values.max()
        left, values, vectors = left[:, kept], values[kept], vectors[kept]
        # rounding in the large columns hides the entries of the small ones, but not their products
        sizes = np.maximum(joint.max(axis=0), -joint.min(axis=0))
        small = sizes <= np.sqrt(eps) * sizes.max()
        back = (left / (values * unit)).T.astype(source.dtype)
        q = self.n_targets_
        self.target_components_, self.components_ = (
            vectors[:, :q] * self.target_scale_,
            vectors[:, q:],
        )
        self.target_components_[:, small[:q]] = back @ y.values[:, small[:q]]
        self.components_[:, small[q:]] = back @ x.values[:, small[q:]]
        self._source_mean, self._target_mean = (table.mean.astype(source.dtype) for table in (x, y))
        self._to_scores = np.linalg.pinv(self.components_, rcond=rounding)
        return self

    def _predict(self, source: np.ndarray) -> np.ndarray:
        # the mean is subtracted from the few scores, not from a copy of X
        scores = inner_products(source, self._to_scores.T)
        scores -= inner_products(self._source_mean[None], self._to_scores.T)
        predicted = scores @ self.target_components_.astype(np.float64) + self._target_mean
        return predicted.astype(source.dtype, copy=False)

    def _scale(self, target: np.ndarray) -> float:
        if self.target_scale != "max":
            return float(self.target_scale)
        largest = _largest(target)
        return largest if largest > 0 else 1.0


def _largest(table: np.ndarray) -> float:
    return float(max(table.max(), -table.min()))
