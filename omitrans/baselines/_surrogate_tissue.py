"""Imputation by another tissue of the same donor."""

import warnings
from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from omitrans.baselines._group_median import (
    GroupMedians,
    fill_by_group,
    rows_of_groups,
    warn_of_unknown,
)
from omitrans.covariates import CovariateEncoder
from omitrans.covariates._columns import CovariateTable
from omitrans.covariates._encoder import COLUMNS
from omitrans.covariates._expression_imputer import ExpressionImputerMixin, check_genes
from omitrans.utils._sklearn import fit_context


class SurrogateTissueImputer(ExpressionImputerMixin, BaseEstimator):
    """Fill missing expression with the expression of a surrogate tissue of the same donor.

    The surrogate is a tissue that is easy to sample, such as blood. Only samples seen in fit are
    used as surrogates, so the result of a sample does not depend on the other samples in
    `transform`. The median of the sample's tissue is used if the donor has no surrogate sample, if
    the surrogate lacks the gene, or if the sample itself is of the surrogate tissue.

    Parameters
    ----------
    tissue, donor : str or int, default=None
        Columns of X that hold the tissue and the donor of every sample. Give both or neither.
        Without them missing values get the median of all samples.
    surrogate : str or int, default="Whole Blood"
        Name of the surrogate tissue.
    ignored_columns : column specifier, default=None
        Columns of X that are neither expression nor covariates, such as ids of donors.
    add_indicator : bool, default=False
        Whether :meth:`transform` appends columns that mark which values were missing, for genes
        with missing values in `fit`.

    Attributes
    ----------
    donors_ : list
        Donors with a surrogate sample.
    surrogates_ : ndarray of shape (n_donors, n_genes)
        Surrogate expression of each donor, averaged if the donor has several surrogate samples;
        NaN marks a missing value.
    tissues_ : list
        The tissues seen in fit.
    medians_ : ndarray of shape (n_tissues, n_genes)
        Medians of each tissue.
    overall_medians_ : ndarray of shape (n_genes,)
        Medians of all samples.
    indicator_ : MissingIndicator or None
        Marks missing values. None without `add_indicator`.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of shape (n_columns,)
        Names of the columns of X seen in fit, if X is a frame.

    See Also
    --------
    GroupMedianImputer : Fill with medians of tissues only.

    Notes
    -----
    For new samples, the authors' script took the blood of a random donor and, for blood samples,
    the sample itself. Therefore its R² of -0.95 is lower than that of correct matching.

    References
    ----------
    R. Viñas et al., "Deep learning enables fast and accurate imputation of gene expression",
    section 3.5, blood surrogate.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.baselines import SurrogateTissueImputer
    >>> X = pd.DataFrame(
    ...     {
    ...         "donor": ["d1", "d2", "d1"],
    ...         "tissue": ["Whole Blood", "Whole Blood", "Lung"],
    ...         "TP53": [1.0, 2.0, 9.0],
    ...     }
    ... )
    >>> new = pd.DataFrame({"donor": ["d2", "d3"], "tissue": "Lung", "TP53": float("nan")})
    >>> SurrogateTissueImputer(tissue="tissue", donor="donor").fit(X).transform(new)
    array([[2.],
           [9.]])
    """

    _parameter_constraints = {
        "tissue": [str, Integral, None],
        "donor": [str, Integral, None],
        "surrogate": [str, Integral],
        "ignored_columns": COLUMNS,
        "add_indicator": ["boolean"],
    }

    def __init__(
        self,
        *,
        tissue: str | int | None = None,
        donor: str | int | None = None,
        surrogate: str | int = "Whole Blood",
        ignored_columns: Any = None,
        add_indicator: bool = False,
    ) -> None:
        self.tissue = tissue
        self.donor = donor
        self.surrogate = surrogate
        self.ignored_columns = ignored_columns
        self.add_indicator = add_indicator

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Keep the surrogate samples and learn the medians.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            Expression, tissue and donor; NaN marks a missing value.
        y : None
            Ignored.

        Returns
        -------
        SurrogateTissueImputer
            The fitted imputer.

        Raises
        ------
        FeatureMismatchError
            If X has no column that a parameter names.
        ValueError
            If only one of `tissue` and `donor` is given, if no sample is of the surrogate tissue,
            if a gene has no value at all, or if a value is infinite.
        """
        if (self.tissue is None) != (self.donor is None):
            raise ValueError(
                f"tissue={self.tissue!r} and donor={self.donor!r}: give both columns, or neither."
            )
        columns = None if self.tissue is None else [self.tissue, self.donor]
        self.covariates_ = CovariateEncoder(
            categorical_covariates=columns, ignored_columns=self.ignored_columns, encoding=None
        )
        table = self.covariates_.fit_split(X, owner=self)
        check_genes(self, table.expression)
        self._fit_indicator(table.expression)
        tissues, donors = self._labels(table)
        medians = GroupMedians(table.expression, tissues)
        self.tissues_, self.medians_ = medians.groups, medians.table
        self.overall_medians_ = medians.overall
        self._keep_surrogates(table.expression, tissues, donors)
        return self

    def _keep_surrogates(
        self, expression: np.ndarray, tissues: np.ndarray, donors: np.ndarray
    ) -> None:
        rows = np.flatnonzero(tissues == self.surrogate)
        if self.tissue is not None and not len(rows):
            known = ", ".join(map(str, self.tissues_[:5]))
            raise ValueError(
                f"No training sample is of the surrogate tissue {self.surrogate!r}. Tissues in "
                f"column {self.tissue!r}: {known}. Correct surrogate."
            )
        self.donors_, means = [], []
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Mean of empty slice")
            for donor, samples in rows_of_groups(donors[rows]):
                self.donors_.append(donor)
                means.append(np.nanmean(expression[rows[samples]], axis=0))
        shape = (len(means), expression.shape[1])
        self.surrogates_ = np.reshape(means, shape).astype(expression.dtype, copy=False)

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Fill the missing values of the expression.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            Expression, tissue and donor with the columns seen in fit; NaN marks a missing value.

        Returns
        -------
        ndarray of shape (n_samples, n_genes)
            The complete expression. Observed values are unchanged. With ``add_indicator`` the
            indicator columns follow.

        Warns
        -----
        UnknownCategoryWarning
            If X holds tissues that were not seen in fit.
        """
        check_is_fitted(self, "surrogates_")
        table = self.covariates_.split(X, owner=self)
        tissues, _ = self._labels(table)
        filled = table.expression.copy()
        for rows, values in self._matches(table):
            block = filled[rows]
            filled[rows] = np.where(np.isnan(block), values, block)
        unknown = fill_by_group(
            filled, tissues, self.tissues_, self.medians_, self.overall_medians_
        )
        warn_of_unknown(unknown, str(self.tissue), stacklevel=4)
        return self._with_indicator(filled, table.expression)

    def report(self, X: ArrayLike) -> pd.DataFrame:
        """Count the missing values of each sample, and those that a surrogate can fill.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            Expression, tissue and donor with the columns seen in fit; NaN marks a missing value.

        Returns
        -------
        DataFrame
            One row per sample, with the columns ``n_missing``, the number of missing values, and
            ``n_from_surrogate``, the number of missing values that a surrogate can fill.
        """
        check_is_fitted(self, "surrogates_")
        table = self.covariates_.split(X, owner=self)
        missing = np.isnan(table.expression)
        found = np.zeros(len(missing), dtype=int)
        for rows, values in self._matches(table):
            found[rows] = (missing[rows] & ~np.isnan(values)).sum(axis=1)
        columns = {"n_missing": missing.sum(axis=1), "n_from_surrogate": found}
        return pd.DataFrame(columns, index=X.index if isinstance(X, pd.DataFrame) else None)

    def _matches(self, table: CovariateTable) -> Any:
        """Yield the rows of the samples of each donor, and the donor's surrogate expression."""
        tissues, donors = self._labels(table)
        places = {donor: i for i, donor in enumerate(self.donors_)}
        others = np.flatnonzero(tissues != self.surrogate)
        for donor, rows in rows_of_groups(donors[others]):
            if donor in places:
                yield others[rows], self.surrogates_[places[donor]]

    @staticmethod
    def _labels(table: CovariateTable) -> tuple[np.ndarray, np.ndarray]:
        if table.categorical.shape[1] == 0:
            nothing = np.full(len(table.expression), np.nan, dtype=object)
            return nothing, nothing
        return table.categorical[:, 0], table.categorical[:, 1]
