"""Predictions as tables labelled with the names of samples and targets."""

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binom
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from omitrans.annotation import check_locations
from omitrans.exceptions import DomainShiftWarning
from omitrans.utils._callers import user_level
from omitrans.utils._interval_columns import interval_columns, interval_table
from omitrans.utils._validation import check_unique, refuse_labelled_array
from omitrans.utils._wrapped import as_seen_by, find_attribute, find_layer, layers

# a warning needs flags that samples of the training cohort's kind get with less than this chance
_CHANCE = 0.01


def predict_frame(
    model: Any,
    X: Any,
    *,
    target_names: Iterable[Any] | None = None,
    intervals: float | None = None,
) -> pd.DataFrame:
    """Predict, and return a table labelled with sample and target names.

    Parameters
    ----------
    model : fitted estimator
        An estimator of this package or any scikit-learn regressor, alone or wrapped in any nesting
        of Pipelines, searches, :class:`~sklearn.compose.TransformedTargetRegressor` and the
        wrappers of this package.
    X : DataFrame or array-like of shape (n_samples, n_features)
        Source profiles with the columns seen in fit. The predictions keep the index of a DataFrame.
    target_names : iterable of length n_targets, default=None
        Names of the predicted columns, for models that do not know them: the models of scikit-learn
        keep no target names.
    intervals : float, default=None
        Level of prediction intervals; with 0.9 they contain 90 % of the real values of new samples.
        The model must carry a trust card (:class:`omitrans.trust.TrustedRegressor`).

    Returns
    -------
    DataFrame of shape (n_samples, n_targets) or (n_samples, 3 * n_targets)
        Predictions of ``model.predict(X)``, in the same dtype, with one row per sample and one
        column per target. With `intervals`, each target is followed by the columns
        ``<target>_lower`` and ``<target>_upper``.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    ValueError
        If the target names are unknown, or their number differs from that of the targets; if
        intervals are requested from a model without a trust card; or if the name of a target equals
        the name of the limit of another target.

    Warns
    -----
    DomainShiftWarning
        If the model knows its training cohort, and more samples are unlike it than are expected by
        chance, or one sample is far more unlike it. These samples are still predicted.
    UserWarning
        If intervals are infinite, because the training samples are too few for the level.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import Ridge
    >>> from omitrans import predict_frame
    >>> X = pd.DataFrame({"cg01": [0.1, 0.9, 0.5]}, index=["s1", "s2", "s3"])
    >>> Y = pd.DataFrame({"geneA": [1.0, 3.0, 2.0], "geneB": [0.0, 0.0, 0.0]}, index=X.index)
    >>> predict_frame(Ridge(alpha=0.0).fit(X, Y), X, target_names=Y.columns).round(2)
        geneA  geneB
    s1    1.0    0.0
    s2    3.0    0.0
    s3    2.0    0.0
    """
    return predict_and_judge(model, X, target_names=target_names, intervals=intervals)[0]


def predict_and_judge(
    model: Any,
    X: Any,
    *,
    target_names: Iterable[Any] | None = None,
    intervals: float | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return the result of :func:`predict_frame`, and the shift report of the samples.

    Parameters
    ----------
    model, X, target_names, intervals
        See :func:`predict_frame`.

    Returns
    -------
    predictions : DataFrame
        Predictions labelled with sample and target names.
    shift : DataFrame or None
        Result of ``shift_report`` of the model; None if the model does not know its training
        cohort.
    """
    check_is_fitted(model)
    refuse_labelled_array(X, "X")
    names = pd.Index(_names_to_use(model) if target_names is None else target_names)
    card = None if intervals is None else _trust_card(model)
    half_width = None if card is None else card.half_width(intervals)
    predicted, shift = _predict(model, X)
    predicted = predicted.reshape(len(predicted), -1)
    if len(names) != predicted.shape[1]:
        raise ValueError(
            f"The model predicts {predicted.shape[1]} targets, but there are {len(names)} target "
            "names. Give one for each column of the y of fit: target_names=y.columns."
        )
    index = X.index if isinstance(X, pd.DataFrame) else None
    if shift is not None:
        _warn_of_shift(shift, find_attribute(model, "shift_detector_").false_positive_rate)
    if card is None or half_width is None:
        return pd.DataFrame(predicted, index=index, columns=names), shift
    half = half_width.to_numpy(dtype=predicted.dtype)
    if np.isinf(half).any():
        _warn_of_infinite_intervals(card, intervals)
    columns = interval_columns(names)
    check_unique(
        columns,
        what="the names of the targets, followed by _lower and _upper,",
        cure="Give others: target_names=...",
    )
    table = interval_table(predicted, predicted - half, predicted + half)
    return pd.DataFrame(table, index=index, columns=columns, copy=False), shift


def _predict(model: Any, X: Any) -> tuple[np.ndarray, pd.DataFrame | None]:
    """Predict, and make the shift report if the model, or one that it wraps, can do so."""
    judge = find_layer(model, "predict_with_shift")
    if judge is None or judge.shift_detector_ is None:
        return np.asarray(model.predict(X)), None
    seen = as_seen_by(judge, model, X)
    changed = [layer.has_own_targets for layer in layers(model) if layer.model is judge]
    if changed[0]:  # what it predicts is not yet what the model predicts
        return np.asarray(model.predict(X)), judge.shift_report(seen)
    return judge.predict_with_shift(seen)


def _trust_card(model: Any) -> Any:
    card = find_attribute(model, "trust_card_", of_targets=True)
    if card is None:
        raise ValueError(
            f"intervals need a trust card, and this {type(model).__name__} carries none. Fit "
            "omitrans.trust.TrustedRegressor(model), which makes one by cross-validation."
        )
    return card


def _warn_of_infinite_intervals(card: Any, level: float | None) -> None:
    n_samples = card.facts.get("n_samples", 0)
    warnings.warn(
        f"The intervals are infinite: {n_samples} training samples are too few for a level of "
        f"{level}, and allow at most {n_samples / (n_samples + 1):.3f}.",
        UserWarning,
        stacklevel=user_level(),
    )


def _warn_of_shift(shift: pd.DataFrame, rate: float) -> None:
    """Warn if more samples are flagged than by chance, or one is flagged very clearly."""
    n_samples, n_shifted = len(shift), int(shift["shifted"].sum())
    many = binom.sf(n_shifted - 1, n_samples, rate) < _CHANCE
    far = shift["p_value"].min() < _CHANCE / n_samples
    if n_shifted and (many or far):
        first = shift["p_value"].idxmin()
        warnings.warn(
            f"{n_shifted} of {n_samples} samples are unlike those that the model was trained on "
            f"(by chance about {rate * n_samples:.2g} would be; farthest: {first}). Their "
            "predictions may be wrong, and intervals too narrow. model.shift_report(X) lists them.",
            DomainShiftWarning,
            stacklevel=user_level(),
        )


def _names_to_use(model: Any) -> Any:
    """Return the target names that a fitted model knows; raise an error if it knows none."""
    names = known_target_names(model)
    if names is None:
        predicts = [layer.model for layer in layers(model) if not layer.has_own_targets][-1]
        raise ValueError(
            f"{type(predicts).__name__} does not keep the names of its targets. "
            "Give the columns of the y of fit: target_names=y.columns."
        )
    return names


def known_target_names(model: Any) -> Any:
    """Return the names of the targets of a fitted model.

    Parameters
    ----------
    model : estimator
        Fitted model.

    Returns
    -------
    sequence of str or None
        Names of the targets, or None if the model does not know them.
    """
    names = find_attribute(model, "target_names_", of_targets=True)
    if names is not None:
        return names
    for layer in layers(model):
        if isinstance(layer.model, TransformedTargetRegressor):
            # its regressor sees y without names, so only the transformer can know them
            return _described_columns(layer.model.transformer_)
    return None


def _described_columns(transformer: Any) -> Any:
    """Return the names of the columns that a transformer was fitted on, or None."""
    if isinstance(transformer, Pipeline):
        return _described_columns(transformer[0])
    if hasattr(transformer, "feature_names_in_"):
        return transformer.feature_names_in_
    annotation = getattr(transformer, "annotation", None)
    return None if annotation is None else check_locations(annotation).index
