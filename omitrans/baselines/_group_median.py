"""Imputation by medians over all samples or over the samples of the same group."""

import warnings
from collections.abc import Iterator
from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from omitrans.covariates import CovariateEncoder
from omitrans.covariates._encoder import COLUMNS
from omitrans.covariates._expression_imputer import ExpressionImputerMixin, check_genes
from omitrans.exceptions import UnknownCategoryWarning
from omitrans.utils._sklearn import fit_context
from omitrans.utils._validation import _some


class GroupMedians:
    """Medians of genes over groups of samples.

    Parameters
    ----------
    expression : ndarray of shape (n_samples, n_genes)
        Expression of the training samples; NaN marks a missing value.
    labels : ndarray of shape (n_samples,), dtype object
        Group of each sample; NaN marks a sample without a group.
    """

    def __init__(self, expression: np.ndarray, labels: np.ndarray) -> None:
        self.overall = np.nanmedian(expression, axis=0)
        self.groups: list[Any] = []
        tables = []
        for group, rows in rows_of_groups(labels):
            self.groups.append(group)
            tables.append(self._medians(expression[rows]))
        shape = (len(tables), expression.shape[1])
        self.table = np.reshape(tables, shape).astype(expression.dtype, copy=False)

    def _medians(self, expression: np.ndarray) -> np.ndarray:
        """Return the medians of a group; a gene without value in it gets its overall median."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="All-NaN slice")
            medians = np.nanmedian(expression, axis=0)
        return np.where(np.isnan(medians), self.overall, medians)


def rows_of_groups(labels: np.ndarray) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield each group and its rows; rows without a group (NaN) are left out.

    Parameters
    ----------
    labels : ndarray of shape (n_samples,), dtype object
        Group of each sample; NaN marks a sample without a group.

    Yields
    ------
    group : object
        The group.
    rows : ndarray of int
        Rows of the samples of the group.
    """
    rows: dict[Any, list[int]] = {}
    for i, label in enumerate(labels):
        if label == label:
            rows.setdefault(label, []).append(i)
    for label, members in rows.items():
        yield label, np.asarray(members)


def fill_by_group(
    expression: np.ndarray, labels: np.ndarray, groups: list[Any], table: np.ndarray, overall: Any
) -> list[Any]:
    """Fill NaN in place by the medians of each sample's group.

    Parameters
    ----------
    expression : ndarray of shape (n_samples, n_genes)
        Expression, which is changed in place.
    labels : ndarray of shape (n_samples,), dtype object
        Group of each sample; NaN marks a sample without a group.
    groups, table : list and ndarray of shape (n_groups, n_genes)
        Known groups and their medians.
    overall : ndarray of shape (n_genes,)
        Medians for samples without a known group.

    Returns
    -------
    list
        The groups in `labels` that are not known.
    """
    unknown = []
    places = {group: i for i, group in enumerate(groups)}
    for label, rows in rows_of_groups(labels):
        if label not in places:
            unknown.append(label)
            continue
        block = expression[rows]
        expression[rows] = np.where(np.isnan(block), table[places[label]], block)
    holes = np.isnan(expression)  # NaN of samples without a known group
    expression[holes] = np.broadcast_to(overall, expression.shape)[holes]
    return unknown


def warn_of_unknown(groups: list[Any], column: str, *, stacklevel: int) -> None:
    """Warn about groups that were not seen in fit.

    Parameters
    ----------
    groups : list
        The unknown groups; there is no warning if the list is empty.
    column : str
        Name of the column that holds the groups.
    stacklevel : int
        Stack level of the warning.
    """
    if groups:
        warnings.warn(
            f"{column} holds {len(groups)} groups that fit has not met "
            f"({_some(sorted(map(str, groups)))}). Their samples get the medians of all samples.",
            UnknownCategoryWarning,
            stacklevel=stacklevel,
        )


class GroupMedianImputer(ExpressionImputerMixin, BaseEstimator):
    """Fill missing expression with the median of the gene in the sample's group, such as a tissue.

    Medians are computed over observed training values. A gene without observed values in a group
    gets its overall median there. All genes of a sample whose group is missing, or was not seen in
    fit, get their overall medians.

    Parameters
    ----------
    group : str, int or list of them, default=None
        Column of X that holds the group, by name or position. With several columns, such as tissue
        and sex, every combination of their values is a group. None takes the median of all samples.
    ignored_columns : column specifier, default=None
        Columns of X that are neither expression nor covariates, such as ids of donors.
    add_indicator : bool, default=False
        Whether :meth:`transform` appends columns that mark which values were missing, for genes
        with missing values in `fit`.

    Attributes
    ----------
    groups_ : list
        The groups seen in fit. They are tuples if `group` names several columns.
    medians_ : ndarray of shape (n_groups, n_genes)
        Medians of each group.
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
    SurrogateTissueImputer : Fill with values of another tissue of the same donor.

    References
    ----------
    R. Viñas et al., "Deep learning enables fast and accurate imputation of gene expression",
    section 3.5, median imputation.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.baselines import GroupMedianImputer
    >>> X = pd.DataFrame({"tissue": ["Lung", "Lung", "Liver"], "TP53": [1.0, 3.0, 8.0]})
    >>> new = pd.DataFrame({"tissue": ["Liver", "Lung"], "TP53": [float("nan")] * 2})
    >>> GroupMedianImputer("tissue").fit(X).transform(new)
    array([[8.],
           [2.]])
    """

    _parameter_constraints = {
        "group": [str, Integral, "array-like", None],
        "ignored_columns": COLUMNS,
        "add_indicator": ["boolean"],
    }

    def __init__(
        self,
        group: Any = None,
        *,
        ignored_columns: Any = None,
        add_indicator: bool = False,
    ) -> None:
        self.group = group
        self.ignored_columns = ignored_columns
        self.add_indicator = add_indicator

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Learn the medians.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            Expression and the group; NaN marks a missing value.
        y : None
            Ignored.

        Returns
        -------
        GroupMedianImputer
            The fitted imputer.

        Raises
        ------
        FeatureMismatchError
            If X has no column that `group` or `ignored_columns` names.
        ValueError
            If a gene has no value at all, or a value is infinite.
        """
        self.covariates_ = CovariateEncoder(
            categorical_covariates=self.group, ignored_columns=self.ignored_columns, encoding=None
        )
        table = self.covariates_.fit_split(X, owner=self)
        check_genes(self, table.expression)
        self._fit_indicator(table.expression)
        medians = GroupMedians(table.expression, self._labels(table.categorical))
        self.groups_, self.medians_ = medians.groups, medians.table
        self.overall_medians_ = medians.overall
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Fill the missing values of the expression.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_columns)
            Expression and the group with the columns seen in fit; NaN marks a missing value.

        Returns
        -------
        ndarray of shape (n_samples, n_genes)
            The complete expression. Observed values are unchanged. With ``add_indicator`` the
            indicator columns follow.

        Warns
        -----
        UnknownCategoryWarning
            If X holds groups that were not seen in fit.
        """
        check_is_fitted(self, "medians_")
        table = self.covariates_.split(X, owner=self)
        filled = table.expression.copy()
        unknown = fill_by_group(
            filled,
            self._labels(table.categorical),
            self.groups_,
            self.medians_,
            self.overall_medians_,
        )
        warn_of_unknown(unknown, str(self.group), stacklevel=4)
        return self._with_indicator(filled, table.expression)

    @staticmethod
    def _labels(categorical: np.ndarray) -> np.ndarray:
        if categorical.shape[1] == 0:
            return np.full(len(categorical), np.nan, dtype=object)
        if categorical.shape[1] == 1:
            return categorical[:, 0]
        labels = np.full(len(categorical), np.nan, dtype=object)
        for i, values in enumerate(categorical):
            if not pd.isna(values).any():
                labels[i] = tuple(values)
        return labels
