"""Ridge regression on a mixture of six kernels, with penalties for each gene and component."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import gen_batches

from omitrans.baselines._cis import columns_in_windows, columns_of_same_name
from omitrans.baselines._multi_target import MultiTargetRegressor
from omitrans.model_selection._folds import checked_folds
from omitrans.solvers._direct_features import DirectEffects, TrainingTables
from omitrans.solvers._hidden_columns import HiddenColumns, checked_orders, numbers_kept
from omitrans.solvers._kernel_deviation import KernelPosterior
from omitrans.solvers._kernel_family import (
    KERNELS,
    FeatureScaling,
    Similarities,
    even_product,
    new_similarities,
    training_similarities,
)
from omitrans.solvers._kernel_mixture import KernelMixture, given_weights
from omitrans.solvers._kernel_penalties import PENALTIES, DualSolution
from omitrans.solvers._kernel_recipe import KernelRecipe
from omitrans.solvers._kernels import TARGETS_A_BLOCK
from omitrans.solvers._workers import Workers, workers
from omitrans.utils._callers import user_level
from omitrans.utils._finite import check_finite_predictions
from omitrans.utils._sklearn import Interval, StrOptions, fit_context
from omitrans.utils._validation import check_source

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
        predicts better than their mean are left at the mean. "both" mixes the two predictions by
        the share that predicts held-out samples best.
    n_selected : int, default=3
        Largest number of features that enter the regression of a target directly, beside the
        kernel, because they are by far the strongest for it. 0 selects none.
    cis : {"auto"} or None, default="auto"
        Which features of its own a target gets besides. "auto" takes the features within `window`
        base pairs of the gene if `probes` and `genes` are given, and otherwise the feature with the
        name of the target, if there is one. None takes none, and so do targets without names, with
        a warning if positions are given.
    probes : DataFrame, default=None
        Positions of the features, as :func:`omitrans.annotation.check_probe_table` takes them.
    genes : DataFrame, default=None
        Positions of the targets, as :func:`omitrans.annotation.check_gene_table` takes them.
    window : int, default=10_000
        Number of base pairs on either side of a gene.

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
    component_share_ : float
        Share of the solution by component in the predictions, from 0 to 1.
    direct_coef_ : csr_array of shape (n_targets, n_features)
        Effects of the features that enter the regression of a target directly, for one standard
        deviation of the feature.
    direct_variances_ : ndarray of shape (n_targets,)
        Prior variance of these effects, in units of the mean eigenvalue; 0 for targets without.
    signal_variances_ : ndarray of shape (n_targets,)
        Variance of what the kernel regression of each target may explain, by which posterior
        variances are multiplied.
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

    The model keeps the training samples and `dual_coef_`. A table of floats is kept without a copy,
    so give ``X.copy()`` to `fit` if X is changed in place afterwards. Beyond these, fit needs about
    ``100 * n_samples**2`` bytes, and time that grows with the cube of the number of samples, with
    ``n_samples**2 * n_features`` and with ``20 * n_samples**2 * n_targets``. It uses as many
    threads as BLAS may, and the result does not depend on how many these are.

    With ``predict(X, return_std=True)``, the standard deviation of a target with the penalty ``a``
    is ``sqrt(v (k(x, x) - k(x)' (K + a I)^-1 k(x)))`` for the centred mixture ``k`` of mean
    eigenvalue 1, where ``v = y' (K + a I)^-1 y / n_samples`` is the most likely variance of the
    centred target, without its direct effects. The kernel matrix is made and decomposed again for
    it.

    References
    ----------
    C. E. Rasmussen, C. K. I. Williams, "Gaussian processes for machine learning", MIT Press 2006,
    section 2.2 (posterior variance).

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
        "n_selected": [Interval(Integral, 0, None, closed="left")],
        "cis": [StrOptions({"auto"}), None],
        "probes": [pd.DataFrame, None],
        "genes": [pd.DataFrame, None],
        "window": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        kernel_weights: str | Mapping[str, float] | ArrayLike = "learned",
        penalties: str = "both",
        n_selected: int = 3,
        cis: str | None = "auto",
        probes: pd.DataFrame | None = None,
        genes: pd.DataFrame | None = None,
        window: int = 10_000,
    ) -> None:
        self.kernel_weights = kernel_weights
        self.penalties = penalties
        self.n_selected = n_selected
        self.cis = cis
        self.probes = probes
        self.genes = genes
        self.window = window

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
            solution = self._choose(source, target, self._recipe(y, threads))[0]
            self.dual_coef_, self.intercept_ = solution.fill(source.dtype, threads)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_cross_predict(
        self, X: ArrayLike, y: ArrayLike, folds: Iterable[tuple[ArrayLike, ArrayLike]]
    ) -> np.ndarray:
        """Fit on all samples, and predict the test samples of folds from their training samples.

        The predictions are those of clones that are fitted on the training samples of each fold,
        except for means and standard deviations of features, which are those of all samples.
        Distances and inner products of samples are computed once. Weights, penalties and direct
        features are chosen anew in each fold.

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
        predicted, _ = self._fit_folds(X, y, folds, None, ())
        return predicted

    @fit_context(prefer_skip_nested_validation=True)
    def fit_cross_evaluate(
        self,
        X: ArrayLike,
        y: ArrayLike,
        folds: Iterable[tuple[ArrayLike, ArrayLike]],
        *,
        orders: Sequence[ArrayLike],
        shares: Sequence[float],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Do as `fit_cross_predict`, and measure what is lost when columns of X are hidden.

        The hidden columns of the test samples of a fold are set to their means over its training
        samples. No further model is fitted, and each column is visited once per fold, however
        many shares there are.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles, as in `fit`.
        y : array-like or DataFrame of shape (n_samples, n_targets) or (n_samples,)
            Target profiles, as in `fit`.
        folds : iterable of (training rows, test rows)
            Positions of samples, as in `fit_cross_predict`.
        orders : sequence of array-like of int of shape (n_features,)
            For each fold, the positions of all columns in the order in which they are kept.
        shares : sequence of float
            Fractions of the columns to keep, from 0 to 1. For each, the first
            ``round(share * n_features)`` columns of the order are kept, and the others are hidden.

        Returns
        -------
        predicted : ndarray of shape (n_samples, n_targets) or (n_samples,)
            Predictions with all columns, as `fit_cross_predict` returns them.
        squared_errors : ndarray of shape (n_folds, n_shares, n_targets)
            Squared errors with each share of the columns, added up over the test samples of a fold.

        Raises
        ------
        SampleMismatchError
            If X and y name different samples, the same samples in another order, or a sample twice.
        ValueError
            If there is not one order per fold, if an order does not hold each column once, if a
            share is not between 0 and 1, and for the reasons that `fit_cross_predict` has.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.model_selection import KFold
        >>> from omitrans.baselines import MultiKernelRidgeRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(50, 10))
        >>> Y = X @ rng.normal(size=(10, 4))
        >>> folds = list(KFold(2).split(X))
        >>> orders = [rng.permutation(10) for _ in folds]
        >>> predicted, errors = MultiKernelRidgeRegressor().fit_cross_evaluate(
        ...     X, Y, folds, orders=orders, shares=[1, 0.5]
        ... )
        >>> errors.shape
        (2, 2, 4)
        >>> bool((errors[:, 0] < errors[:, 1]).all())
        True
        """
        return self._fit_folds(X, y, folds, orders, shares)

    def _fit_folds(
        self,
        X: ArrayLike,
        y: ArrayLike,
        folds: Iterable[tuple[ArrayLike, ArrayLike]],
        orders: Sequence[ArrayLike] | None,
        shares: Sequence[float],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Fit on all samples, and return predictions of folds and errors for shares of columns."""
        source, target = self._checked(X, y)
        parts = checked_folds(folds, len(source))
        n_features = source.shape[1]
        kept = numbers_kept(shares, n_features)
        if orders is None:
            orders = [np.arange(n_features)] * len(parts)
        orders = checked_orders(orders, len(parts), n_features)
        distinct = [n_features, *sorted({*kept.tolist()} - {n_features}, reverse=True)]
        places = [distinct.index(number) for number in kept]
        with workers() as threads:
            recipe = self._recipe(y, threads)
            solution, similarities = self._choose(source, target, recipe)
            self.dual_coef_, self.intercept_ = solution.fill(source.dtype, threads)
            predicted = np.full(target.shape, np.nan, dtype=source.dtype)
            errors = np.zeros((len(parts), len(kept), target.shape[1]))
            tables = TrainingTables(source, target, FeatureScaling(**self._scaling))
            for (train, test), order, error in zip(parts, orders, errors, strict=True):
                hidden = HiddenColumns.of(tables.take(train), order, distinct, threads)
                fold = train, test
                for columns, part in recipe.predict_fold(similarities, tables, fold, hidden):
                    predicted[test, columns] = part[0]
                    wrong = part[places] - target[test, columns]
                    error[:, columns] = np.square(wrong, dtype=np.float64).sum(axis=1)
                check_finite_predictions(self, predicted[test])
        return self._shaped(predicted), errors

    def predict(self, X: ArrayLike, return_std: bool = False) -> Any:
        """Predict target profiles.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Source profiles with the columns seen in fit.
        return_std : bool, default=False
            Whether to also return the standard deviation of the prediction: how uncertain the
            mean of a target is, by the distance of the sample from the training samples and the
            variance of the target. It holds no noise, so that real values scatter more widely, and
            no uncertainty of weights, penalties and direct effects. It takes the penalty of each
            target, or the geometric mean of those of components with ``penalties="component"``.

        Returns
        -------
        predicted : ndarray of shape (n_samples, n_targets) or (n_samples,)
            Predictions in the dtype of X (float64 for integers), 1-D if y was 1-D.
        deviations : ndarray of shape (n_samples, n_targets) or (n_samples,)
            Standard deviations in the units of the targets; only with `return_std`.

        Raises
        ------
        FeatureMismatchError
            If columns are missing, unknown or in another order.
        ValueError
            If X holds missing or infinite values, or if a prediction is not finite.
        """
        predicted = super().predict(X)
        if not return_std:
            return predicted
        deviations = self._deviations(check_source(self, X, reset=False))
        return predicted, self._shaped(deviations)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "dual_coef_")

    def _checked(self, X: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        source, target = self._check_training_tables(X, y)
        given_weights(self.kernel_weights)
        self.__dict__.pop("dual_coef_", None)  # a fit that ends early leaves no mix of two models
        return source, target.astype(source.dtype, copy=False)

    def _nearby(self, y: ArrayLike) -> Sequence[np.ndarray] | None:
        """Return the features of its own of each target, or None without any."""
        names = getattr(self, "feature_names_in_", None)
        placed = self.probes is not None or self.genes is not None
        if self.cis is None:
            return None
        if not isinstance(y, pd.DataFrame | pd.Series):
            if placed:
                warnings.warn(
                    "probes and genes are given, but the targets have no names, so no target gets "
                    "the features near it. Give y as a DataFrame whose columns are gene ids.",
                    UserWarning,
                    stacklevel=user_level(),
                )
            return None
        if placed:
            return columns_in_windows(
                names,
                self.target_names_,
                probes=self.probes,
                genes=self.genes,
                window=self.window,
            )
        return None if names is None else columns_of_same_name(names, self.target_names_)

    def _recipe(self, y: ArrayLike, threads: Workers) -> KernelRecipe:
        options = self.kernel_weights, self.penalties, self.n_selected
        return KernelRecipe(*options, self._nearby(y), threads)

    def _choose(
        self, source: np.ndarray, target: np.ndarray, recipe: KernelRecipe
    ) -> tuple[DualSolution, Similarities]:
        """Set all that the model keeps but the coefficients."""
        scaling = FeatureScaling.of(source, recipe.workers)
        similarities = training_similarities(source, scaling, recipe.workers)
        mixture, share, effects, solution = recipe.solve(
            similarities, TrainingTables(source, target, scaling)
        )
        self.component_share_ = share
        self.kernel_weights_ = pd.Series(mixture.weights, list(KERNELS), name="weight")
        self.penalties_ = None if solution.chosen is None else PENALTIES[solution.chosen]
        components = solution.components
        self.component_penalties_ = None if components is None else components.penalties
        self.direct_coef_, self.direct_variances_ = effects.coef, effects.variances
        self._direct_offset = effects.offset
        self.signal_variances_ = solution.signal_variances(self._penalty_of_each(), recipe.workers)
        self._source, self._training_norms = source, similarities.training_norms
        # plain dicts, which a model file can hold
        self._scaling, self._mixture = scaling._asdict(), mixture._asdict()
        return solution, similarities

    def _penalty_of_each(self) -> np.ndarray:
        """Return the penalty of each target; without, the geometric mean of those of components."""
        if self.penalties_ is not None:
            return self.penalties_
        found = np.asarray(self.component_penalties_)
        found = found[np.isfinite(found)]
        one = np.exp(np.log(found).mean()) if len(found) else PENALTIES[-1]
        return np.full(self.n_targets_, one)

    def _deviations(self, source: np.ndarray) -> np.ndarray:
        """Return the posterior standard deviations of shape (n_samples, n_targets)."""
        penalties, place = np.unique(self._penalty_of_each(), return_inverse=True)
        deviations = np.empty((len(source), self.n_targets_), dtype=source.dtype)
        scale = np.sqrt(self.signal_variances_)
        with workers() as threads:
            posterior = KernelPosterior(
                self._source,
                FeatureScaling(**self._scaling),
                KernelMixture(**self._mixture),
                threads,
            )
            for rows in gen_batches(len(source), _SAMPLES_A_BLOCK):
                own = np.sqrt(posterior.variances(source[rows], penalties))
                np.multiply(own[:, place], scale, out=deviations[rows], casting="same_kind")
        return deviations

    def _predict(self, source: np.ndarray) -> np.ndarray:
        predicted = np.empty((len(source), self.n_targets_), dtype=source.dtype)
        scaling, mixture = FeatureScaling(**self._scaling), KernelMixture(**self._mixture)
        effects = DirectEffects(self.direct_coef_, self._direct_offset, self.direct_variances_)
        with workers() as threads:
            for rows in gen_batches(len(source), _SAMPLES_A_BLOCK):
                similarities = new_similarities(
                    source[rows], self._source, self._training_norms, scaling, threads
                )
                kernel = mixture.new(similarities)

                def predict(block: slice, rows: slice = rows, kernel: np.ndarray = kernel) -> None:
                    coefficients = self.dual_coef_[:, block].astype(np.float64)
                    product = even_product(kernel, coefficients)
                    product += effects.of(source, scaling, block, rows)
                    predicted[rows, block] = product + self.intercept_[block]

                for _ in threads.results(
                    predict, list(gen_batches(self.n_targets_, TARGETS_A_BLOCK))
                ):
                    pass
        return predicted
