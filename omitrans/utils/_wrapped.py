"""Look into models that wrap other models, and pass groups through them in fit.

A model may be wrapped in several ways, in any nesting. Each wrapper keeps the fitted model in its
own place:

- a :class:`~sklearn.pipeline.Pipeline` in its last step;
- a search, such as :class:`~sklearn.model_selection.GridSearchCV`, in ``best_estimator_``;
- :class:`omitrans.trust.TrustedRegressor` in ``estimator_``, as its class attribute
  ``_fitted_model_in`` says: the ``estimator_`` of others may be an unfitted pattern, as in forests,
  or read other columns, as in :class:`~sklearn.feature_selection.RFE`;
- :class:`~sklearn.compose.TransformedTargetRegressor` and
  :class:`omitrans.pipelines.AlignedTargetRegressor` in ``regressor_``; inside them the targets
  have other values, another order or no names;
- :class:`~sklearn.frozen.FrozenEstimator` in ``estimator``.
"""

import inspect
from collections.abc import Iterator
from typing import Any, NamedTuple

from sklearn import get_config
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import MetadataRouter, get_routing_for_object


class Layer(NamedTuple):
    """A model, or one of the models that it wraps.

    Attributes
    ----------
    model : estimator
        Model of this layer.
    where : str
        Place of the model in the layer around it: the name of an attribute or, in a Pipeline, of a
        step. Empty for the outermost layer.
    has_own_targets : bool
        Whether an outer layer transforms the targets, so that names, order, unit and errors of the
        targets in this layer do not hold for the outermost model.
    """

    model: Any
    where: str
    has_own_targets: bool


def layers(model: Any) -> list[Layer]:
    """Return a model and the models that it wraps, from the outermost to the innermost.

    Parameters
    ----------
    model : estimator
        Fitted model; for an unfitted model, only the layers that it already holds are returned.

    Returns
    -------
    list of Layer
        Layers; the first is the model itself, the last is the model that does the work.
    """
    found = [Layer(model, "", False)]
    while (inside := _inside(found[-1].model)) is not None:
        where, inner = inside
        own = found[-1].has_own_targets or where == "regressor_"
        found.append(Layer(inner, where, own))
    return found


def _inside(model: Any) -> tuple[str, Any] | None:
    """Return the place of the wrapped model and that model; None if a model wraps none."""
    if isinstance(model, FrozenEstimator):  # looked at first: it shows the attributes of the other
        return "estimator", model.estimator
    if isinstance(model, Pipeline):
        name, last = model.steps[-1]
        return None if last is None or isinstance(last, str) else (name, last)
    names = [getattr(model, "_fitted_model_in", ""), "best_estimator_", "regressor_"]
    return next(((name, getattr(model, name)) for name in names if hasattr(model, name)), None)


def parts(model: Any) -> Iterator[Any]:
    """Yield every estimator inside a model, in the order in which X passes through them.

    Parameters
    ----------
    model : estimator
        Fitted model.

    Yields
    ------
    estimator
        Layers of the model, and layers of the steps of every Pipeline among them.
    """
    for layer in layers(model):
        yield layer.model
        if isinstance(layer.model, Pipeline):
            for _, step in layer.model.steps[:-1]:
                if step is not None and not isinstance(step, str):
                    yield from parts(step)


def find_layer(model: Any, attribute: str, *, of_targets: bool = False) -> Any:
    """Return the outermost layer of a model that has an attribute.

    Parameters
    ----------
    model : estimator
        Fitted model.
    attribute : str
        Name of the attribute.
    of_targets : bool, default=False
        Whether the attribute describes the targets, so that it does not count inside a wrapper that
        transforms them.

    Returns
    -------
    estimator or None
        Outermost layer that has the attribute, or None.
    """
    for layer in layers(model):
        if of_targets and layer.has_own_targets:
            return None
        if hasattr(layer.model, attribute):
            return layer.model
    return None


def find_attribute(model: Any, attribute: str, *, of_targets: bool = False) -> Any:
    """Return an attribute of a model, or of the outermost layer in it that has one.

    Parameters
    ----------
    model, attribute, of_targets
        See :func:`find_layer`.

    Returns
    -------
    object
        Value of the attribute, or None if no layer has it.
    """
    return getattr(find_layer(model, attribute, of_targets=of_targets), attribute, None)


def as_seen_by(layer_model: Any, model: Any, X: Any) -> Any:
    """Return X as a layer of a model gets it, after the transformers of outer Pipelines.

    Parameters
    ----------
    layer_model : estimator
        Model of a layer of `model`.
    model : estimator
        Fitted model.
    X : array-like or DataFrame of shape (n_samples, n_features)
        Samples as the outermost model reads them.

    Returns
    -------
    array-like or DataFrame of shape (n_samples, n_columns)
        Transformed samples.
    """
    for layer in layers(model):
        if layer.model is layer_model:
            break
        if isinstance(layer.model, Pipeline) and len(layer.model) > 1:
            X = layer.model[:-1].transform(X)
    return X


# --- groups ---


def fit_with_groups(model: Any, X: Any, y: Any, groups: Any, *, method: str = "fit") -> Any:
    """Fit a model, and pass the groups of the samples to each part of it that takes groups.

    Parameters
    ----------
    model : estimator
        Model to fit; it is fitted in place.
    X, y : array-like
        Source and target samples for `fit`.
    groups : ndarray of shape (n_samples,), None or "auto"
        Group of each sample; None if samples are not grouped. None is passed on as well, so that no
        part of the model looks for groups itself. "auto" lets each part that takes groups look for
        them.
    method : {"fit", "fit_transform"}, default="fit"
        Name of the method to call.

    Returns
    -------
    object
        Result of the method: the fitted model, or the transformed samples.
    """
    params = group_params(model, groups)
    return getattr(model, method)(X, y, **params)


def group_params(model: Any, groups: Any) -> dict[str, Any]:
    """Return the arguments that pass the groups of samples to the `fit` of a model.

    Parameters
    ----------
    model : estimator
        Unfitted model.
    groups : ndarray of shape (n_samples,) or None
        Group of each sample.

    Returns
    -------
    dict
        Arguments for `fit`: ``{"groups": groups}`` for a model that takes groups; with the name of
        the step in front for the last step of a Pipeline; the arguments of the wrapped model if a
        wrapper passes its arguments on. If metadata routing of scikit-learn is enabled, groups go
        to the objects that request them.
    """
    takes = inspect.signature(model.fit).parameters
    if _takes_groups(model, takes):
        return {"groups": groups}
    if get_config()["enable_metadata_routing"] and _routes(model):
        requested = groups is not None and _requests_groups(model, "fit")
        return {"groups": groups} if requested else {}
    if isinstance(model, Pipeline):
        name, last = model.steps[-1]
        inner = {} if last is None or isinstance(last, str) else group_params(last, groups)
        return {f"{name}__{key}": value for key, value in inner.items()}
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in takes.values()):
        return {}
    if hasattr(model, "refit") and hasattr(model, "cv"):  # a search; its own groups are its cv's
        inner = group_params(model.estimator, groups)
        own = groups is not None and _requests_groups(model.cv, "split")
        return {key: value for key, value in inner.items() if key != "groups"} | (
            {"groups": groups} if own else {}
        )
    regressor = getattr(model, "regressor", None)
    return {} if regressor is None else group_params(regressor, groups)


def _takes_groups(model: Any, takes: Any) -> bool:
    """Return whether `fit` takes groups of samples; some transformers expect tissues instead."""
    parameter = takes.get("groups")
    return parameter is not None and (hasattr(model, "predict") or parameter.default == "auto")


def _routes(model: Any) -> bool:
    """Return whether a model passes on metadata that its parts request, if routing is enabled."""
    return isinstance(get_routing_for_object(model), MetadataRouter)


def _requests_groups(consumer: Any, method: str) -> bool:
    """Return whether an estimator or splitter, or a part of it, requests groups by routing."""
    return bool(get_routing_for_object(consumer).consumes(method, ["groups"]))
