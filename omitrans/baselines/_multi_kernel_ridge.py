"""Ridge regression on a mixture of six kernels, with penalties for each gene and component."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import gen_batches

from omitrans.baselines._multi_target import MultiTargetRegressor
from omitrans.solvers._kernel_family import (
    KERNELS,
    FeatureScaling,
    Similarities,
    even_product,
    new_similarities,
    training_similarities,
)
from omitrans.solvers._kernel_mixture import KernelMixture, learned_weights
from omitrans.solvers._kernel_penalties import (
    PENALTIES,
    CentredTargets,
    DualSolution,
    penalties_of_components,
    penalties_of_targets,
    predicted_blocks,
)
from omitrans.solvers._kernels import TARGETS_A_BLOCK, KernelEigen
from omitrans.solvers._workers import Workers, workers
from omitrans.utils._finite import check_finite_predictions
from omitrans.utils._sklearn import StrOptions, fit_context

_SAMPLES_A_BLOCK = 1024


class MultiKernelRidgeRegressor(MultiTargetRegressor):
    """Ridge regression on a mixture of six kernels, which chooses all its parameters itself.

    The kernels are linear, RBF and Laplace, each on standardised and on centred features. Their
    weights are those under which the targets are most likely, drawn halfway to equal weights. Each
    gene, and each principal component of the genes, gets a penalty of its own by its leave-one-out
    error. One eigendecomposition of the mixed kernel matrix serves all of them.

    Parameters
    ----------
    kernel_weights : {"learned", "equal"}, mapping or array-like of shape (6,), default="learned"
        Weights of the kernels. "learned" takes the mean of equal weights and of those that maximise
        the likelihood of the targets. Numbers are at least 0, and are divided by their sum; they
        stand in the order of `kernel_weights_`, or in a dict or Series with the names of kernels,
        where kernels that are not named get 0.
    penalties : {"both", "gene", "component"}, default="both"
        What has a penalty of its own. "gene" chooses one of 21 penalties for each target, by its
        leave-one-out error and the mean error of all targets. "component" turns the targets to
        their principal components, and chooses one for each component; components that no penalty
        predicts better than their mean are left at the mean. "both" takes the mean of the two
        predictions.

    Attributes
    ----------
    kernel_weights_ : Series of shape (6,)
        Weights in use by kernel, such as "laplace, standardised". They add up to 1, or are all 0 if
        no feature tells samples apart.
    penalties_ : ndarray of shape (n_targets,) or None
        Penalty of each target, in units of the mean eigenvalue of the mixed kernel matrix. None
        with ``penalties="component"``.
    component_penalties_ : ndarray of shape (n_components,) or None
        Penalty of each component in the same units, the component of the largest variance first;
        infinite for components that are left at the mean. None with ``penalties="gene"``.
    dual_coef_ : ndarray of shape (n_samples, n_targets)
        Coefficients of the training samples, in the dtype of X, or in float64 if float32 cannot
        hold them or would lose digits.
    intercept_ : ndarray of shape (n_targets,)
        Means of the targets, to which the centred kernel times `dual_coef_` is added.
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
    DualRidgeRegressor : One kernel, and one penalty for all targets.

    Notes
    -----
    The RBF kernel is ``exp(-d² / median(d²))`` with the Euclidean distance ``d`` of two samples,
    and the Laplace kernel ``exp(-d / median(d))`` with their L1 distance, over the pairs of
    training samples. L1 distances of more than 4,096 features are those of 4,096 features, spread
    evenly over the columns. Standardised features have mean 0 and standard deviation 1 in training
    and are clipped to [-5, 5]. Features that are constant in training are ignored. Each kernel
    is centred on the training samples and divided by the mean of its eigenvalues.

    The weights are learned from at most 1,000 samples and 500 targets, spread evenly.

    The model keeps the training samples and `dual_coef_`. Beyond these, fit needs about
    ``100 * n_samples**2`` bytes, and time that grows with the cube of the number of samples, with
    ``n_samples**2 * n_features`` and with ``20 * n_samples**2 * n_targets``. It uses as many
    threads as BLAS may, and the result does not depend on how many these are.

    References
    ----------
    R. Rifkin, R. Lippert, "Notes on regularized least squares", MIT-CSAIL-TR-2007-025, section 3
    (leave-one-out errors in closed form).

    H. D. Patterson, R. Thompson, "Recovery of inter-block information when block sizes are
    unequal", Biometrika 58, 1971 (restricted likelihood).

    B. Schölkopf, A. J. Smola, "Learning with kernels", MIT Press 2002 (RBF and Laplace kernels,
    centred kernels).

    M. Gönen, E. Alpaydın, "Multiple kernel learning algorithms", Journal of Machine Learning
    Research 12, 2011 (mixtures of kernels).

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.baselines import MultiKernelRidgeRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 300))
    >>> Y = X @ rng.normal(size=(300, 4))
    >>> model = MultiKernelRidgeRegressor().fit(X, Y)
    >>> model.dual_coef_.shape
    (50, 4)
    >>> model.kernel_weights_.sum().round(6)
    np.float64(1.0)
    """

    _parameter_constraints = {
        "kernel_weights": [StrOptions({"learned", "equal"}), Mapping, "array-like"],
        "penalties": [StrOptions({"both", "gene", "component"})],
    }

    def __init__(
        self,
        *,
        kernel_weights: str | Mapping[str, float] | ArrayLike = "learned",
        penalties: str = "both",
    ) -> None:
        self.kernel_weights = kernel_weights
        self.penalties = penalties

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Mix the kernels, choose the penalties and solve for the coefficients.

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
            If `kernel_weights` holds no six numbers of at least 0, or if X or y hold missing or
            infinite values.
        """
        source, target = self._checked(X, y)
        with workers() as threads:
            # the similarities are given back before the coefficients are made
            solution = self._choose(source, target, threads)[0]
            self.dual_coef_, self.intercept_ = solution.fill(source.dtype, threads)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_cross_predict(
        self, X: ArrayLike, y: ArrayLike, folds: Iterable[tuple[ArrayLike, ArrayLike]]
    ) -> np.ndarray:
        """Fit on all samples, and predict the test samples of folds from their training samples.

        The predictions are those of clones that are fitted on the training samples of each fold,
        except for means and standard deviations of features, which are those of all samples.
        Distances and inner products of samples are computed once. Weights and penalties are chosen
        anew in each fold.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles, as in `fit`.
        y : array-like or DataFrame of shape (n_samples, n_targets) or (n_samples,)
            Target profiles, as in `fit`.
        folds : iterable of (training rows, test rows)
            Positions of samples, as a splitter yields them. A sample may be in one test fold, and
            not in the training samples of that fold.

        Returns
        -------
        ndarray of shape (n_samples, n_targets) or (n_samples,)
            Predictions of the test samples in the dtype of X; NaN for samples in no test fold.

        Raises
        ------
        SampleMismatchError
            If X and y name different samples, the same samples in another order, or a sample twice.
        ValueError
            If the folds are not usable, and for the reasons that `fit` has.
        """
        source, target = self._checked(X, y)
        parts = _checked_folds(folds, len(source))
        with workers() as threads:
            solution, similarities = self._choose(source, target, threads)
            self.dual_coef_, self.intercept_ = solution.fill(source.dtype, threads)
            predicted = np.full(target.shape, np.nan, dtype=source.dtype)
            for train, test in parts:
                self._predict_fold(similarities, target, train, test, threads, predicted)
                check_finite_predictions(self, predicted[test])
        return self._shaped(predicted)

    def _checked(self, X: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        source, target = self._check_training_tables(X, y)
        _given_weights(self.kernel_weights)
        return source, target.astype(source.dtype, copy=False)

    def _choose(
        self, source: np.ndarray, target: np.ndarray, threads: Workers
    ) -> tuple[DualSolution, Similarities]:
        """Set all that the model keeps but the coefficients."""
        scaling = FeatureScaling.of(source, threads)
        similarities = training_similarities(source, scaling, threads)
        mixture, solution = self._solve(similarities, target, CentredTargets(target), threads)
        self.kernel_weights_ = pd.Series(mixture.weights, list(KERNELS), name="weight")
        self.penalties_ = None if solution.chosen is None else PENALTIES[solution.chosen]
        components = solution.components
        self.component_penalties_ = None if components is None else components.penalties
        self._source, self._training_norms = source, similarities.training_norms
        # plain dicts, which a model file can hold
        self._scaling, self._mixture = scaling._asdict(), mixture._asdict()
        return solution, similarities

    def _solve(
        self,
        similarities: Similarities,
        target: np.ndarray,
        targets: CentredTargets,
        threads: Workers,
    ) -> tuple[KernelMixture, DualSolution]:
        """Choose weights and penalties on some training samples."""
        if isinstance(self.kernel_weights, str) and self.kernel_weights == "learned":
            weights = learned_weights(similarities, target, targets.rows, threads)
        else:
            weights = _given_weights(self.kernel_weights)
        mixture, kernel = KernelMixture.of(similarities, weights)
        eigen = KernelEigen(kernel)
        by_gene = self.penalties != "component"
        by_component = self.penalties != "gene"
        chosen = penalties_of_targets(eigen, targets, threads) if by_gene else None
        components = penalties_of_components(eigen, targets, threads) if by_component else None
        return mixture, DualSolution(eigen, targets, chosen, components)

    def _predict_fold(
        self,
        similarities: Similarities,
        target: np.ndarray,
        train: np.ndarray,
        test: np.ndarray,
        threads: Workers,
        predicted: np.ndarray,
    ) -> None:
        """Write the predictions of the test samples of one fold into `predicted`."""
        targets = CentredTargets(target, train)
        mixture, solution = self._solve(similarities.take(train, train), target, targets, threads)
        kernel = mixture.new(similarities.take(test, train))
        for columns, part in predicted_blocks(kernel, solution, targets, threads):
            predicted[test, columns] = part

    def _predict(self, source: np.ndarray) -> np.ndarray:
        predicted = np.empty((len(source), self.n_targets_), dtype=source.dtype)
        scaling, mixture = FeatureScaling(**self._scaling), KernelMixture(**self._mixture)
        with workers() as threads:
            for rows in gen_batches(len(source), _SAMPLES_A_BLOCK):
                similarities = new_similarities(
                    source[rows], self._source, self._training_norms, scaling, threads
                )
                kernel = mixture.new(similarities)

                def predict(block: slice, rows: slice = rows, kernel: np.ndarray = kernel) -> None:
                    coefficients = self.dual_coef_[:, block].astype(np.float64)
                    product = even_product(kernel, coefficients)
                    predicted[rows, block] = product + self.intercept_[block]

                for _ in threads.results(
                    predict, list(gen_batches(self.n_targets_, TARGETS_A_BLOCK))
                ):
                    pass
        return predicted


def _given_weights(weights: Any) -> np.ndarray:
    """Return the weights of the six kernels that a parameter stands for, not yet scaled."""
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
    return numbers


def _checked_folds(
    folds: Iterable[tuple[ArrayLike, ArrayLike]], n_samples: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the rows of folds as arrays of int, or raise an error if they are not usable."""
    parts, tested = [], np.zeros(n_samples, dtype=bool)
    for number, fold in enumerate(folds):
        train, test = (_positions(rows, n_samples, number) for rows in fold)
        if len(np.unique(train)) < 2 or not len(test):
            raise ValueError(
                f"Fold {number} has {len(train)} training and {len(test)} test samples. It needs "
                "at least two different training samples and one test sample: make fewer folds."
            )
        if np.isin(test, train).any() or tested[test].any() or len(np.unique(test)) < len(test):
            raise ValueError(
                f"Fold {number} tests a sample that it trains on or that was tested before. Give "
                "each sample one test fold, as KFold and GroupKFold do."
            )
        tested[test] = True
        parts.append((train, test))
    return parts


def _positions(rows: ArrayLike, n_samples: int, number: int) -> np.ndarray:
    """Return the rows of one side of a fold as positions."""
    rows = np.asarray(rows)
    try:
        return np.arange(n_samples)[rows if rows.size else rows.astype(int)]
    except IndexError as error:
        raise ValueError(
            f"Fold {number} does not hold positions of {n_samples} samples ({error}). Give pairs "
            "of arrays of int, as the split method of a splitter yields them."
        ) from error
