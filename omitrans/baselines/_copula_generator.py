"""GaussianCopulaGenerator: correlated ranks, and the observed distribution of every gene."""

from typing import Any

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from omitrans.baselines._gaussian_generator import GaussianGenerator
from omitrans.covariates._columns import CovariateTable
from omitrans.solvers._standardize import standardize
from omitrans.utils._blocks import column_blocks

_MAX_KNOTS = 1001
_CALIBRATION_ROWS = 2000


class GaussianCopulaGenerator(GaussianGenerator):
    """Draw expression whose ranks are Gaussian and whose genes keep their observed distribution.

    Each gene is turned into normal scores: the normal quantiles of its ranks over all samples of
    fit. The scores are drawn as :class:`GaussianGenerator` draws expression, and turned back by the
    observed quantiles of the gene. So a gene may be skewed, bimodal or often zero.

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
    quantiles_ : ndarray of shape (n_knots, n_genes)
        Observed quantiles of each gene, from the smallest to the largest value. There is one for
        each sample of fit, and at most 1001.
    levels_ : ndarray of shape (n_knots,)
        Probabilities of the quantiles.
    score_quantiles_ : ndarray of shape (n_knots, n_genes)
        Scores of the same probabilities, among draws under the covariates of fit. A drawn score is
        turned into the quantile at its place between these.
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
        Coefficients of the categories and numbers, in standardised scores.
    cells_ : ndarray of shape (n_cells, n_categorical)
        Combinations that deviate from the additive model, as codes of the categories.
    cell_effects_ : ndarray of shape (n_cells, n_genes)
        Their deviations, in standardised scores.
    factors_ : ndarray of shape (rank, n_genes)
        Loadings of the factors, in standardised scores.
    deviation_ : ndarray of shape (n_genes,)
        Standard deviation of the noise of each gene, in standardised scores.
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
    GaussianGenerator : Draws that may leave the observed range.

    Notes
    -----
    Between two observed values the quantiles are linear. Beyond the smallest and the largest value
    there is nothing to learn from, so no draw leaves the observed range of a gene: genes that are
    not negative stay so, and more extreme values than the observed ones do not occur. Equal values
    share their mean rank. The fitted model holds the observed values of each gene, sorted, for up
    to 1001 samples: share it only with people who may see these.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from omitrans.baselines import GaussianCopulaGenerator
    >>> rng = np.random.default_rng(0)
    >>> covariates = pd.DataFrame({"tissue": ["liver", "lung"] * 50})
    >>> skewed = pd.DataFrame(rng.exponential(size=(100, 3)), columns=["ALB", "TP53", "EGFR"])
    >>> model = GaussianCopulaGenerator(random_state=0).fit(covariates, skewed)
    >>> drawn = model.sample_y(covariates, random_state=0)
    >>> bool((drawn >= skewed.min()).all(axis=None) and (drawn <= skewed.max()).all(axis=None))
    True
    """

    _parameter_constraints = GaussianGenerator._parameter_constraints

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
        super().__init__(
            rank=rank,
            class_prior=class_prior,
            categorical_covariates=categorical_covariates,
            numeric_covariates=numeric_covariates,
            ignored_columns=ignored_columns,
            random_state=random_state,
        )

    def _to_scores(self, expression: np.ndarray) -> np.ndarray:
        """Return normal scores of unit variance, and remember the quantiles of the genes."""
        n_samples = len(expression)
        self.levels_ = (np.arange(n_samples) + 0.5) / n_samples
        if n_samples > _MAX_KNOTS:
            self.levels_ = np.linspace(self.levels_[0], self.levels_[-1], _MAX_KNOTS)
        scores = np.empty_like(expression, order="C")
        quantiles = np.empty((len(self.levels_), expression.shape[1]), expression.dtype)
        for columns in column_blocks(*expression.shape):
            block = expression[:, columns]
            scores[:, columns] = ndtri((rankdata(block, axis=0) - 0.5) / n_samples)
            block = np.sort(block, axis=0)
            if n_samples > _MAX_KNOTS:
                places = np.rint(self.levels_ * n_samples - 0.5).astype(int)
                block = block[places]
            quantiles[:, columns] = block
        self.quantiles_ = quantiles
        # equal values have less varied scores, which would be drawn as less varied values
        standardized = standardize(scores, centre=True, scale=True).values
        return np.ascontiguousarray(standardized)

    def _calibrate(self, table: CovariateTable, random: np.random.Generator) -> None:
        """Learn which score stands for which quantile.

        Conditions shift the scores of a gene, so that those of all samples are not normal.
        """
        n_draws = -(-_CALIBRATION_ROWS // len(table.categorical))
        scores = np.vstack([self._draw_scores(table, random) for _ in range(n_draws)])
        self.score_quantiles_ = np.empty_like(self.quantiles_)
        for columns in column_blocks(*scores.shape):
            self.score_quantiles_[:, columns] = np.quantile(
                scores[:, columns], self.levels_, axis=0
            )

    def _from_scores(self, scores: np.ndarray) -> np.ndarray:
        """Return expression for scores, in the same data type."""
        values = np.empty_like(scores)
        varies = self.score_quantiles_[0] < self.score_quantiles_[-1]
        values[:, ~varies] = self.quantiles_[0, ~varies]
        for j in np.flatnonzero(varies):
            values[:, j] = np.interp(
                scores[:, j], self.score_quantiles_[:, j], self.quantiles_[:, j]
            )
        return values
