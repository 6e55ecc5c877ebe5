"""GaussianGenerator: expression with conditional means and correlated Gaussian residuals."""

from collections.abc import Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from omitrans.covariates._columns import CovariateTable
from omitrans.covariates._expression_generator import ExpressionGeneratorMixin
from omitrans.model_selection._folds import make_folds, sample_groups
from omitrans.solvers._cell_means import (
    CellMeans,
    additive_design,
    choose_strengths,
    fit_cell_means,
    match_rows,
)
from omitrans.solvers._class_covariance import (
    Residuals,
    choose_class_prior,
    fit_classes,
    held_out_residuals,
    mix,
)
from omitrans.solvers._low_rank_covariance import (
    RANKS,
    LowRankCovariance,
    choose_rank,
    fit_low_rank,
)
from omitrans.solvers._standardize import standardize
from omitrans.utils._sklearn import Interval, StrOptions, fit_context

_N_FOLDS = 5
_FEWEST_FOR_FOLDS = 6  # samples or groups below which nothing is cross-validated


class GaussianGenerator(ExpressionGeneratorMixin, BaseEstimator):
    """Draw expression from a Gaussian distribution whose mean depends on the covariates.

    A sample is the mean under its covariates, plus factors that move many genes together, plus
    noise of each gene. The mean is additive over the covariates (ridge regression on categories
    and numbers), and every combination of categories that fit has met may deviate from it. A
    combination that fit has not met gets the additive mean.

    Parameters
    ----------
    rank : int or "auto", default="auto"
        Number of factors. "auto" takes the number under which samples held out in five folds are
        the most likely, out of 0, 1, 2, 3, 5, 8, 12, ..., 152.
    class_prior : float or "auto", default="auto"
        Every combination of categories with at least three samples has a covariance of its own,
        which is mixed with the one shared by all. This is the number of samples at which both
        count the same. It is ``numpy.inf`` for one covariance for all. "auto" takes the number
        under which samples held out in five folds are the most likely, out of 1, 2, 5, 10, 20, 50
        and infinity.
    categorical_covariates : column specifier, default="auto"
        Columns of the covariates that are categories. "auto" takes text, categories and booleans.
    numeric_covariates : column specifier, default="auto"
        Columns of the covariates that are numbers. "auto" takes all columns of numbers. Their
        effect is linear, also outside the range of fit.
    ignored_columns : column specifier, default=None
        Columns of X that are neither expression nor covariates, such as ids of donors.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds, and of the random projections that find the factors of large tables.

    Attributes
    ----------
    rank_ : int
        Number of factors in use.
    class_prior_ : float
        Number of samples at which both covariances count the same.
    penalty_ : float
        Ridge penalty of the additive model, chosen in the folds. It is infinite if the covariates
        do not help to predict held-out samples.
    cell_prior_ : float
        Number of samples that the additive model counts for in the mean of a combination, chosen in
        the folds. It is infinite if combinations do not deviate from the additive model.
    coef_ : ndarray of shape (n_numbers, n_genes)
        Coefficients of the categories and numbers, in units of standard deviations.
    cells_ : ndarray of shape (n_cells, n_categorical)
        Combinations that deviate from the additive model, as codes of the categories.
    cell_effects_ : ndarray of shape (n_cells, n_genes)
        Their deviations, in units of standard deviations.
    factors_ : ndarray of shape (rank, n_genes)
        Loadings of the factors, in units of standard deviations.
    deviation_ : ndarray of shape (n_genes,)
        Standard deviation of the noise of each gene, in the same units.
    covariates_ : CovariateEncoder
        The fitted encoder of the covariates.
    target_names_ : ndarray of str
        Names of the targets: the columns of y, or y0, y1, ... where y has no names.
    n_targets_ : int
        Number of targets.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of str
        Names of the columns of X seen in fit, if X is a frame.

    See Also
    --------
    GaussianCopulaGenerator : Keeps the distribution of each gene as well.
    ImputerGenerator : Draws with the help of an imputer.

    Notes
    -----
    No table of genes by genes is formed. Time grows with the square of the number of samples and
    linearly with the number of genes.

    The variance of a gene given its covariates is kept whatever the rank is; the rank decides how
    much of it is shared with other genes. It is divided by the degrees of freedom that the means
    leave, so that many combinations with few samples do not make the draws too similar.

    References
    ----------
    M. Tipping and C. Bishop, "Probabilistic principal component analysis", Journal of the Royal
    Statistical Society B 61 (1999) 611-622.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from omitrans.baselines import GaussianGenerator
    >>> rng = np.random.default_rng(0)
    >>> covariates = pd.DataFrame({"tissue": ["liver", "lung"] * 50})
    >>> expression = pd.DataFrame(rng.normal(size=(100, 2)), columns=["ALB", "SFTPB"])
    >>> expression["ALB"] += 8 * (covariates["tissue"] == "liver")
    >>> model = GaussianGenerator(random_state=0).fit(covariates, expression)
    >>> new = pd.DataFrame({"tissue": ["liver", "lung"]}, index=["a", "b"])
    >>> drawn = model.sample_y(new, n_samples=500, random_state=0)
    >>> drawn["ALB"].groupby("sample_id").mean().round().astype(int).to_dict()
    {'a': 8, 'b': 0}
    """

    _parameter_constraints = {
        **ExpressionGeneratorMixin._parameter_constraints,
        "rank": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "class_prior": [Interval(Real, 0, None, closed="right"), StrOptions({"auto"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        rank: int | str = "auto",
        class_prior: float | str = "auto",
        categorical_covariates: Any = "auto",
        numeric_covariates: Any = "auto",
        ignored_columns: Any = None,
        random_state: Any = None,
    ) -> None:
        self.rank = rank
        self.class_prior = class_prior
        self.categorical_covariates = categorical_covariates
        self.numeric_covariates = numeric_covariates
        self.ignored_columns = ignored_columns
        self.random_state = random_state

    # --- fit ---

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any, groups: Any = "auto") -> Self:
        """Learn the means and the covariance.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            The covariates of each sample.
        y : array-like or DataFrame of shape (n_samples, n_genes)
            Expression of the same samples in the same order, e.g. log2(TPM + 1).
        groups : "auto", None or array-like of shape (n_samples,), default="auto"
            Donor or replicate group of each sample. Samples of a group are held out together.
            "auto" reads patients from ids of TCGA, TARGET or GTEx if some have several samples.
            None does not group samples.

        Returns
        -------
        GaussianGenerator
            The fitted generator.

        Raises
        ------
        SampleMismatchError
            If X and y are indexed and do not hold the same samples in the same order.
        FeatureMismatchError
            If a covariate that a parameter names is absent, or named twice.
        ValueError
            If expression is missing or infinite, or if there are fewer than two samples.
        """
        table, expression = self._check_tables(X, y)
        codes, design = self._conditions(table)
        generator = check_random_state(self.random_state)
        seed = int(generator.randint(np.iinfo(np.int32).max))
        folds = folds_of_conditions(codes, sample_groups(X, groups, n_samples=len(codes)), seed)
        # sums round otherwise in another order of the memory
        scores = self._to_scores(np.ascontiguousarray(expression))
        self.penalty_, self.cell_prior_ = choose_strengths(design, codes, scores, folds)
        strengths = {"penalty": self.penalty_, "prior": self.cell_prior_}
        means, residuals, n_fitted = fit_cell_means(design, codes, scores, **strengths)
        self._offset, self._centre, self.coef_, self.cells_, self.cell_effects_ = means
        n_free = max(len(codes) - n_fitted, 1.0)
        held_out = partial(held_out_residuals, design, codes, scores, strengths)
        rank: Any = self.rank
        if rank == "auto":
            largest = min(len(codes) * (_N_FOLDS - 1) // _N_FOLDS - 1, scores.shape[1] - 1)
            parts = ((train.rows, test.rows, free) for train, test, free in map(held_out, folds))
            rank = choose_rank(parts, min(largest, RANKS[-1]), seed=seed)
        fitted = fit_low_rank(residuals, int(rank), n_free=n_free, seed=seed)
        self.factors_, self.deviation_ = fitted
        self.rank_ = len(self.factors_)
        prior: Any = self.class_prior
        if prior == "auto":
            prior = choose_class_prior(map(held_out, folds), self.rank_, seed=seed)
        self.class_prior_ = float(prior)
        self._fit_classes(Residuals(codes, residuals), n_free / len(codes), seed)
        self._calibrate(table, np.random.default_rng(seed))
        return self

    def _conditions(self, table: CovariateTable) -> tuple[np.ndarray, np.ndarray]:
        """Return the codes of the categories, and the design of the additive model."""
        encoded = self.covariates_.encode(table, np.float64)
        levels = [len(known) for known in self.covariates_.categories_]
        codes = encoded[:, : len(levels)].astype(np.int64)
        return codes, additive_design(codes, encoded[:, len(levels) :], levels)

    def _to_scores(self, expression: np.ndarray) -> np.ndarray:
        """Return standardised expression, and remember how it was standardised."""
        scores, mean, scale = standardize(expression, centre=True, scale=True)
        constant = (expression == expression[0]).all(axis=0)
        mean[constant] = expression[0, constant]
        scores[:, constant] = 0
        self._mean, self._scale = mean, scale
        return np.ascontiguousarray(scores)

    def _from_scores(self, scores: np.ndarray) -> np.ndarray:
        """Return expression for standardised expression, in the same data type."""
        values: np.ndarray = scores * self._scale + self._mean
        return values.astype(scores.dtype, copy=False)

    def _calibrate(self, table: CovariateTable, random: np.random.Generator) -> None:
        """Compare draws under the covariates of fit with the expression of fit, if need be."""

    def _fit_classes(self, residuals: Residuals, share_free: float, seed: int) -> None:
        """Learn the covariance of each combination of categories."""
        self._classes = residuals.codes[:0]
        self._class_covariances, self._class_weights = [], []
        if np.isinf(self.class_prior_):
            return
        # residuals of a shrunk mean may have a mean left, which belongs to the deviation
        self._classes, counts, covariances = fit_classes(
            residuals, self.rank_, share_free=share_free, seed=seed
        )
        self._class_covariances = [tuple(covariance) for covariance in covariances]
        self._class_weights = (counts / (counts + self.class_prior_)).tolist()

    # --- sampling ---

    def _draw(self, table: CovariateTable, random: np.random.Generator) -> np.ndarray:
        return self._from_scores(self._draw_scores(table, random))

    def _draw_scores(self, table: CovariateTable, random: np.random.Generator) -> np.ndarray:
        codes, design = self._conditions(table)
        means = CellMeans(
            self._offset, self._centre, self.coef_, self.cells_, self.cell_effects_
        ).predict(design, codes)
        scores: np.ndarray = means + self._draw_residuals(codes, random)
        return scores

    def _draw_residuals(self, codes: np.ndarray, random: np.random.Generator) -> np.ndarray:
        n_own = 0 if np.isinf(self.class_prior_) else self.rank_
        width = n_own + self.rank_ + len(self.deviation_)
        normal = random.standard_normal((len(codes), width)).astype(self.deviation_.dtype)
        own, normal = normal[:, :n_own], normal[:, n_own:]
        shared = LowRankCovariance(self.factors_, self.deviation_)
        if not len(self._classes):
            return shared.draw(normal)
        drawn = np.empty((len(codes), len(self.deviation_)), self.deviation_.dtype)
        place = match_rows(codes, self._classes)
        for number in np.unique(place):
            rows = place == number
            if number < 0:
                drawn[rows] = shared.draw(normal[rows])
                continue
            covariance = LowRankCovariance(*self._class_covariances[number])
            mixed = mix(covariance, shared, self._class_weights[number])
            n_used = len(covariance.factors)
            drawn[rows] = mixed.draw(np.hstack([own[rows, :n_used], normal[rows]]))
        return drawn


def folds_of_conditions(codes: np.ndarray, groups: Any, seed: int) -> Sequence[Any]:
    """Return folds that keep groups together; none for very few samples.

    Parameters
    ----------
    codes : ndarray of shape (n_samples, n_categorical)
        Codes of the categories of each sample.
    groups : array-like of shape (n_samples,) or None
        Group of each sample.
    seed : int
        Seed of the folds.

    Returns
    -------
    sequence of (ndarray, ndarray)
        Rows to fit on and rows to predict.
    """
    n_units = len(codes) if groups is None else len(np.unique(groups))
    if n_units < _FEWEST_FOR_FOLDS:
        return []
    return make_folds(_N_FOLDS, codes, None, groups, seed)
