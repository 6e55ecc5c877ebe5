"""The common base of the imputers of expression: checks of genes, column names, indicator."""

from typing import Any

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.impute import MissingIndicator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from omitrans.covariates._encoder import CovariateEncoder
from omitrans.utils._validation import _some


def check_genes(estimator: Any, expression: np.ndarray) -> np.ndarray:
    """Return the smallest value of each gene, or raise if a gene has no value.

    Parameters
    ----------
    estimator : estimator
        The imputer, whose ``covariates_`` know the names of the genes.
    expression : ndarray of shape (n_samples, n_genes)
        Expression; NaN marks a missing value.

    Returns
    -------
    ndarray of shape (n_genes,)
        The smallest values, without NaN.
    """
    # column by column: a mask of the whole table would take a quarter of its memory
    low = np.array([np.fmin.reduce(column) for column in expression.T])
    empty = np.flatnonzero(np.isnan(low))
    if len(empty):
        names = estimator.covariates_.labels("expression")
        raise ValueError(
            f"{len(empty)} of {expression.shape[1]} genes hold no value at all "
            f"({_some(names[j] for j in empty)}), so that nothing can be learned of them. "
            "Drop them, e.g. with omitrans.preprocessing.MissingRateFilter."
        )
    return low


def constant_genes(estimator: Any, expression: np.ndarray) -> np.ndarray:
    """Return a mask of the genes with the same value in all samples, or raise if one has no value.

    Parameters
    ----------
    estimator : estimator
        The imputer, whose ``covariates_`` know the names of the genes.
    expression : ndarray of shape (n_samples, n_genes)
        Expression; NaN marks a missing value.

    Returns
    -------
    ndarray of bool of shape (n_genes,)
        True for a constant gene.
    """
    low = check_genes(estimator, expression)
    return low == np.array([np.fmax.reduce(column) for column in expression.T])


class ExpressionImputerMixin(TransformerMixin):
    """Base of the imputers: names of the returned columns, missing-value indicator, and tags.

    A subclass has the parameter ``add_indicator``. In fit it sets ``covariates_``, a
    :class:`~omitrans.covariates.CovariateEncoder`, and calls :meth:`_fit_indicator`.
    """

    covariates_: CovariateEncoder

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Load a state, also from a version whose estimators encoded covariates themselves."""
        state = dict(state)
        if "_columns" in state:
            state["covariates_"] = _encoder_of(state)
        super().__setstate__(state)

    def _fit_indicator(self, expression: np.ndarray) -> None:
        self.indicator_ = None
        if self.add_indicator:
            self.indicator_ = MissingIndicator(error_on_new=False).fit(expression)

    def _with_indicator(self, filled: np.ndarray, expression: np.ndarray) -> np.ndarray:
        if self.indicator_ is None:
            return filled
        return np.hstack([filled, self.indicator_.transform(expression)])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns that ``transform`` returns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X, if X had no names in fit.

        Returns
        -------
        ndarray of str, dtype object
            The names of the genes, then the names of the indicator columns, if there are any.
        """
        check_is_fitted(self)
        names = self.covariates_.expression_names(input_features)
        if self.indicator_ is None:
            return names
        return np.concatenate([names, self.indicator_.get_feature_names_out(names)])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


_ENCODINGS = {"OneHotEncoder": "one-hot", "OrdinalEncoder": "codes"}


def _encoder_of(state: dict[str, Any]) -> CovariateEncoder:
    """Build the covariate encoder from the state of an estimator of an earlier version."""
    encoder = state.pop("category_encoder_", None)
    params = {name: state.get(name) for name in ("categorical_covariates", "numeric_covariates")}
    covariates = CovariateEncoder(
        **params,
        ignored_columns=state.get("ignored_columns"),
        encoding={"OneHotEncoder": "one-hot", "OrdinalEncoder": "codes"}.get(
            type(encoder).__name__
        ),
    )
    covariates.columns_ = state.pop("_columns")
    covariates.category_encoder_ = encoder
    covariates.numeric_scaler_ = state.pop("numeric_scaler_", None)
    covariates.n_features_in_ = state["n_features_in_"]
    if "feature_names_in_" in state:
        covariates.feature_names_in_ = state["feature_names_in_"]
    return covariates
