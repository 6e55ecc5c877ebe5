"""Imputation by ridge regression on the genes that are observed in a sample."""

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from omitrans.covariates import CovariateEncoder
from omitrans.covariates._expression_imputer import ExpressionImputerMixin, constant_genes
from omitrans.solvers._conditional_means import conditional_means
from omitrans.utils._sklearn import Interval, StrOptions, fit_context

ALPHAS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
MAX_JUDGED = 50  # largest number of training samples that are used to choose alpha


class RidgeImputer(ExpressionImputerMixin, BaseEstimator):
    """Fill the missing genes of a sample by ridge regression on its observed genes.

    Every pattern of missing genes has its own regression, over all training samples and with one
    penalty for all genes. The prediction is the conditional mean of a Gaussian distribution whose
    covariance is that of the standardised training genes, with `alpha` added to its diagonal.

    Parameters
    ----------
    alpha : float or "auto", default="auto"
        Penalty, in units of the variance of a gene. "auto" hides half of the observed values of
        some training samples, predicts them from the other samples with each of seven penalties,
        and takes the best penalty. If the other samples have missing values, these are filled and
        the choice is repeated until it does not change, at most `max_rounds` times.
    max_rounds : int, default=5
        Maximum number of rounds in which the missing values of training samples are predicted from
        the other values. The missing values start at the mean.
    tol : float, default=1e-2
        The rounds end when the root mean square change of the filled (standardised) values is
        lower than this value.
    add_indicator : bool, default=False
        Whether :meth:`transform` appends columns that mark which values were missing, for genes
        with missing values in `fit`.
    random_state : int, RandomState instance or None, default=None
        Seed of the values that are hidden to choose the penalty.

    Attributes
    ----------
    alpha_ : float
        The penalty in use.
    mean_, scale_ : ndarray of shape (n_genes,)
        Mean and standard deviation of the observed training values of each gene.
    samples_ : ndarray of shape (n_samples, n_genes)
        Standardised training samples, with their missing values filled.
    n_rounds_ : int
        Number of rounds; 0 if the training samples have no missing values.
    indicator_ : MissingIndicator or None
        Marks missing values. None without `add_indicator`.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of shape (n_columns,)
        Names of the columns of X seen in fit, if X is a frame.

    See Also
    --------
    CovariateImputer : Use this imputer together with covariates.
    DualRidgeRegressor : Ridge regression from one table to another.

    Notes
    -----
    A pattern of missing genes costs about n²g + n³ operations for n training samples and g observed
    genes (g²n + g³ if g is smaller than n). Samples with the same pattern share this cost. If every
    sample has a different pattern, a few thousand samples are the practical limit. A sample gets
    the same result alone and among others: to the last bit if no other sample has its pattern, and
    otherwise up to rounding.

    The fitted imputer contains its training samples. Share it only with people who may see them.

    References
    ----------
    T. Hastie, R. Tibshirani and J. Friedman, "The Elements of Statistical Learning", 2nd edition,
    section 18.3.5, for the use of inner products of samples instead of genes.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.baselines import RidgeImputer
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 1)) * [1.0, 2.0, -3.0]
    >>> RidgeImputer(alpha=1e-6).fit(X).transform([[1.0, np.nan, np.nan]]).round(3)
    array([[ 1.,  2., -3.]])
    """

    _parameter_constraints = {
        "alpha": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "max_rounds": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "add_indicator": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        alpha: float | str = "auto",
        *,
        max_rounds: int = 5,
        tol: float = 1e-2,
        add_indicator: bool = False,
        random_state: Any = None,
    ) -> None:
        self.alpha = alpha
        self.max_rounds = max_rounds
        self.tol = tol
        self.add_indicator = add_indicator
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Standardise the training samples, choose the penalty and fill their missing values.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_genes)
            Expression; NaN marks a missing value.
        y : None
            Ignored.

        Returns
        -------
        RidgeImputer
            The fitted imputer.

        Raises
        ------
        ValueError
            If a gene has no value at all, or a value is infinite.
        """
        self.covariates_ = CovariateEncoder(encoding=None)
        expression = self.covariates_.fit_split(X, owner=self).expression
        constant = constant_genes(self, expression)
        self._fit_indicator(expression)
        self.mean_ = np.nanmean(expression, axis=0, dtype=np.float64)
        scaled = expression - self.mean_
        # nanstd would square in float32
        spread = np.sqrt(np.nanmean(np.square(scaled), axis=0))
        self.scale_ = np.where(constant, 1.0, spread)
        scaled /= self.scale_
        self.alpha_ = self._choose_alpha(scaled) if self.alpha == "auto" else float(self.alpha)
        self.samples_, self.n_rounds_ = self._complete(scaled, expression.dtype)
        return self

    def _choose_alpha(self, scaled: np.ndarray) -> float:
        """Return the penalty that predicts hidden values of some training samples best."""
        if len(scaled) < 3:
            return 1.0
        rng = check_random_state(self.random_state)
        order = rng.permutation(len(scaled))
        n_judged = min(MAX_JUDGED, max(1, len(scaled) // 5))
        judged, others = scaled[order[:n_judged]], scaled[order[n_judged:]]
        hidden = ~np.isnan(judged) & (rng.random_sample(judged.shape) < 0.5)
        holes = np.where(hidden, np.nan, judged)
        samples, alpha = np.nan_to_num(others), np.nan
        for _ in range(self.max_rounds):
            tables = conditional_means(samples, holes, ALPHAS)
            errors = [np.square((table - judged)[hidden]).sum() for table in tables]
            previous, alpha = alpha, ALPHAS[int(np.argmin(errors))]
            if alpha == previous or not np.isnan(others).any():
                break
            # without the judged samples, from which the hidden values could be learned
            (samples,) = conditional_means(samples, others, [alpha])
        return alpha

    def _complete(self, scaled: np.ndarray, dtype: Any) -> tuple[np.ndarray, int]:
        """Return the training samples without missing values, and the number of rounds."""
        holes = np.isnan(scaled)
        samples = np.nan_to_num(scaled)
        n_iter, change = 0, np.inf
        while holes.any() and n_iter < self.max_rounds and change >= self.tol:
            (filled,) = conditional_means(samples, scaled, [self.alpha_])
            change = np.sqrt(np.square((filled - samples)[holes]).mean())
            samples, n_iter = filled, n_iter + 1
        return samples.astype(dtype, copy=False), n_iter

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Fill the missing values of the expression.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_genes)
            Expression with the columns seen in fit; NaN marks a missing value.

        Returns
        -------
        ndarray of shape (n_samples, n_genes)
            The complete expression. Observed values are unchanged. A sample without observed
            values gets the means. With ``add_indicator`` the indicator columns follow.
        """
        check_is_fitted(self, "samples_")
        expression = self.covariates_.split(X, owner=self).expression
        scaled = (expression - self.mean_) / self.scale_
        (filled,) = conditional_means(self.samples_, scaled, [self.alpha_])
        values = (filled * self.scale_ + self.mean_).astype(expression.dtype)
        filled = np.where(np.isnan(expression), values, expression)
        return self._with_indicator(filled, expression)
