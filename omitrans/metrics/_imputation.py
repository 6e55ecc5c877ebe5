"""Metrics of imputed values: R² and errors over hidden entries only."""

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import check_array

from omitrans.exceptions import FeatureMismatchError, SampleMismatchError
from omitrans.metrics._tables import check_labels
from omitrans.utils._blocks import CACHE_VALUES, rows_per_block
from omitrans.utils._sklearn import StrOptions, validate_params
from omitrans.utils._validation import refuse_labelled_array

REFERENCES = ("observed", "hidden")

_TABLES = {"Y_true": ["array-like"], "Y_imputed": ["array-like"], "hidden": ["array-like"]}


class _HiddenEntries(NamedTuple):
    """Real and imputed values, a mask of the hidden entries, and the labels."""

    truth: np.ndarray
    imputed: np.ndarray
    hidden: np.ndarray
    samples: pd.Index | None
    features: pd.Index | None


@validate_params(
    {**_TABLES, "reference": [StrOptions(set(REFERENCES))]}, prefer_skip_nested_validation=True
)
def masked_r2_per_feature(
    Y_true: Any, Y_imputed: Any, hidden: Any, *, reference: str = "observed"
) -> np.ndarray | pd.Series:
    """Compute R² of every feature over the entries that were hidden.

    Parameters
    ----------
    Y_true : array-like or DataFrame of shape (n_samples, n_features)
        Real values, e.g. log2(TPM + 1). NaN marks an unknown value, which never counts.
    Y_imputed : array-like or DataFrame of the same shape
        The imputed table.
    hidden : array-like or DataFrame of bool, of the same shape
        True where a value was hidden from the imputer.
    reference : {"observed", "hidden"}, default="observed"
        The constant prediction that R² compares with: "observed" takes the mean of the feature's
        values that were not hidden, as published; "hidden" takes the mean of its hidden values, as
        in :func:`~omitrans.metrics.r2_per_feature`.

    Returns
    -------
    ndarray or Series of shape (n_features,)
        R², at most 1 and without a lower bound; a Series named ``"r2"`` if a table is a frame.
        R² is NaN for a feature with fewer than two hidden values, for a feature whose hidden
        values all equal the reference and, with "observed", for a feature whose known values are
        all hidden.

    Raises
    ------
    SampleMismatchError, FeatureMismatchError
        If the tables differ in shape or labels.
    ValueError
        If no known value is hidden, if `hidden` is not boolean, or if an imputed value at a hidden
        entry is NaN or infinite.

    Warns
    -----
    UndefinedMetricWarning
        If R² is NaN for every feature.

    See Also
    --------
    masked_rmse : The root mean squared error.
    masked_r2_by_group : R² of every feature within each tissue.

    Notes
    -----
    R² over several tissues depends strongly on how the values were normalised, because the tissue
    alone explains most of their variance.

    References
    ----------
    R. Viñas et al., "Deep learning enables fast and accurate imputation of gene expression",
    section 4.1. Tables 1 and 2 show the mean of this R² over features.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.metrics import masked_r2_per_feature
    >>> Y = np.array([[1.0, 5.0], [2.0, 6.0], [3.0, 7.0], [4.0, 8.0]])
    >>> hidden = np.array([[True, False], [True, True], [False, False], [False, True]])
    >>> masked_r2_per_feature(Y, Y + 0.5 * hidden, hidden)
    array([0.94117647, 0.875     ])
    """
    entries = _check_entries(Y_true, Y_imputed, hidden)
    r2 = _r2(entries, reference)
    if np.isnan(r2).all():
        warnings.warn(
            "R² over hidden entries is NaN for every feature: none has two hidden values that "
            "differ and one that is not hidden.",
            UndefinedMetricWarning,
            stacklevel=3,
        )
    return r2 if entries.features is None else pd.Series(r2, entries.features, name="r2")


@validate_params(_TABLES, prefer_skip_nested_validation=True)
def masked_rmse(Y_true: Any, Y_imputed: Any, hidden: Any) -> float:
    """Compute the root mean squared error over the entries that were hidden.

    Parameters
    ----------
    Y_true, Y_imputed, hidden : array-like or DataFrame of shape (n_samples, n_features)
        Real values, imputed values and the mask of hidden entries, as for
        :func:`masked_r2_per_feature`.

    Returns
    -------
    float
        The error over all hidden entries together, in the unit of the tables.

    Raises
    ------
    SampleMismatchError, FeatureMismatchError, ValueError
        For the same reasons as :func:`masked_r2_per_feature`.

    Examples
    --------
    >>> from omitrans.metrics import masked_rmse
    >>> masked_rmse([[1.0, 5.0]], [[1.5, 9.0]], [[True, False]])
    0.5
    """
    entries = _check_entries(Y_true, Y_imputed, hidden)
    total, count = 0.0, 0
    for truth, imputed, part in _blocks(entries):
        total += float(np.square(truth[part] - imputed[part]).sum())
        count += int(part.sum())
    return float(np.sqrt(total / count))


@validate_params(
    {**_TABLES, "groups": ["array-like"], "reference": [StrOptions(set(REFERENCES))]},
    prefer_skip_nested_validation=True,
)
def masked_r2_by_group(
    Y_true: Any, Y_imputed: Any, hidden: Any, groups: Any, *, reference: str = "observed"
) -> pd.DataFrame:
    """Compute R² of every feature over hidden entries within each group of samples.

    Parameters
    ----------
    Y_true, Y_imputed, hidden : array-like or DataFrame of shape (n_samples, n_features)
        Real values, imputed values and the mask of hidden entries, as for
        :func:`masked_r2_per_feature`.
    groups : array-like or Series of shape (n_samples,)
        The group of every sample, such as its tissue.
    reference : {"observed", "hidden"}, default="observed"
        The constant prediction that R² compares with, as for :func:`masked_r2_per_feature`. Its
        mean is computed within the group, so differences between groups do not raise R².

    Returns
    -------
    DataFrame of shape (n_features, n_groups)
        R² of every feature in every group; NaN if the group has too few values of the feature.

    Raises
    ------
    SampleMismatchError, FeatureMismatchError, ValueError
        For the same reasons as :func:`masked_r2_per_feature`, and if `groups` has another length
        or index, or is missing for a sample.

    See Also
    --------
    omitrans.displays.GroupR2Display : A box plot of R² by group.

    References
    ----------
    R. Viñas et al., "Deep learning enables fast and accurate imputation of gene expression",
    Figure 2.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.metrics import masked_r2_by_group
    >>> Y = np.array([[1.0], [2.0], [3.0], [5.0], [6.0], [7.0]])
    >>> hidden = np.array([[True], [True], [False]] * 2)
    >>> masked_r2_by_group(Y, Y + 0.5, hidden, ["lung"] * 3 + ["liver"] * 3)
       liver  lung
    0    0.9   0.9
    """
    entries = _check_entries(Y_true, Y_imputed, hidden)
    labels = _check_groups(groups, entries)
    columns = {}
    for group in np.unique(labels).tolist():
        columns[group] = _r2(entries, reference, np.flatnonzero(labels == group))
    return pd.DataFrame(columns, index=entries.features)


def _check_groups(groups: Any, entries: _HiddenEntries) -> np.ndarray:
    if isinstance(groups, pd.Series) and entries.samples is not None:
        check_labels(entries.samples, groups.index, axis="index", names=("Y_true", "groups"))
    labels = np.asarray(groups)
    if labels.shape != (len(entries.truth),):
        raise SampleMismatchError(
            f"groups has the shape {labels.shape} for {len(entries.truth)} samples. Give one group "
            "a sample."
        )
    if pd.isna(labels).any():
        raise ValueError(
            f"groups is missing for {int(pd.isna(labels).sum())} samples. Give them a group of "
            "their own, or leave these samples out."
        )
    return labels


def _check_entries(Y_true: Any, Y_imputed: Any, hidden: Any) -> _HiddenEntries:
    """Return the tables as arrays, or raise if their samples or features differ."""
    given = {"Y_true": Y_true, "Y_imputed": Y_imputed, "hidden": hidden}
    for name, table in given.items():
        refuse_labelled_array(table, name)
    frames = {name: table for name, table in given.items() if isinstance(table, pd.DataFrame)}
    first = next(iter(frames), None)
    for name, table in frames.items():
        reference, names = frames[str(first)], (str(first), name)
        check_labels(reference.columns, table.columns, axis="columns", names=names)
        check_labels(reference.index, table.index, axis="index", names=names)
    with np.errstate(invalid="ignore"):  # R's NA is a NaN that signals
        arrays = [
            check_array(table, ensure_all_finite="allow-nan", input_name=name)
            for name, table in given.items()
        ]
    for name, array in zip(given, arrays, strict=True):
        if array.shape != arrays[0].shape:
            axis = int(len(array) == len(arrays[0]))
            raise (SampleMismatchError, FeatureMismatchError)[axis](
                f"Y_true has the shape {arrays[0].shape} and {name} {array.shape}. Give the same "
                "samples and features in the same order."
            )
    truth, imputed, mask = arrays
    if mask.dtype != bool:
        raise ValueError(f"hidden must be boolean, True where hidden; found {mask.dtype}.")
    labels = (None, None) if first is None else (frames[first].index, frames[first].columns)
    entries = _HiddenEntries(truth, imputed, mask, *labels)
    n_counted = 0
    for _, filled, part in _blocks(entries):
        n_counted += int(part.sum())
        if not np.isfinite(filled[part]).all():
            raise ValueError(
                "Y_imputed contains NaN or infinite values at hidden entries, which the metrics "
                "need. Check that the imputer fills every hole."
            )
    if n_counted == 0:
        raise ValueError("hidden marks no entry whose real value is known: nothing to measure.")
    return entries


def _blocks(
    entries: _HiddenEntries, rows: np.ndarray | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield real values (float64), imputed values and a mask of the entries that count."""
    rows = np.arange(len(entries.truth)) if rows is None else rows
    step = rows_per_block(entries.truth.shape[1], CACHE_VALUES)
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        truth = entries.truth[block].astype(np.float64)
        yield truth, entries.imputed[block], entries.hidden[block] & ~np.isnan(truth)


def _r2(entries: _HiddenEntries, reference: str, rows: np.ndarray | None = None) -> np.ndarray:
    """Return R² of every feature over some samples, in two passes over their rows."""
    n_features = entries.truth.shape[1]
    hidden_counts, counts, sums = np.zeros((3, n_features))
    for truth, _, part in _blocks(entries, rows):
        hidden_counts += part.sum(axis=0)
        of_reference = part if reference == "hidden" else ~part & ~np.isnan(truth)
        counts += of_reference.sum(axis=0)
        sums += truth.sum(axis=0, where=of_reference)
    with np.errstate(invalid="ignore"):
        centre = sums / counts
    residual, total = np.zeros((2, n_features))
    for truth, imputed, part in _blocks(entries, rows):
        residual += np.square(truth - imputed).sum(axis=0, where=part)
        total += np.square(truth - centre).sum(axis=0, where=part)
    defined = (hidden_counts >= 2) & (total > 0)
    return 1 - np.divide(residual, total, out=np.full(n_features, np.nan), where=defined)
