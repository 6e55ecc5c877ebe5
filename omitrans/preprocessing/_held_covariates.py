"""Covariates whose effects on a table stay while the effects of batches are removed."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from omitrans.exceptions import FeatureMismatchError, SampleMismatchError, UnknownCategoryError
from omitrans.utils._validation import (
    _some,
    check_column_names,
    check_paired_samples,
    holds_numbers,
)

_ROUNDING = 1e-10


class Covariates(NamedTuple):
    """Covariates as numbers.

    Attributes
    ----------
    names : ndarray of shape (n_covariates,), dtype object
        Names of the covariates, or their positions.
    categories : list of (ndarray or None)
        Categories of each covariate, the first of which is the baseline; None for numbers.
    design : ndarray of shape (n_samples, n_numbers)
        A column for each number, and for each category but the first.
    """

    names: np.ndarray
    categories: list[Any]
    design: np.ndarray

    def owners(self) -> np.ndarray:
        """Return the position of the covariate of each column of the design."""
        widths = [1 if known is None else len(known) - 1 for known in self.categories]
        return np.repeat(np.arange(len(widths)), widths)


def read_covariates(covariates: Any, X: Any) -> Covariates:
    """Check the covariates of training samples, and find categories and numbers.

    Parameters
    ----------
    covariates : array-like, DataFrame or Series of shape (n_samples, n_covariates) or (n_samples,)
        Columns of numbers, or of categories (text, booleans, anything else).
    X : ndarray or DataFrame of shape (n_samples, n_features)
        The samples.

    Returns
    -------
    Covariates
        The covariates as numbers.

    Raises
    ------
    SampleMismatchError
        If the samples are not those of X.
    ValueError
        If a value is missing or infinite, or if there is no covariate.
    """
    frame = _frame(covariates, X)
    if not frame.shape[1]:
        raise ValueError("covariates has no columns. Leave the argument out, or name covariates.")
    categories = [
        None if holds_numbers(column) else pd.unique(column.astype(object))
        for _, column in frame.items()
    ]
    return _encoded(frame, categories)


def read_again(covariates: Any, X: Any, names: np.ndarray, categories: list[Any]) -> Covariates:
    """Check the covariates of new samples against those of the training samples.

    Parameters
    ----------
    covariates, X
        As in :func:`read_covariates`.
    names : ndarray of shape (n_covariates,)
        Names of the training covariates.
    categories : list of (ndarray or None)
        Their categories.

    Returns
    -------
    Covariates
        The covariates as numbers.

    Raises
    ------
    FeatureMismatchError
        If the covariates are not those of the training samples.
    UnknownCategoryError
        If a category was not seen in training.
    """
    frame = _frame(covariates, X)
    if list(frame.columns) != list(names):
        raise FeatureMismatchError(
            f"covariates has the columns {_some(frame.columns, 5)}; fit had {_some(names, 5)}. "
            "Give the covariates of fit, in their order."
        )
    for name, known in zip(names, categories, strict=True):
        if known is None and not holds_numbers(frame[name]):
            raise ValueError(
                f"covariate {name!r} held numbers in fit and now holds {frame[name].iloc[0]!r}. "
                "Convert it: covariates[name].astype(float)."
            )
        odd = [] if known is None else frame.loc[~frame[name].isin(known), name].unique()
        if len(odd):
            raise UnknownCategoryError(
                f"covariate {name!r} holds {_some(map(repr, odd))}, which fit has not met; known "
                f"are {_some(map(repr, known), 5)}. Fit with samples of these categories, or leave "
                "the samples out."
            )
    return _encoded(frame, categories)


def check_not_confounded(covariates: Covariates, codes: np.ndarray) -> None:
    """Raise an error if the effects of covariates cannot be told from those of batches.

    Parameters
    ----------
    covariates : Covariates
        The covariates of the training samples.
    codes : ndarray of int of shape (n_samples,)
        Batch number of each sample.

    Raises
    ------
    ValueError
        If batches determine a covariate or one of its categories, or if covariates determine each
        other.
    """
    within, _ = _within_batches(covariates.design, codes)
    owners = covariates.owners()
    for j, name in enumerate(covariates.names):
        if not np.ptp(covariates.design[:, owners == j], axis=0).any():
            raise ValueError(
                f"covariate {name!r} is the same in all samples. Leave it out of covariates."
            )
        part = within[:, owners == j]
        if np.linalg.matrix_rank(part, tol=_ROUNDING) < part.shape[1]:
            raise ValueError(
                f"covariate {name!r} is confounded with batch: within the batches it does not vary "
                "enough to tell its effect from theirs. Leave it out of covariates (its effect is "
                "then removed with the batches), or add samples that share a batch and differ in "
                "it."
            )
    if np.linalg.matrix_rank(within, tol=_ROUNDING) < within.shape[1]:
        raise ValueError(
            f"The covariates {_some(covariates.names, 5)} are confounded: within the batches, some "
            "determine others. Leave one of them out."
        )


def effects_within_batches(X: np.ndarray, design: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Estimate the effects of covariates on columns by least squares, beside those of batches.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), dtype float64
        Some columns of a table; NaN is left out column by column.
    design : ndarray of shape (n_samples, n_numbers)
        Covariates as numbers.
    codes : ndarray of int of shape (n_samples,)
        Batch number of each sample.

    Returns
    -------
    ndarray of shape (n_numbers, n_features)
        Effects; 0 where the known values tell none.
    """
    effects = np.empty((design.shape[1], X.shape[1]))
    known = ~np.isnan(X)
    whole = known.all(axis=0)
    effects[:, whole] = _inverse(design, codes) @ X[:, whole]
    for j in np.flatnonzero(~whole):
        rows = known[:, j]
        effects[:, j] = _inverse(design[rows], codes[rows]) @ X[rows, j] if rows.any() else 0.0
    return effects


def _inverse(design: np.ndarray, codes: np.ndarray) -> np.ndarray:
    within, length = _within_batches(design, codes)
    return np.linalg.pinv(within, rcond=_ROUNDING) / length[:, None]


def _within_batches(design: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the design minus its means within batches, in columns of length 1, and the lengths.

    What is only rounding error becomes 0. With columns of one length, a small singular value means
    that columns depend on each other, and not that a unit is small.
    """
    within = design.astype(np.float64)
    for code in np.unique(codes):
        rows = codes == code
        within[rows] -= within[rows].mean(axis=0)
    size = np.abs(design).max(axis=0, initial=0)
    within[:, np.abs(within).max(axis=0, initial=0) <= _ROUNDING * size] = 0
    length = np.sqrt((within**2).sum(axis=0))
    length[length == 0] = 1
    return within / length, length


def _frame(covariates: Any, X: Any) -> pd.DataFrame:
    """Return covariates as a frame of the samples of X, or raise an error."""
    if isinstance(X, pd.DataFrame) and isinstance(covariates, pd.DataFrame | pd.Series):
        check_paired_samples(X, covariates, names=("X", "covariates"))
    elif isinstance(covariates, pd.DataFrame):
        check_column_names(covariates, "covariates")
    is_pandas = isinstance(covariates, pd.DataFrame | pd.Series)
    frame = pd.DataFrame(covariates if is_pandas else np.asarray(covariates)).infer_objects()
    if len(frame) != len(X):
        raise SampleMismatchError(
            f"covariates has {len(frame)} rows, X {len(X)} samples. Give one row for each sample."
        )
    for name, column in frame.items():
        missing = int(column.isna().sum())
        if missing:
            raise ValueError(
                f"covariate {name!r} is missing for {missing} samples. Fill it, or leave these "
                "samples out."
            )
        if holds_numbers(column) and not np.isfinite(column.to_numpy(np.float64)).all():
            raise ValueError(f"covariate {name!r} holds infinity. Correct it.")
    return frame


def _encoded(frame: pd.DataFrame, categories: list[Any]) -> Covariates:
    parts = [np.empty((len(frame), 0))]
    for (_, column), known in zip(frame.items(), categories, strict=True):
        if known is None:
            parts.append(column.to_numpy(np.float64)[:, None])
        else:
            values = column.to_numpy(object)[:, None]
            parts.append((values == known[None, 1:]).astype(np.float64))
    return Covariates(np.asarray(frame.columns, dtype=object), categories, np.hstack(parts))
