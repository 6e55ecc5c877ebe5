"""ImputerGenerator: draw expression with an imputer that knows covariates."""

import warnings
from collections.abc import Iterator
from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import check_random_state

from omitrans.baselines._covariate_imputer import CovariateImputer
from omitrans.baselines._ridge_imputer import RidgeImputer
from omitrans.covariates._columns import CovariateTable
from omitrans.covariates._expression_generator import ExpressionGeneratorMixin
from omitrans.exceptions import UnknownCategoryWarning
from omitrans.model_selection._folds import make_folds, sample_groups
from omitrans.utils._sklearn import HasMethods, Interval, fit_context
from omitrans.utils._validation import _some
from omitrans.utils._wrapped import fit_with_groups

_FEWEST_TO_HOLD_OUT = 10  # samples or groups


class ImputerGenerator(MetaEstimatorMixin, ExpressionGeneratorMixin, BaseEstimator):
    """Draw expression by imputing few genes at first, and ever more genes from these.

    The imputer is fitted to covariates and expression. A draw starts with one gene, which is
    imputed from the covariates, and to which noise is added. One more gene is then imputed from
    the covariates and the first, then two from these, four, eight, and so on. So the draw has the
    correlations between genes that the imputer knows. Rounds follow, each of which imputes a random
    half of the genes anew from the other half.

    Parameters
    ----------
    imputer : imputer or None, default=None
        Imputer with the parameters `categorical_covariates` and `numeric_covariates`, which are set
        in `fit`: :class:`omitrans.PMIImputer`, :class:`omitrans.GAINImputer` or
        :class:`CovariateImputer`. It is cloned. None takes ``CovariateImputer(RidgeImputer())``.
    n_rounds : int, default=5
        Number of rounds after all genes are drawn.
    categorical_covariates : column specifier, default="auto"
        Columns of the covariates that are categories. "auto" takes text, categories and booleans.
    numeric_covariates : column specifier, default="auto"
        Columns of the covariates that are numbers. "auto" takes all columns of numbers.
    ignored_columns : column specifier, default=None
        Columns of X that are neither expression nor covariates, such as ids of donors.
    random_state : int, RandomState instance or None, default=None
        Seed of the imputer, of the samples that are held out, and of the values hidden in them.

    Attributes
    ----------
    imputer_ : imputer
        The imputer fitted to all samples.
    n_known_ : ndarray of shape (n_steps,)
        Numbers of genes that are known in the steps of a draw: 0, 1, 2, 4, ... and, for the rounds,
        half of the genes.
    residual_sd_ : ndarray of shape (n_steps, n_genes)
        Standard deviation of the noise of each gene in each step.
    range_ : ndarray of shape (2, n_genes)
        Smallest and largest value of a draw: the range in fit, and half its width on both sides.
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
    GaussianGenerator : Faster, with a known distribution.

    Notes
    -----
    The noise is normal, with the measured error of imputed values: a copy of the imputer is fitted
    to four fifths of the samples, and imputes the others from as many genes as each step knows.
    With fewer than ten samples the error is measured on the samples of fit, and is too small. Genes
    that are imputed in one step get independent noise, so correlations are somewhat weaker than in
    real expression.

    The network of an imputer is not asked for random numbers: dropout is off, and the noise of GAIN
    is what its :meth:`transform` takes. All randomness comes from the noise and the halves, so that
    the draws of two calls with the same seed are comparable, as with the other generators.

    A draw of 20,000 genes costs ``n_rounds + 16`` imputations of the table.

    References
    ----------
    S. van Buuren and K. Groothuis-Oudshoorn, "mice: Multivariate Imputation by Chained Equations in
    R", Journal of Statistical Software 45 (2011), for the rounds.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from omitrans.baselines import ImputerGenerator
    >>> rng = np.random.default_rng(0)
    >>> covariates = pd.DataFrame({"tissue": ["liver", "lung"] * 50})
    >>> hidden = rng.normal(size=(100, 1))
    >>> expression = pd.DataFrame(hidden * [1.0, 1.0, 1.0, -1.0], columns=["A", "B", "C", "D"])
    >>> expression += 0.3 * rng.normal(size=(100, 4))
    >>> model = ImputerGenerator(random_state=0).fit(covariates, expression)
    >>> drawn = model.sample_y(covariates, random_state=0)
    >>> bool(drawn.corr().loc["A", "D"] < -0.6 and drawn.corr().loc["B", "C"] > 0.6)
    True
    """

    _fitted_model_in = "imputer_"

    _parameter_constraints = {
        **ExpressionGeneratorMixin._parameter_constraints,
        "imputer": [HasMethods(["fit", "transform"]), None],
        "n_rounds": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        imputer: Any = None,
        *,
        n_rounds: int = 5,
        categorical_covariates: Any = "auto",
        numeric_covariates: Any = "auto",
        ignored_columns: Any = None,
        random_state: Any = None,
    ) -> None:
        self.imputer = imputer
        self.n_rounds = n_rounds
        self.categorical_covariates = categorical_covariates
        self.numeric_covariates = numeric_covariates
        self.ignored_columns = ignored_columns
        self.random_state = random_state

    # --- fit ---

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: Any, groups: Any = "auto") -> Self:
        """Fit the imputer, and measure its error.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            The covariates of each sample.
        y : array-like or DataFrame of shape (n_samples, n_genes)
            Expression of the same samples in the same order, e.g. log2(TPM + 1).
        groups : "auto", None or array-like of shape (n_samples,), default="auto"
            Donor or replicate group of each sample. Samples of a group are held out together, and
            an imputer whose `fit` takes groups gets them. "auto" reads patients from ids of TCGA,
            TARGET or GTEx if some have several samples. None does not group samples.

        Returns
        -------
        ImputerGenerator
            The fitted generator.

        Raises
        ------
        SampleMismatchError
            If X and y are indexed and do not hold the same samples in the same order.
        FeatureMismatchError
            If a covariate that a parameter names is absent, or named twice.
        ValueError
            If expression is missing or infinite, if there are fewer than two samples, if a
            covariate and a gene have the same name, or if the imputer takes no covariates.
        """
        table, expression = self._check_tables(X, y)
        groups = sample_groups(X, groups, n_samples=len(expression))
        generator = check_random_state(self.random_state)
        seeds = generator.randint(np.iinfo(np.int32).max, size=3)
        imputer = self._prepared_imputer(int(seeds[0]))
        frame = self._frame(table, expression)
        self.imputer_ = fit_with_groups(clone(imputer), frame, None, groups)
        low, high = expression.min(axis=0), expression.max(axis=0)
        self.range_ = np.stack([low - 0.5 * (high - low), high + 0.5 * (high - low)])
        n_genes = expression.shape[1]
        doubling = [0, *(2**i for i in range((n_genes - 1).bit_length()))]
        self.n_known_ = np.array([*doubling, n_genes // 2])
        sd = self._measured_error(imputer, frame, expression, groups, seeds[1:])
        self.residual_sd_ = np.where(low == high, 0.0, sd).astype(expression.dtype)
        return self

    def _prepared_imputer(self, seed: int) -> Any:
        """Return an unfitted copy of the imputer that knows the columns of covariates."""
        imputer = self.imputer
        imputer = CovariateImputer(RidgeImputer()) if imputer is None else clone(imputer)
        params = imputer.get_params()
        columns = {f"{kind}_covariates" for kind in ("categorical", "numeric")}
        if not columns <= set(params):
            raise ValueError(
                f"The imputer {type(imputer).__name__} takes no covariates (it has no parameters "
                f"{' and '.join(sorted(columns))}). Give PMIImputer, GAINImputer or "
                f"CovariateImputer({type(imputer).__name__}(...))."
            )
        names = {kind: self.covariates_.labels(kind) for kind in ("categorical", "numeric")}
        settings: dict[str, Any] = {f"{kind}_covariates": names[kind] or None for kind in names}
        if "add_indicator" in params:
            settings["add_indicator"] = False
        settings |= {
            name: seed
            for name, value in params.items()
            if name.rpartition("__")[2] == "random_state" and value is None
        }
        return imputer.set_params(**settings)

    def _frame(self, table: CovariateTable, expression: np.ndarray) -> pd.DataFrame:
        """Return covariates and expression as one table."""
        names = [str(name) for name in self.target_names_]
        covariates = [*self.covariates_.labels("categorical"), *self.covariates_.labels("numeric")]
        both = set(covariates) & set(names)
        if both:
            raise ValueError(
                f"{len(both)} covariates have the names of genes ({_some(sorted(both))}). Rename "
                "the covariates, or name them in ignored_columns."
            )
        n_categories = table.categorical.shape[1]
        return pd.concat(
            [
                pd.DataFrame(table.categorical, columns=covariates[:n_categories], dtype=object),
                pd.DataFrame(table.numeric, columns=covariates[n_categories:]),
                pd.DataFrame(expression, columns=names),
            ],
            axis=1,
        )

    def _measured_error(
        self, imputer: Any, frame: pd.DataFrame, expression: np.ndarray, groups: Any, seeds: Any
    ) -> np.ndarray:
        """Return the errors of hidden values in each step, of samples that were not fitted."""
        n_units = len(frame) if groups is None else len(np.unique(groups))
        held_out: Any = slice(None)
        fitted = self.imputer_
        if n_units >= _FEWEST_TO_HOLD_OUT:
            train, held_out = make_folds(5, frame, None, groups, int(seeds[0]))[0]
            known = None if groups is None else groups[train]
            fitted = fit_with_groups(clone(imputer), frame.iloc[train], None, known)
        truth, table = expression[held_out], frame.iloc[held_out]
        n_genes = truth.shape[1]
        order = np.random.default_rng(int(seeds[1])).permutation(n_genes)
        errors = np.zeros((len(self.n_known_), n_genes))
        for step, n_known in enumerate(self.n_known_):
            squares, n_hidden = np.zeros(n_genes), np.zeros(n_genes)
            for genes in (order, order[::-1]):  # a gene that one order shows, the other one hides
                hidden = np.sort(genes[n_known:])
                part = table.copy()
                part.iloc[:, frame.shape[1] - n_genes + hidden] = np.nan
                with warnings.catch_warnings():  # a rare category may be among the held-out only
                    warnings.simplefilter("ignore", UnknownCategoryWarning)
                    filled = np.asarray(fitted.transform(part), dtype=np.float64)
                squares[hidden] += np.mean((filled - truth)[:, hidden] ** 2, axis=0)
                n_hidden[hidden] += 1
            errors[step] = np.sqrt(squares / np.maximum(n_hidden, 1))
            if step:  # what is always shown, in a step that knows most genes, keeps its error
                errors[step] = np.where(n_hidden > 0, errors[step], errors[step - 1])
        return errors

    # --- sampling ---

    def _draw(self, table: CovariateTable, random: np.random.Generator) -> np.ndarray:
        n_rows, n_genes = len(table.categorical), self.n_targets_
        streams = random.spawn(n_rows)  # one for each row, whatever the others are
        values = np.full((n_rows, n_genes), np.nan, dtype=self.residual_sd_.dtype)
        for genes, deviation in self._steps(random):
            noise = np.stack([stream.standard_normal(len(genes)) for stream in streams])
            values[:, genes] = np.nan
            filled = np.asarray(self.imputer_.transform(self._frame(table, values)))
            drawn = filled[:, genes] + noise * deviation[genes]
            values[:, genes] = np.clip(drawn, *self.range_[:, genes])
        return values

    def _steps(self, random: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the genes that each step draws, and the deviation of the noise."""
        order = random.permutation(self.n_targets_)
        ends = np.append(self.n_known_[1:-1], self.n_targets_)
        for i, end in enumerate(ends):
            yield np.sort(order[self.n_known_[i] : end]), self.residual_sd_[i]
        for _ in range(self.n_rounds):
            half = random.permutation(self.n_targets_)[self.n_targets_ // 2 :]
            yield np.sort(half), self.residual_sd_[-1]
