"""scikit-learn's imputers on expression with covariates beside it."""

import warnings
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.impute import KNNImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.validation import check_is_fitted

from omitrans.covariates._columns import CovariateTable, column_labels, split_table
from omitrans.covariates._expression_imputer import (
    ExpressionImputerMixin,
    check_genes,
    check_numeric_covariates,
)
from omitrans.exceptions import UnknownCategoryWarning
from omitrans.utils._sklearn import HasMethods, fit_context
from omitrans.utils._validation import _some


class CovariateImputer(ExpressionImputerMixin, BaseEstimator):
    """Let any imputer of numbers see covariates beside standardised expression.

    Genes and numeric covariates are standardised with what is observed in fit, categories become
    columns of zeros and ones, the imputer fills the whole, and the expression is returned in its
    own units.

    Parameters
    ----------
    imputer : transformer, default=None
        Fills NaN of an array and returns as many columns, like those of scikit-learn. None takes
        :class:`~sklearn.impute.KNNImputer`. It is cloned.
    categorical_covariates, numeric_covariates : column specifier, default=None
        Columns of X that are covariates: a name, a list of names, positions, or a callable of X
        that returns one of these. A category that fit has not met is all zeros, and a warning
        names it; a missing number counts as the mean.
    ignored_columns : column specifier, default=None
        Columns of X that are neither expression nor covariates, such as ids of donors.
    add_indicator : bool, default=False
        Whether :meth:`transform` appends which values were missing.

    Attributes
    ----------
    imputer_ : transformer
        The fitted imputer.
    expression_scaler_, numeric_scaler_ : StandardScaler
        Means and scales; ``numeric_scaler_`` is None without such covariates.
    category_encoder_ : OneHotEncoder or None
        The categories.
    indicator_ : MissingIndicator or None
        Of ``add_indicator``.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_columns,)
        Their names, if X is a frame.

    See Also
    --------
    make_imputers : Recipes made of it.

    Notes
    -----
    KNNImputer builds distances of all samples to all training samples, and IterativeImputer one
    regression a gene and round: neither is meant for a whole transcriptome.

    References
    ----------
    R. Viñas et al., "Deep learning enables fast and accurate imputation of gene expression",
    section 3.5; the authors' scripts give k-NN the covariates so.

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
        "categorical_covariates": [str, Integral, slice, "array-like", callable, None],
        "numeric_covariates": [str, Integral, slice, "array-like", callable, None],
        "ignored_columns": [str, Integral, slice, "array-like", callable, None],
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
            Expression and covariates; NaN is missing.
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
            Expression and covariates; NaN is missing.
        y : None
            Ignored.

        Returns
        -------
        ndarray of shape (n_samples, n_genes)
            The expression. Observed values are those of X.
        """
        table, filled = self._fit(X, transform=True)
        return self._with_indicator(self._finish(table.expression, filled), table.expression)

    @fit_context(prefer_skip_nested_validation=False)
    def _fit(self, X: Any, *, transform: bool) -> tuple[CovariateTable, Any]:
        table = split_table(
            self,
            X,
            reset=True,
            categorical=self.categorical_covariates,
            numeric=self.numeric_covariates,
            ignored=self.ignored_columns,
        )
        check_genes(self, table.expression)
        self._fit_indicator(table.expression)
        # arrays, whatever sklearn.set_config says of transform_output
        self.expression_scaler_ = _arrays(StandardScaler()).fit(table.expression)
        self.category_encoder_ = self.numeric_scaler_ = None
        if table.categorical.shape[1]:
            encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
            self.category_encoder_ = _arrays(encoder).fit(table.categorical)
        if table.numeric.shape[1]:
            check_numeric_covariates(self, table.numeric)
            self.numeric_scaler_ = _arrays(StandardScaler()).fit(table.numeric)
        self.imputer_ = KNNImputer() if self.imputer is None else clone(self.imputer)
        if transform:
            return table, self.imputer_.fit_transform(self._assemble(table))
        return table, self.imputer_.fit(self._assemble(table))

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Fill missing values.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            Columns as seen in fit.

        Returns
        -------
        ndarray of shape (n_samples, n_genes)
            The expression. Observed values are those of X.

        Warns
        -----
        UnknownCategoryWarning
            If X holds categories that fit has not met.
        """
        check_is_fitted(self)
        table = split_table(self, X, reset=False)
        self._warn_of_unknown(table.categorical, self.category_encoder_)
        filled = self._finish(table.expression, self.imputer_.transform(self._assemble(table)))
        return self._with_indicator(filled, table.expression)

    def _warn_of_unknown(self, categorical: np.ndarray, encoder: Any) -> None:
        for j, name in enumerate(column_labels(self, "categorical")):
            known = set(encoder.categories_[j])
            odd = {value for value in categorical[:, j] if value == value} - known
            if odd:
                warnings.warn(
                    f"Covariate {name!r} holds {len(odd)} categories that fit has not met "
                    f"({_some(sorted(map(str, odd)))}). The imputer sees them as no category.",
                    UnknownCategoryWarning,
                    stacklevel=4,  # the caller of transform, which scikit-learn wraps
                )

    def _assemble(self, table: CovariateTable) -> np.ndarray:
        """Return standardised expression with covariates behind it."""
        scaled = self.expression_scaler_.transform(table.expression)
        parts = [scaled]
        if self.category_encoder_ is not None:
            parts.append(self.category_encoder_.transform(table.categorical).astype(scaled.dtype))
        if self.numeric_scaler_ is not None:
            numeric = self.numeric_scaler_.transform(table.numeric)
            parts.append(np.nan_to_num(numeric, nan=0.0).astype(scaled.dtype))
        return scaled if len(parts) == 1 else np.hstack(parts)

    def _finish(self, expression: np.ndarray, filled: Any) -> np.ndarray:
        """Return the expression in its own units with observed values as they were."""
        values = np.asarray(filled)[:, : expression.shape[1]]
        values = self.expression_scaler_.inverse_transform(values).astype(expression.dtype)
        return np.where(np.isnan(expression), values, expression)


def _arrays(transformer: Any) -> Any:
    return transformer.set_output(transform="default")
