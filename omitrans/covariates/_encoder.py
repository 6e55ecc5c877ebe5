"""CovariateEncoder: find the covariates of a table, and encode them as numbers."""

import warnings
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from omitrans.covariates._columns import CovariateTable, find_columns, split_columns
from omitrans.exceptions import UnknownCategoryWarning
from omitrans.utils._callers import user_level
from omitrans.utils._sklearn import StrOptions, check_feature_names_in, fit_context
from omitrans.utils._validation import _some

COLUMNS = [str, Integral, slice, "array-like", callable, None]
"""Types of a parameter that names columns."""


class CovariateEncoder(TransformerMixin, BaseEstimator):
    """Separate covariates from expression in one table, and encode them as numbers.

    The imputers of this package use this encoder for their tables. It also works by itself, in a
    Pipeline whose model takes numbers only.

    Parameters
    ----------
    categorical_covariates : column specifier, default=None
        Columns of categories, such as the tissue: names, positions, a slice, a mask, or a callable
        of X that returns one of these, as :class:`~sklearn.compose.ColumnTransformer` takes them.
    numeric_covariates : column specifier, default=None
        Columns of numbers that are not expression, such as the age.
    ignored_columns : column specifier, default=None
        Columns of X that are neither expression nor covariates, such as ids of donors.
    encoding : {"one-hot", "codes"} or None, default="one-hot"
        "one-hot" makes a column of 0 and 1 for each category. "codes" numbers the categories of a
        covariate 1, 2, ..., for a network with embeddings; 0 stands for a category that is missing
        or was not seen in fit. None does not encode categories.

    Attributes
    ----------
    columns_ : dict of str to ndarray of int
        Positions in X of the columns of each kind: "expression", "categorical", "numeric",
        "ignored".
    category_encoder_ : OneHotEncoder, OrdinalEncoder or None
        Fitted encoder of the categories; None without categorical covariates.
    numeric_scaler_ : StandardScaler or None
        Means and scales of the numeric covariates; None without numeric covariates.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of shape (n_columns,)
        Names of the columns of X seen in fit, if X is a frame.

    See Also
    --------
    omitrans.PMIImputer : Imputes expression with the help of covariates.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.covariates import CovariateEncoder
    >>> X = pd.DataFrame({"tissue": ["Lung", "Liver"], "age": [30, 50], "TP53": [1.5, 2.5]})
    >>> X["donor"] = ["d1", "d2"]
    >>> encoder = CovariateEncoder(
    ...     categorical_covariates="tissue", numeric_covariates="age", ignored_columns="donor"
    ... )
    >>> encoder.set_output(transform="pandas").fit_transform(X)
       TP53  tissue_Liver  tissue_Lung  age
    0   1.5           0.0          1.0 -1.0
    1   2.5           1.0          0.0  1.0
    """

    _parameter_constraints = {
        "categorical_covariates": COLUMNS,
        "numeric_covariates": COLUMNS,
        "ignored_columns": COLUMNS,
        "encoding": [StrOptions({"one-hot", "codes"}), None],
    }

    def __init__(
        self,
        *,
        categorical_covariates: Any = None,
        numeric_covariates: Any = None,
        ignored_columns: Any = None,
        encoding: str | None = "one-hot",
    ) -> None:
        self.categorical_covariates = categorical_covariates
        self.numeric_covariates = numeric_covariates
        self.ignored_columns = ignored_columns
        self.encoding = encoding

    # --- fit ---

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Find the columns, and learn categories and scales.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            Expression and covariates; NaN marks a missing value.
        y : None
            Ignored.

        Returns
        -------
        CovariateEncoder
            The fitted encoder.

        Raises
        ------
        FeatureMismatchError
            If a covariate is absent or listed twice.
        ValueError
            If a numeric covariate has no value at all, if a value is infinite or text, or if no
            expression column is left.
        """
        self.fit_split(X)
        return self

    def fit_split(
        self, X: Any, *, owner: Any = None, only_covariates: bool = False, **options: Any
    ) -> CovariateTable:
        """Fit the encoder, and return the parts of the training table.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            Expression and covariates; NaN marks a missing value.
        owner : estimator, default=None
            The estimator that X was given to and that uses this encoder. It gets
            ``n_features_in_`` and ``feature_names_in_`` and is named in messages. None takes the
            encoder itself.
        only_covariates : bool, default=False
            Whether X holds no expression. Columns that are not named are then left out.
        **options : object
            Keyword arguments of :func:`sklearn.utils.check_array` for the expression.

        Returns
        -------
        CovariateTable
            The expression, the categories and the numeric covariates of X.
        """
        self.columns_ = find_columns(
            X,
            {
                "categorical": self.categorical_covariates,
                "numeric": self.numeric_covariates,
                "ignored": self.ignored_columns,
            },
            only_covariates=only_covariates,
        )
        owner = self if owner is None else owner
        table = split_columns(owner, X, self.columns_, reset=True, **options)
        self._adopt_names(owner)
        self._check_numeric(table.numeric)
        self.category_encoder_ = self.numeric_scaler_ = None
        # arrays, whatever sklearn.set_config says about transform_output
        if table.categorical.shape[1] and self.encoding is not None:
            self.category_encoder_ = self._fit_categories(table.categorical)
        if table.numeric.shape[1]:
            self.numeric_scaler_ = _arrays(StandardScaler()).fit(table.numeric)
        return table

    def _adopt_names(self, owner: Any) -> None:
        """Copy the number and the names of the columns from the owner of the table."""
        self.n_features_in_ = owner.n_features_in_
        if hasattr(owner, "feature_names_in_"):
            self.feature_names_in_ = owner.feature_names_in_
        else:
            self.__dict__.pop("feature_names_in_", None)

    def _fit_categories(self, categorical: np.ndarray) -> Any:
        """Return the fitted encoder of the categories."""
        try:
            return _arrays(self._category_encoder()).fit(categorical)
        except TypeError as error:  # numbers and text cannot be sorted
            mixed = [
                name
                for name, values in zip(self.labels("categorical"), categorical.T, strict=True)
                if len({isinstance(value, str) for value in values if value == value}) > 1
            ]
            raise ValueError(
                f"Categories must be all text or all numbers; {_some(mixed)} holds both. Convert "
                "the covariate: X[name] = X[name].astype(str)."
            ) from error

    def _category_encoder(self) -> Any:
        if self.encoding == "one-hot":
            return OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        return OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=-1,
            encoded_missing_value=-1,
            dtype=np.float32,
        )

    def _check_numeric(self, numeric: np.ndarray) -> None:
        empty = np.flatnonzero(np.isnan(numeric).all(axis=0))
        if len(empty):
            names = self.labels("numeric")
            raise ValueError(
                f"{len(empty)} of numeric_covariates hold no value at all "
                f"({_some(names[j] for j in empty)}). Leave them out."
            )

    # --- use ---

    def split(self, X: Any, *, owner: Any = None) -> CovariateTable:
        """Return the parts of a table with the columns seen in fit.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            Expression and covariates; NaN marks a missing value.
        owner : estimator, default=None
            The estimator that X was given to, which is named in messages. None takes the encoder
            itself.

        Returns
        -------
        CovariateTable
            The expression, the categories and the numeric covariates of X.

        Raises
        ------
        FeatureMismatchError
            If columns are missing, unknown or in another order.
        """
        check_is_fitted(self)
        return split_columns(self if owner is None else owner, X, self.columns_, reset=False)

    def encode(self, table: CovariateTable, dtype: Any = np.float32) -> np.ndarray:
        """Return the covariates of a table as numbers.

        Parameters
        ----------
        table : CovariateTable
            The parts of a table, as returned by :meth:`split`.
        dtype : numpy.dtype, default=numpy.float32
            Data type of the returned values.

        Returns
        -------
        ndarray of shape (n_samples, n_numbers)
            The categories, encoded as `encoding` says, then the numeric covariates. These are
            scaled to mean 0 and standard deviation 1 over the training samples; 0 replaces a
            missing value.

        Warns
        -----
        UnknownCategoryWarning
            If a covariate holds categories that were not seen in fit.
        """
        parts = [np.empty((len(table.expression), 0), dtype=dtype)]
        if self.category_encoder_ is not None:
            self._warn_of_unknown(table.categorical, self.category_encoder_)
            codes = self.category_encoder_.transform(table.categorical)
            parts.append(codes + isinstance(self.category_encoder_, OrdinalEncoder))
        if self.numeric_scaler_ is not None:
            parts.append(np.nan_to_num(self.numeric_scaler_.transform(table.numeric), nan=0.0))
        return np.concatenate([part.astype(dtype, copy=False) for part in parts], axis=1)

    def _warn_of_unknown(self, categorical: np.ndarray, encoder: Any) -> None:
        for j, name in enumerate(self.labels("categorical")):
            known = set(encoder.categories_[j])
            odd = [value for value in categorical[:, j] if value == value and value not in known]
            if odd:
                warnings.warn(
                    f"Covariate {name!r} holds {len(set(odd))} categories that fit has not met "
                    f"({_some(sorted(set(map(str, odd))))}), in {len(odd)} of {len(categorical)} "
                    "samples. They are treated as an unknown category.",
                    UnknownCategoryWarning,
                    stacklevel=user_level(),
                )

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Return the expression, followed by the covariates as numbers.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            Expression and covariates with the columns seen in fit.

        Returns
        -------
        ndarray of shape (n_samples, n_genes + n_numbers)
            Expression and encoded covariates, in float32 if the expression is float32, else in
            float64. Missing expression stays NaN.
        """
        table = self.split(X)
        if self.category_encoder_ is None and self.numeric_scaler_ is None:
            return table.expression
        return np.hstack([table.expression, self.encode(table, table.expression.dtype)])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns that ``transform`` returns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X, if X had no names in fit.

        Returns
        -------
        ndarray of str, dtype object
            The names of the genes, the categories and the numeric covariates, in this order.
        """
        names = check_feature_names_in(self, input_features)
        parts = [names[self.columns_["expression"]], names[self.columns_["numeric"]]]
        if self.category_encoder_ is not None:
            categorical = names[self.columns_["categorical"]]
            parts.insert(1, self.category_encoder_.get_feature_names_out(categorical))
        return np.concatenate(parts)

    # --- names of the columns ---

    def expression_names(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the expression columns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X, if X had no names in fit.

        Returns
        -------
        ndarray of str, dtype object
            The names; ``x0``, ``x1``, ... (by the position among all columns) if there are none.
        """
        return check_feature_names_in(self, input_features)[self.columns_["expression"]]

    def labels(self, kind: str) -> list[str]:
        """Return the names (or positions) of the columns of a kind, for messages and frames.

        Parameters
        ----------
        kind : {"expression", "categorical", "numeric", "ignored"}
            The kind of the columns.

        Returns
        -------
        list of str
            The names, in the order in which the columns were given.
        """
        names = getattr(self, "feature_names_in_", None)
        positions = self.columns_[kind]
        return [str(place) if names is None else str(names[place]) for place in positions]

    @property
    def categories_(self) -> list[np.ndarray]:
        """Categories of each categorical covariate in the order of their codes, without NaN."""
        if self.category_encoder_ is None:
            return []
        return [
            np.array([value for value in known if value == value], dtype=object)
            for known in self.category_encoder_.categories_
        ]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _arrays(transformer: Any) -> Any:
    return transformer.set_output(transform="default")
