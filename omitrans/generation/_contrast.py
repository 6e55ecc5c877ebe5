"""What a counterfactual ranking changes, and in which samples."""

from collections.abc import Mapping
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from omitrans.covariates._columns import _positions
from omitrans.exceptions import FeatureMismatchError
from omitrans.utils._validation import _some, holds_numbers


class Contrast(NamedTuple):
    """What is changed, and in which samples.

    Attributes
    ----------
    column : object
        Name of the covariate that is changed.
    levels : tuple
        Its two values.
    covariates : DataFrame of shape (n_samples, n_columns)
        Covariates of the samples that may be changed.
    by : str or None
        Covariate for each of whose levels genes are ranked.
    """

    column: str
    levels: tuple[Any, Any]
    covariates: pd.DataFrame
    by: str | None


def find_contrast(
    generator: Any, X: Any, change: Mapping[str, tuple[Any, Any]], within: Any, by: str | None
) -> tuple[Contrast, np.ndarray]:
    """Return the contrast, and a mask of the samples that have the second value.

    Parameters
    ----------
    generator : estimator
        The generator, fitted or not.
    X : DataFrame of shape (n_samples, n_columns)
        Covariates.
    change : dict
        Name of the covariate, and its two values.
    within : str, list of str or None
        Covariates within whose levels the contrast is taken.
    by : str or None
        Covariate for each of whose levels genes are ranked.

    Returns
    -------
    contrast : Contrast
        What is changed.
    second : ndarray of bool
        For each sample of the contrast, whether it has the second value.
    """
    if not isinstance(X, pd.DataFrame):
        raise TypeError(
            f"X must be a DataFrame, because covariates are named. Got {type(X).__name__}."
        )
    if not isinstance(change, Mapping) or len(change) != 1:
        raise ValueError(
            "change must name one covariate and its two values, as in "
            f"{{'condition': ('healthy', 'tumour')}}. Got {change!r}."
        )
    ((column, levels),) = change.items()
    held = [within] if isinstance(within, str) else list(within or [])
    for name in [column, *held, *([] if by is None else [by])]:
        if name not in X.columns:
            raise FeatureMismatchError(
                f"X has no covariate {name!r}; its columns are {_some(X.columns, 10)}."
            )
    scalars = isinstance(levels, tuple | list) and all(map(pd.api.types.is_scalar, levels))
    if not scalars or len(levels) != 2 or levels[0] == levels[1]:
        raise ValueError(f"change must give two different values of {column!r}. Got {levels!r}.")
    first, second = _having(generator, X[column], levels)
    chosen = first | second
    if held:
        levels_held = X.loc[:, held].astype(str).agg("|".join, axis=1)
        both = set(levels_held[first]) & set(levels_held[second])
        if not both:
            raise ValueError(
                f"No level of {_some(held)} holds samples of both {levels[0]!r} and {levels[1]!r} "
                f"of {column!r}: the two cannot be told apart. Add samples, or leave out within."
            )
        chosen &= levels_held.isin(both).to_numpy()
    return Contrast(column, tuple(levels), X[chosen], by), second[chosen]


def _having(generator: Any, column: pd.Series, levels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return masks of the samples that stand for the first and for the second value."""
    if _is_scale(generator, column):
        return _nearer(column, levels)
    for value in levels:
        if not having_value(column, value).any():
            known = sorted(map(repr, column.dropna().unique().tolist()))
            raise ValueError(
                f"No sample has {value!r} in {column.name!r}; it holds {_some(known, 20)}. Give "
                "two of these; text in quotes is no number."
            )
    return having_value(column, levels[0]), having_value(column, levels[1])


def having_value(column: pd.Series, value: Any) -> np.ndarray:
    """Return which samples have a value; a missing one is no value.

    Parameters
    ----------
    column : Series of shape (n_samples,)
        A covariate.
    value : object
        The value.

    Returns
    -------
    ndarray of bool of shape (n_samples,)
        The mask.
    """
    return (column == value).fillna(False).to_numpy(dtype=bool)


def _is_scale(generator: Any, column: pd.Series) -> bool:
    """Return whether a covariate holds numbers that the generator does not take as categories."""
    categories = getattr(generator, "categorical_covariates", None)
    named = [categories] if isinstance(categories, str) else categories
    category = isinstance(named, list | tuple | np.ndarray | pd.Index) and column.name in list(
        named
    )
    return bool(holds_numbers(column) and column.nunique() > 2 and not category)


def _nearer(column: pd.Series, levels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return which samples are nearer to the first of two numbers, and which to the second."""
    values = column.to_numpy(dtype=float, na_value=np.nan)
    low, high = np.nanmin(values), np.nanmax(values)
    for value in levels:
        if not isinstance(value, Real) or not low <= value <= high:
            raise ValueError(
                f"The value {value!r} of {column.name!r} must be a number between those of the "
                f"samples, {low:g} and {high:g}. A generator knows nothing of others."
            )
    to_first, to_second = (np.abs(values - float(value)) for value in levels)
    return to_first <= to_second, to_second < to_first


def ignored_by(generator: Any, X: pd.DataFrame) -> list[Any]:
    """Return the columns that name samples for the generator.

    Parameters
    ----------
    generator : estimator
        The generator, fitted or not.
    X : DataFrame of shape (n_samples, n_columns)
        Covariates.

    Returns
    -------
    list
        Names of the columns.
    """
    given = getattr(generator, "ignored_columns", None)
    return list(X.columns[_positions(X, given, "ignored_columns")])


def check_used(generator: Any, column: Any, X: pd.DataFrame, ignored: list[Any]) -> None:
    """Raise an error if the generator does not use the covariate, as far as that is known.

    Parameters
    ----------
    generator : estimator
        The generator, fitted or not.
    column : object
        Name of the covariate.
    X : DataFrame of shape (n_samples, n_columns)
        Covariates.
    ignored : list
        Columns that the generator ignores.
    """
    used = list(X.columns.drop(ignored))
    encoder = getattr(generator, "covariates_", None)
    if encoder is not None:
        places = [*encoder.columns_["categorical"], *encoder.columns_["numeric"]]
        used = list(np.asarray(getattr(encoder, "feature_names_in_", X.columns))[places])
    if column not in used:
        raise ValueError(
            f"The generator does not use the covariate {column!r}, so that changing it "
            "changes nothing. Fit a generator that does."
        )
