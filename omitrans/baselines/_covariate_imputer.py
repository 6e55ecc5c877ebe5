"""scikit-learn's imputers for tables of expression and covariates."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.impute import KNNImputer
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from omitrans.covariates import CovariateEncoder
from omitrans.covariates._columns import CovariateTable
from omitrans.covariates._encoder import COLUMNS
from omitrans.covariates._expression_imputer import ExpressionImputerMixin, check_genes
from omitrans.utils._sklearn import HasMethods, fit_context


class CovariateImputer(ExpressionImputerMixin, BaseEstimator):
    """Use any imputer of numbers on standardised expression together with covariates.

    Genes and numeric covariates are standardised over the observed values in fit, and categories
    become columns of zeros and ones. The imputer fills the resulting table, and the expression is
    returned in its own units.

    Parameters
    ----------
    imputer : transformer, default=None
        The imputer, which fills the NaN of an array and returns the same number of columns, as
        the imputers of scikit-learn do. It is cloned. None takes
        :class:`~sklearn.impute.KNNImputer`.
    categorical_covariates, numeric_covariates : column specifier, default=None
        Columns of X that are covariates: a name, a list of names, positions, or a callable of X
        that returns one of these. A category that was not seen in fit becomes all zeros, with a
        warning. A missing number is replaced by the mean.
    ignored_columns : column specifier, default=None
        Columns of X that are neither expression nor covariates, such as ids of donors.
    add_indicator : bool, default=False
        Whether :meth:`transform` appends columns that mark which values were missing, for genes
        with missing values in `fit`.

    Attributes
    ----------
    imputer_ : transformer
        The fitted imputer.
    expression_scaler_ : StandardScaler
        Means and scales of the expression.
    covariates_ : CovariateEncoder
        The fitted encoder, which knows the covariate columns, their categories and their scales.
    indicator_ : MissingIndicator or None
        Marks missing values. None without `add_indicator`.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of shape (n_columns,)
        Names of the columns of X seen in fit, if X is a frame.

    See Also
    --------
    make_imputers : Make several imputers of this class, with published settings.

    Notes
    -----
    KNNImputer computes the distances of all samples to all training samples, and IterativeImputer
    fits one regression per gene and round. Neither is meant for a whole transcriptome.

    References
    ----------
    R. Viñas et al., "Deep learning enables fast and accurate imputation of gene expression",
    section 3.5. The authors' scripts give the covariates to k-NN in this way.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from omitrans.baselines import CovariateImputer
    >>> from sklearn.impute import KNNImputer
    >>> X = pd.DataFrame({"tissue": ["Lung", "Lung", "Liver"], "TP53": [1.0, np.nan, 8.0]})
    >>> X["EGFR"] = 2.0
    >>> imputer = CovariateImputer(KNNImputer(n_neighbors=1), categorical_covariates=["tissue"])
    >>> imputer.fit_transform(X)
    array([[1., 2.],
           [1., 2.],
           [8., 2.]])
    """

    _parameter_constraints = {
        "imputer": [HasMethods(["fit", "transform"]), None],
        "categorical_covariates": COLUMNS,
        "numeric_covariates": COLUMNS,
        "ignored_columns": COLUMNS,
        "add_indicator": ["boolean"],
    }

    def __init__(
        self,
        imputer: Any = None,
        *,
        categorical_covariates: Any = None,
        numeric_covariates: Any = None,
        ignored_columns: Any = None,
        add_indicator: bool = False,
    ) -> None:
        self.imputer = imputer
        self.categorical_covariates = categorical_covariates
        self.numeric_covariates = numeric_covariates
        self.ignored_columns = ignored_columns
        self.add_indicator = add_indicator

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Fit the imputer on standardised expression and covariates.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            Expression and covariates; NaN marks a missing value.
        y : None
            Ignored.

        Returns
        -------
        CovariateImputer
            The fitted imputer.

        Raises
        ------
        FeatureMismatchError
            If a covariate is absent or listed twice.
        ValueError
            If a gene or a numeric covariate has no value at all, or a value is infinite.
        """
        self._fit(X, transform=False)
        return self

    def fit_transform(self, X: ArrayLike, y: Any = None) -> np.ndarray:
        """Fit the imputer and fill the table that it is fitted on.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            Expression and covariates; NaN marks a missing value.
        y : None
            Ignored.

        Returns
        -------
        ndarray of shape (n_samples, n_genes)
            The complete expression. Observed values are unchanged. With ``add_indicator`` the
            indicator columns follow.
        """
        table, filled = self._fit(X, transform=True)
        return self._with_indicator(self._finish(table.expression, filled), table.expression)

    @fit_context(prefer_skip_nested_validation=False)
    def _fit(self, X: Any, *, transform: bool) -> tuple[CovariateTable, Any]:
        self.covariates_ = CovariateEncoder(
            categorical_covariates=self.categorical_covariates,
            numeric_covariates=self.numeric_covariates,
            ignored_columns=self.ignored_columns,
        )
        table = self.covariates_.fit_split(X, owner=self)
        check_genes(self, table.expression)
        self._fit_indicator(table.expression)
        # arrays, whatever sklearn.set_config says about transform_output
        scaler = StandardScaler().set_output(transform="default")
        self.expression_scaler_ = scaler.fit(table.expression)
        self.imputer_ = KNNImputer() if self.imputer is None else clone(self.imputer)
        if transform:
            return table, self.imputer_.fit_transform(self._assemble(table))
        return table, self.imputer_.fit(self._assemble(table))

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Fill the missing values of the expression.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            Expression and covariates with the columns seen in fit; NaN marks a missing value.

        Returns
        -------
        ndarray of shape (n_samples, n_genes)
            The complete expression. Observed values are unchanged. With ``add_indicator`` the
            indicator columns follow.

        Warns
        -----
        UnknownCategoryWarning
            If X holds categories that were not seen in fit.
        """
        check_is_fitted(self, "imputer_")
        table = self.covariates_.split(X, owner=self)
        filled = self._finish(table.expression, self.imputer_.transform(self._assemble(table)))
        return self._with_indicator(filled, table.expression)

    def _assemble(self, table: CovariateTable) -> np.ndarray:
        """Return the standardised expression, followed by the covariates as numbers."""
        scaled = self.expression_scaler_.transform(table.expression)
        covariates = self.covariates_.encode(table, scaled.dtype)
        return np.hstack([scaled, covariates]) if covariates.shape[1] else scaled

    def _finish(self, expression: np.ndarray, filled: Any) -> np.ndarray:
        """Return the expression in its own units, with its observed values unchanged."""
        values = np.asarray(filled)[:, : expression.shape[1]]
        values = self.expression_scaler_.inverse_transform(values).astype(expression.dtype)
        return np.where(np.isnan(expression), values, expression)
