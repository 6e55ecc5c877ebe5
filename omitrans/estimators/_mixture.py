"""Predictions of a backbone and the networks beside it, mixed by the share of the networks."""

from typing import Any

import numpy as np

from omitrans.baselines import MultiKernelRidgeRegressor
from omitrans.engine import has_dropout
from omitrans.estimators._backbone import takes
from omitrans.utils._even import predict_evenly


def check_deviation(model: Any) -> None:
    """Raise an error if neither the backbone nor the networks give a standard deviation.

    Parameters
    ----------
    model : OmiTransRegressor
        A fitted model with a backbone.
    """
    by_networks = model.network_share_.any() and has_dropout(model.net_)
    if not by_networks and not takes(model.backbone_.predict, "return_std"):
        raise ValueError(
            "return_std=True needs a backbone that predicts standard deviations, or networks with "
            f"dropout that have a share in the predictions, and this {type(model).__name__} has "
            "neither. Take the disagreement of several models: "
            "omitrans.trust.TrustedRegressor(model, ensemble=True)."
        )


def mixed_prediction(
    model: Any, X: Any, source: np.ndarray, n_draws: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the predictions of a model with a backbone.

    Parameters
    ----------
    model : OmiTransRegressor
        The fitted model.
    X : array-like or DataFrame of shape (n_samples, n_features)
        The table as it was given to predict.
    source : ndarray of shape (n_samples, n_features)
        The same table, checked.
    n_draws : int
        Number of thinned networks; 0 if no standard deviation is wanted.

    Returns
    -------
    predicted, deviation : ndarray of shape (n_samples, n_targets)
        Predictions in the dtype of `source`, and their standard deviations; None without.
    """
    predicted, deviation = _of_backbone(model, X, source, wanted=n_draws > 0)
    predicted = model._limited(predicted)  # as both were when the networks were judged
    share = model.network_share_.astype(source.dtype)
    if not share.any():
        return predicted, deviation
    draws = n_draws if has_dropout(model.net_) else 0
    profiles, spread = model._predict_with(model.networks_, source, draws)
    predicted += share * (model._limited(profiles) - predicted)
    if n_draws:
        parts = [
            weight * part
            for weight, part in ((1 - share, deviation), (share, spread))
            if part is not None
        ]
        deviation = parts[0] if len(parts) == 1 else np.hypot(*parts)
    return predicted, deviation


def _of_backbone(
    model: Any, X: Any, source: np.ndarray, *, wanted: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return predictions of the backbone, and their standard deviations if it gives them."""
    deviation = None
    if wanted and takes(model.backbone_.predict, "return_std"):
        predicted, deviation = model.backbone_.predict(X, return_std=True)
    else:
        predicted = predict_evenly(model.backbone_, X)
    # other backbones may return X itself, or a table that they keep
    is_new = isinstance(model.backbone_, MultiKernelRidgeRegressor)
    as_own_array = np.asarray if is_new else np.array

    def checked(table: Any) -> np.ndarray:
        return as_own_array(table, source.dtype).reshape(len(source), model.n_targets_)

    return checked(predicted), None if deviation is None else checked(deviation)
