"""Detect new samples that do not come from the cohort that a model was trained on."""

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from scipy.linalg import eigh
from scipy.stats import median_abs_deviation
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils.validation import check_is_fitted

from omitrans.model_selection._folds import Split, make_folds, sample_groups
from omitrans.utils._blocks import BLOCK_VALUES, FEW_ROWS, columns_per_block
from omitrans.utils._sklearn import HasMethods, Interval, fit_context
from omitrans.utils._validation import check_source

_MAX_SAMPLES = 2000  # more do not change the leading components, and cost their number squared
_ROUNDING = 1e-10  # directions that vary less than this share of the first do not vary


class Subspace(NamedTuple):
    """Leading principal components of standardised samples.

    Parameters
    ----------
    mean, scale : ndarray of shape (n_features,)
        Mean and scale by which the columns are standardised.
    components : ndarray of shape (n_components, n_features)
        Orthonormal directions of the principal components.
    variances : ndarray of shape (n_components,)
        Variances of the samples along the components.
    """

    mean: np.ndarray
    scale: np.ndarray
    components: np.ndarray
    variances: np.ndarray

    @classmethod
    def learn(
        cls, X: np.ndarray, rows: np.ndarray, n_components: int, rng: np.random.RandomState
    ) -> Self:
        """Learn the principal components of some samples.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Samples as rows.
        rows : ndarray of int
            Row numbers of the samples to learn from.
        n_components : int
            Number of components. There are fewer if the samples span fewer directions, because at
            least one direction is left outside.
        rng : numpy.random.RandomState
            Generator that selects samples if there are very many.

        Returns
        -------
        Subspace
            Learned subspace.
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
        """Return the squared distances of some samples from the mean.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Samples as rows.
        rows : ndarray of int
            Row numbers of the samples to measure.

        Returns
        -------
        ndarray of shape (n_rows, 2)
            Squared Mahalanobis distance of the scores on the components, and squared length of the
            residual outside the components. The values of a sample do not depend on the other
            samples.
        """
        components = self.components.astype(np.float64, copy=False)
        squares = np.empty((len(rows), 2))
        for batch in gen_batches(len(rows), FEW_ROWS):
            # one product per sample: rounding in a larger product depends on its number of rows
            for i, sample in enumerate(X[rows[batch]], start=batch.start):
                outside = (sample - self.mean) / self.scale
                scores = components @ outside
                outside -= scores @ components
                squares[i] = np.sum(scores**2 / self.variances), outside @ outside
        return squares


def _location_and_scale(X: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return means and deviations of columns; small deviations are shrunk towards the median."""
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
    """Return the n largest eigenvalues and their vectors; at least one is left out."""
    last = len(products) - 1
    values, vectors = eigh(
        products, subset_by_index=[max(last - n, 0), last], overwrite_a=True, check_finite=False
    )
    n_varying = int((values > _ROUNDING * values[-1]).sum())
    n = min(n, n_varying - 1)
    return values[::-1][:n], vectors[:, ::-1][:, :n]


def _column_blocks(X: np.ndarray, rows: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield some rows of X as float64, in blocks of columns."""
    for columns in gen_batches(X.shape[1], columns_per_block(len(rows), BLOCK_VALUES)):
        yield columns, X[rows, columns].astype(np.float64)


def _standard_blocks(
    X: np.ndarray, rows: np.ndarray, mean: np.ndarray, scale: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield some rows of X, standardised, in blocks of columns."""
    for columns, block in _column_blocks(X, rows):
        block -= mean[columns]
        block /= scale[columns]
        yield columns, block


_MIN_SAMPLES = 5
_MAX_COMPONENTS = 20
_SAMPLES_A_COMPONENT = 10
_MAX_FREEDOM = 250  # beyond it the moments of a nearly constant distance say nothing


class DomainShiftDetector(OutlierMixin, BaseEstimator):
    """Measure how far samples lie from a training cohort, and flag those that lie too far.

    A sample is compared with the principal components of the training cohort. Columns are
    standardised, so that columns which hardly vary within the cohort count as well. The Mahalanobis
    distance of the scores says whether a sample is extreme in the directions in which the cohort
    varies; the squared residual says whether it lies outside these directions. Both are scaled by
    training samples that were held out while the components were learnt, weighted by how little
    they vary there, and added. The held-out samples also set the threshold, so that new samples of
    the same cohort are flagged at about the requested rate.

    Parameters
    ----------
    n_components : int or None, default=None
        Number of principal components. None takes one component per ten training samples, but at
        least one and at most 20. Fewer are used if the samples of a fold span fewer directions.
    false_positive_rate : float, default=0.05
        Fraction of samples that are flagged although they are of the same kind as the training
        cohort.
    cv : int or splitter, default=5
        Folds that hold out each training sample exactly once. A number makes shuffled folds, which
        keep the samples of a group together if `fit` knows groups. A splitter must keep them
        together as well.
    random_state : int, RandomState instance or None, default=None
        Seed of the shuffled folds, and of the selection of samples if there are very many.

    Attributes
    ----------
    n_components_ : int
        Number of principal components that are used.
    components_ : ndarray of shape (n_components, n_features)
        Orthonormal directions of the principal components.
    mean_ : ndarray of shape (n_features,)
        Means of the training samples.
    scale_ : ndarray of shape (n_features,)
        Standard deviations of the training samples. For columns that hardly vary, the median
        variance over columns, divided by the number of samples, is added to the variance of each
        column.
    variances_ : ndarray of shape (n_components,)
        Variances of the training samples along the components.
    weights_ : ndarray of shape (2,)
        Weights of the squared distance inside and outside the components in `distance`.
    training_distances_ : ndarray of shape (n_samples,)
        Distances of the training samples, each from components learnt without its fold.
    tail_ : float
        Mean excess of the logarithm of the distances above their median, which continues the
        p-values beyond the farthest training sample.
    threshold_ : float
        Distance above which a sample is flagged.
    offset_ : float
        ``-threshold_``, the name that detectors of scikit-learn use.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of str
        Names of the columns of X seen in fit, if X is a frame.

    See Also
    --------
    omitrans.displays.ShiftDisplay : Draws the distances.

    Notes
    -----
    The weights are those of data-driven SIMCA: each squared distance is treated as a scaled
    chi-squared variable, whose scale and degrees of freedom follow from the median and the median
    absolute deviation. A typical sample of the cohort has a distance near 1.

    The p-value of a sample is the rank of its distance among those of the n held-out samples, ``(1
    + number at least as far) / (n + 1)``, a conformal p-value: it assumes that the samples are
    exchangeable, but nothing about the distribution of the distances. Beyond the farthest held-out
    sample it continues with a power law, ``(distance / farthest) ** (-1 / tail_) / (n + 1)``. With
    99 samples or more, a rate of 0.01 does therefore not depend on that extrapolation; with fewer
    samples it does.

    A training sample lies nearer to the components that were learnt from it than a new sample; use
    ``training_distances_`` to judge training samples. With more than 2,000 training samples, the
    components are learnt from 2,000 random samples; means, deviations and the held-out distances
    still come from all samples. X is read in blocks and never copied as a whole.

    References
    ----------
    A. L. Pomerantsev and O. Ye. Rodionova. Concept and role of extreme objects in PCA/SIMCA.
    Journal of Chemometrics 28, 429-438 (2014).

    V. Vovk, A. Gammerman and G. Shafer. Algorithmic Learning in a Random World. Springer (2005).

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.trust import DomainShiftDetector
    >>> rng = np.random.default_rng(0)
    >>> X = rng.random((100, 50))
    >>> detector = DomainShiftDetector(random_state=0).fit(X)
    >>> new = rng.random((3, 50))
    >>> new[2] = np.log2(new[2] / (1 - new[2]))  # another unit
    >>> detector.predict(new)
    array([ 1,  1, -1])
    """

    _parameter_constraints = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "false_positive_rate": [Interval(Real, 0, 1, closed="neither")],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods(["split"])],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        n_components: int | None = None,
        false_positive_rate: float = 0.05,
        cv: Any = 5,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.false_positive_rate = false_positive_rate
        self.cv = cv
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, groups: Any = "auto") -> Self:
        """Learn the components and the usual distances.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training samples as rows, at least five, without missing values.
        y : None
            Ignored.
        groups : "auto", None or array-like of shape (n_samples,), default="auto"
            Patient of each sample; all samples of a patient are held out together. "auto" reads
            patients from the index of a DataFrame X if it holds ids of TCGA, TARGET or GTEx and
            patients have several samples. None does not group samples.

        Returns
        -------
        DomainShiftDetector
            The fitted detector.

        Raises
        ------
        ValueError
            If X has missing values, too few samples, or does not vary, if `cv` does not hold out
            every sample exactly once or puts a group on both sides of a split, or if there is only
            one group.

        Warns
        -----
        PatientGroupsWarning
            If samples were grouped because their ids name the same patients.
        """
        table, X = X, check_source(self, X, reset=True, ensure_min_samples=_MIN_SAMPLES)
        groups = sample_groups(table, groups, n_samples=len(X))
        rng = check_random_state(self.random_state)
        n_wanted = self.n_components or min(max(len(X) // _SAMPLES_A_COMPONENT, 1), _MAX_COMPONENTS)
        folds = self._folds(X, groups, rng)
        space = Subspace.learn(X, np.arange(len(X)), n_wanted, rng)
        learnt = [Subspace.learn(X, train, n_wanted, rng) for train, _ in folds]
        self.n_components_ = min(len(each.components) for each in (space, *learnt))
        squares = np.empty((len(X), 2))
        for each, (_, held) in zip(learnt, folds, strict=True):
            squares[held] = each.first(self.n_components_).squared_distances(X, held)
        self.mean_, self.scale_, self.components_, self.variances_ = space.first(self.n_components_)
        self.weights_ = _weights(squares)
        self.training_distances_ = np.sqrt(squares @ self.weights_)
        self._set_threshold()
        return self

    def _folds(self, X: np.ndarray, groups: Any, rng: np.random.RandomState) -> list[Split]:
        """Return training and held-out rows of folds that hold out each sample once."""
        cv = self.cv
        if isinstance(cv, Integral):
            n_units = len(X) if groups is None else len(pd.unique(groups))
            if n_units < 2:
                raise ValueError("groups holds a single group; two at least are needed.")
            cv = min(cv, n_units)
        folds = make_folds(cv, X, None, groups, rng)
        if min(len(train) for train, _ in folds) < 2:
            raise ValueError(
                "A fold has a single training sample. Give more samples, or more and smaller "
                "groups."
            )
        return folds

    def _set_threshold(self) -> None:
        """Learn the threshold and the tail from the distances of the training samples."""
        distances = np.sort(self.training_distances_)
        excess = np.log(distances[distances > 0] / np.median(distances))
        self.tail_ = float(excess[excess > 0].mean()) if (excess > 0).any() else 0.0
        share = self.false_positive_rate * (len(distances) + 1)
        if share >= 1:
            self.threshold_ = float(distances[-int(share + 1e-9)])  # 0.29 * 100 is below 29
        else:
            self.threshold_ = float(distances[-1] * share**-self.tail_)
        self.offset_ = -self.threshold_

    def distance(self, X: Any) -> np.ndarray:
        """Return the distance of each sample from the training cohort.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Distances; 1 is typical of the training cohort. The distance of a sample does not depend
            on the other samples.
        """
        check_is_fitted(self)
        X = check_source(self, X, reset=False)
        space = Subspace(self.mean_, self.scale_, self.components_, self.variances_)
        squares = space.squared_distances(X, np.arange(len(X)))
        return np.sqrt(np.sum(squares * self.weights_, axis=1))

    def p_values(self, X: Any) -> np.ndarray:
        """Return the probability that a sample of the training cohort lies at least as far away.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Conformal p-values in [0, 1].
        """
        return self._p_values(self.distance(X))

    def _p_values(self, distances: np.ndarray) -> np.ndarray:
        known = np.sort(self.training_distances_)
        n_at_least = len(known) - np.searchsorted(known, distances, side="left")
        ratio = known[-1] / np.maximum(distances, known[-1])
        with np.errstate(divide="ignore", under="ignore"):
            beyond = ratio ** np.divide(1, self.tail_)
        return (n_at_least + np.where(n_at_least, 1, beyond)) / (len(known) + 1)

    def score_samples(self, X: Any) -> np.ndarray:
        """Return the negative distance of each sample.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``-distance(X)``; the lower, the more abnormal.
        """
        return -self.distance(X)

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the threshold minus the distance of each sample.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            ``threshold_ - distance(X)``; negative for samples that are flagged.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """Flag the samples whose distance exceeds the threshold.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            -1 for samples that are flagged, 1 for other samples.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def report(self, X: Any) -> pd.DataFrame:
        """Return distance, p-value and alarm of each sample.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows.

        Returns
        -------
        DataFrame
            One row per sample, with the columns "distance", "p_value" and "shifted" (a bool) and
            the index of X.
        """
        distances = self.distance(X)
        return pd.DataFrame(
            {
                "distance": distances,
                "p_value": self._p_values(distances),
                "shifted": distances > self.threshold_,
            },
            index=X.index if isinstance(X, pd.DataFrame) else None,
        )


def _weights(squares: np.ndarray) -> np.ndarray:
    """Return weights for a sum of the columns, so that a typical sum is 1."""
    typical = np.median(squares, axis=0)
    spread = median_abs_deviation(squares, axis=0, scale="normal")
    # a scaled chi-squared variable has 2 (mean / deviation)**2 degrees of freedom
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.clip(2 * (typical / spread) ** 2, 1, _MAX_FREEDOM)
        weights = np.where(typical > 0, freedom / typical, 0)
    if not weights.any():
        raise ValueError(
            "Half of the training samples or more are identical, so no distance is usual. Check "
            "that X holds different samples, not one repeated."
        )
    return weights / (weights @ typical)
