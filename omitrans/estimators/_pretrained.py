"""Transfer learning: find the pretrained model, match its features, and copy its weights."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from omitrans.engine import (
    OmicsNet,
    freeze_weights,
    shared_features,
    transfer_state,
)
from omitrans.exceptions import FeatureMismatchError
from omitrans.persistence import load
from omitrans.utils._fingerprint import fingerprint


def find_pretrained(estimator: Any) -> Any:
    """Return the fitted model that `estimator` starts from, or None.

    Parameters
    ----------
    estimator : TorchRegressor
        The model in fit. Its ``pretrained`` is None, a fitted model of the same class, a
        :class:`~sklearn.frozen.FrozenEstimator` of such a model, or the path of a saved model.

    Returns
    -------
    TorchRegressor or None
        The fitted model.

    Raises
    ------
    ValueError
        If ``pretrained`` is anything else, or if it is None and `carry_optimizer` or `freeze` is
        given.
    NotFittedError
        If the pretrained model is not fitted.
    """
    source = estimator.pretrained
    if source is None:
        for name in ("carry_optimizer", "freeze"):
            if getattr(estimator, name):
                raise ValueError(
                    f"{name}={getattr(estimator, name)!r} says how to go on from a pretrained "
                    "model, but pretrained is None. Give a fitted model, or leave it out."
                )
        return None
    if isinstance(source, str | Path):
        source = load(source)
    if isinstance(source, FrozenEstimator):
        source = source.estimator
    if type(source) is not type(estimator):
        raise ValueError(
            f"The 'pretrained' parameter of {type(estimator).__name__} must be a fitted model of "
            f"the same class, or the path of a saved one. Got {type(source).__name__} instead."
        )
    check_is_fitted(
        source,
        ["net_", "network_share_"],
        all_or_any=any,
        msg="pretrained=%(name)s is not fitted. Fit it first.",
    )
    if not hasattr(source, "net_"):
        raise ValueError(
            f"pretrained={type(source).__name__} holds no network to start from: it was fitted "
            "with speed='fast', or on too few samples for networks. Fit it with speed='full' on "
            "more samples, or with backbone=None, or fit without pretrained."
        )
    return source


def start_from(source: Any, estimator: Any, net: OmicsNet, number: int = 0) -> tuple[int, int]:
    """Copy the weights of `source` to `net` for all shared features, and freeze some weights.

    Parameters
    ----------
    source : TorchRegressor
        The fitted model.
    estimator : TorchRegressor
        The model in fit, whose feature and target names are known.
    net : OmicsNet
        The net of `estimator`, initialised and prepared.
    number : int, default=0
        Number of the net, which starts from the net of `source` of the same number. If `source` has
        fewer, they are taken in turn.

    Returns
    -------
    tuple of int
        Number of source features and number of target features that the two models share.
    """
    shared = {
        "source": _match(_source_names(source), _source_names(estimator), "X", "feature_names_in_"),
        "target": _match(_target_names(source), _target_names(estimator), "Y", "target_names_"),
    }
    moments = None
    if estimator.carry_optimizer:
        if not hasattr(source, "_optimizer_moments"):
            raise ValueError(
                "carry_optimizer=True goes on with the optimizer of pretrained, which did not keep "
                "it. Fit that with keep_optimizer=True, or use carry_optimizer=False."
            )
        kept = source._optimizer_moments
        kept = kept[number % len(kept)] if isinstance(kept, list) else kept
        moments = {
            network: {name: torch.as_tensor(value) for name, value in values.items()}
            for network, values in kept.items()
        }
    nets = getattr(source, "networks_", [source.net_])
    transfer_state(net, nets[number % len(nets)].modules_state(), moments, shared)
    if estimator.freeze:
        layers = [estimator.freeze] if isinstance(estimator.freeze, str) else estimator.freeze
        freeze_weights(net.module_, layers)
    return len(shared["source"].now), len(shared["target"].now)


def fingerprint_of(source: Any) -> str | None:
    """Return a short name of what :func:`start_from` takes from a fitted model; None without."""
    if source is None:
        return None
    moments = getattr(source, "_optimizer_moments", None)
    weights: Any = source.net_.weights_as_arrays()
    if hasattr(source, "networks_"):
        weights = [net.weights_as_arrays() for net in source.networks_]
    return fingerprint(weights, moments, _source_names(source), _target_names(source))


def _match(before: Any, now: Any, table: str, attribute: str) -> Any:
    """Match features by name, or by position if a table has no names."""
    names = [side for side in (before, now) if not isinstance(side, int)]
    if len(names) < 2:
        counts = [side if isinstance(side, int) else len(side) for side in (before, now)]
        if counts[0] != counts[1]:
            raise FeatureMismatchError(
                f"{table} has {counts[1]} columns where pretrained was trained on {counts[0]}, and "
                "they cannot be matched without names. Give frames in both trainings, or the "
                f"columns of pretrained.{attribute}, in order."
            )
        before = now = range(counts[0])
    shared = shared_features(np.asarray(before), np.asarray(now))
    if not len(shared.now):
        raise FeatureMismatchError(
            f"{table} shares none of its {shared.n_now} columns (first: {now[0]!r}) with "
            f"pretrained (first: {before[0]!r}). Are these ids of the same kind?"
        )
    return shared


def _source_names(model: Any) -> Any:
    return getattr(model, "feature_names_in_", model.n_features_in_)


def _target_names(model: Any) -> Any:
    """Return the names of the targets, or their number if fit made the names up."""
    names = model.target_names_
    made_up = all(name == f"y{i}" for i, name in enumerate(names))
    return len(names) if made_up else names
