"""Checks of a pair of real and predicted tables, which keep the labels and copy nothing."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import check_array

from omitrans.exceptions import FeatureMismatchError, SampleMismatchError
from omitrans.utils._validation import refuse_labelled_array


class TablePair(NamedTuple):
    """Real and predicted values of the same samples and features.

    Attributes
    ----------
    truth, prediction : ndarray of shape (n_samples, n_features)
        The values in the dtype of the given tables.
    samples, features : pandas.Index or None
        Labels of the real table or, if it has none, of the predicted table; None if both have
        none.
    """

    truth: np.ndarray
    prediction: np.ndarray
    samples: pd.Index | None
    features: pd.Index | None


def check_tables(Y_true: Any, Y_pred: Any) -> TablePair:
    """Return both tables as arrays, or raise if their samples or features differ.

    Parameters
    ----------
    Y_true, Y_pred : array-like, DataFrame or Series, (n_samples, n_features) or (n_samples,)
        Real and predicted values. A one-dimensional table holds one feature.

    Returns
    -------
    TablePair
        The values and their labels.

    Raises
    ------
    SampleMismatchError, FeatureMismatchError
        If shapes or labels differ.
    ValueError
        If a value is NaN or infinite.
    """
    refuse_labelled_array(Y_true, "Y_true")
    refuse_labelled_array(Y_pred, "Y_pred")
    if isinstance(Y_true, pd.DataFrame) and isinstance(Y_pred, pd.DataFrame):
        check_labels(Y_true.columns, Y_pred.columns, axis="columns")
    if _is_pandas(Y_true) and _is_pandas(Y_pred):
        check_labels(Y_true.index, Y_pred.index, axis="index")
    truth, prediction = _to_array(Y_true, "Y_true"), _to_array(Y_pred, "Y_pred")
    _check_same_shape(truth, prediction)
    samples, features = _labels(Y_true if _is_pandas(Y_true) else Y_pred)
    _check_finite(truth, features, "Y_true")
    _check_finite(prediction, features, "Y_pred")
    return TablePair(truth, prediction, samples, features)


def _is_pandas(table: Any) -> bool:
    return isinstance(table, pd.DataFrame | pd.Series)


def _to_array(table: Any, name: str) -> np.ndarray:
    values = check_array(
        table, ensure_2d=False, ensure_all_finite=False, dtype="numeric", input_name=name
    )
    return values.reshape(-1, 1) if values.ndim == 1 else values


def _labels(table: Any) -> tuple[pd.Index | None, pd.Index | None]:
    if isinstance(table, pd.Series):
        table = table.to_frame()
    return (table.index, table.columns) if isinstance(table, pd.DataFrame) else (None, None)


def _check_same_shape(truth: np.ndarray, prediction: np.ndarray) -> None:
    if len(truth) != len(prediction):
        raise SampleMismatchError(
            f"Y_true holds {len(truth)} samples and Y_pred {len(prediction)}. "
            "Predict the samples of Y_true, all of them and in their order."
        )
    if truth.shape[1] != prediction.shape[1]:
        raise FeatureMismatchError(
            f"Y_true holds {truth.shape[1]} features and Y_pred {prediction.shape[1]}. "
            "Keep the features that the model was fitted on, in their order."
        )


def check_labels(
    first: pd.Index,
    second: pd.Index,
    *,
    axis: str,
    names: tuple[str, str] = ("Y_true", "Y_pred"),
) -> None:
    """Raise unless two tables have the same labels in the same order.

    Parameters
    ----------
    first, second : pandas.Index
        Labels of the two tables.
    axis : {"index", "columns"}
        Whether the labels are samples ("index") or features ("columns").
    names : (str, str), default=("Y_true", "Y_pred")
        Names of the two tables in the message.
    """
    if first.equals(second):
        return
    one, other = names
    samples = axis == "index"
    error = SampleMismatchError if samples else FeatureMismatchError
    what = "samples" if samples else "features"
    only_first, only_second = first.difference(second), second.difference(first)
    if len(only_first) or len(only_second):
        found = (
            f"hold different {what}: {len(only_first)} only in {one} {list(only_first[:3])}, "
            f"{len(only_second)} only in {other} {list(only_second[:3])}"
        )
        label = "index" if samples else "columns"
        cure = (
            f"Keep the shared ones in both; if only the labels of {other} are lost, set "
            f"{other}.{label} = {one}.{label}"
        )
        if other == "Y_pred":
            cure += ", or predict with omitrans.predict_frame"
    else:
        found = f"hold the same {what} in another order, or a different number of times"
        cure = f"Sort one of them: {other} = {other}.reindex({axis}={one}.{axis})"
    raise error(f"{one} and {other} {found}. {cure}.")


def _check_finite(values: np.ndarray, features: pd.Index | None, name: str) -> None:
    """Raise if features hold NaN or infinite values, and name them; builds no full-size mask."""
    if not np.issubdtype(values.dtype, np.floating):
        return
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum(dtype=np.float64)):
            return
        bad = np.flatnonzero(~np.isfinite(values.sum(axis=0, dtype=np.float64)))
    if not len(bad):
        return
    named = bad if features is None else features[bad]
    raise ValueError(
        f"{name} contains NaN or infinite values in {len(bad)} of {values.shape[1]} features "
        f"(first: {', '.join(map(str, named[:3]))}), and the metrics need every value. "
        "Fill them, or drop these features from both tables."
    )
