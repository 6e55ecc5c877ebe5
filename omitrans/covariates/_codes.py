"""Covariates as numbers for a network: codes of categories, standardised numbers."""

import warnings
from typing import Any

import numpy as np
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from omitrans.covariates._columns import CovariateTable, column_labels
from omitrans.covariates._expression_imputer import check_numeric_covariates
from omitrans.exceptions import UnknownCategoryWarning
from omitrans.utils._validation import _some


def fit_covariates(estimator: Any, table: CovariateTable) -> np.ndarray:
    """Learn the categories and scales of a table's covariates and return them as numbers.

    Parameters
    ----------
    estimator : estimator
        Gets ``category_encoder_`` and ``numeric_scaler_``; None where there are no such covariates.
    table : CovariateTable
        The training samples.

    Returns
    -------
    ndarray of shape (n_samples, n_categorical + n_numeric), float32
        See :func:`encode_covariates`.
    """
    estimator.category_encoder_ = estimator.numeric_scaler_ = None
    if table.categorical.shape[1]:
        encoder = OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=-1,
            encoded_missing_value=-1,
            dtype=np.float32,
        )
        # arrays, whatever sklearn.set_config says of transform_output
        encoder.set_output(transform="default").fit(table.categorical)
        estimator.category_encoder_ = encoder
    if table.numeric.shape[1]:
        check_numeric_covariates(estimator, table.numeric)
        scaler = StandardScaler().set_output(transform="default")
        estimator.numeric_scaler_ = scaler.fit(table.numeric)
    return encode_covariates(estimator, table)


def encode_covariates(estimator: Any, table: CovariateTable) -> np.ndarray:
    """Return covariates as numbers, and warn of categories that fit has not met.

    Parameters
    ----------
    estimator : estimator
        After :func:`fit_covariates`.
    table : CovariateTable
        Samples.

    Returns
    -------
    ndarray of shape (n_samples, n_categorical + n_numeric), float32
        Categories as 1, 2, ..., with 0 for those unknown or missing; then the numbers with the mean
        0 and standard deviation 1 of the training samples, and 0 where missing.
    """
    parts = [np.empty((len(table.expression), 0), dtype=np.float32)]
    if estimator.category_encoder_ is not None:
        codes = estimator.category_encoder_.transform(table.categorical) + 1
        _warn_of_unknown(estimator, table.categorical, codes)
        parts.append(codes)
    if estimator.numeric_scaler_ is not None:
        scaled = estimator.numeric_scaler_.transform(table.numeric)
        parts.append(np.nan_to_num(scaled, nan=0.0).astype(np.float32))
    return np.concatenate(parts, axis=1)


def categories_of(estimator: Any) -> list[np.ndarray]:
    """Return the categories of each categorical covariate, without "missing".

    Parameters
    ----------
    estimator : estimator
        After :func:`fit_covariates`.

    Returns
    -------
    list of ndarray
        In the order of their codes, which begin at 1.
    """
    if estimator.category_encoder_ is None:
        return []
    return [
        np.array([value for value in known if value == value], dtype=object)
        for known in estimator.category_encoder_.categories_
    ]


def _warn_of_unknown(estimator: Any, categories: np.ndarray, codes: np.ndarray) -> None:
    for j, name in enumerate(column_labels(estimator, "categorical")):
        odd = [value for value in categories[codes[:, j] == 0, j] if value == value]
        if odd:
            warnings.warn(
                f"Covariate {name!r} holds {len(set(odd))} categories that fit has not met "
                f"({_some(sorted(set(map(str, odd))))}), in {len(odd)} of {len(codes)} samples. "
                "They are imputed as an unknown category.",
                UnknownCategoryWarning,
                stacklevel=6,  # the caller of transform, which scikit-learn wraps
            )
