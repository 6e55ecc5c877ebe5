"""Codecs of estimators, and of functions and types that their parameters may be."""

import inspect
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator

from omitrans.exceptions import ModelFileError
from omitrans.persistence._classes import (
    class_name,
    find_class,
    find_function,
    find_scalar_type,
    function_name,
    scalar_type_name,
)
from omitrans.persistence._encode import Codec, Decoder, Encoder

_PATHS = ("memory", "checkpoint_dir", "pretrained")
"""Parameters that may name a path where a fit reads or writes."""


def _own_method(cls: type, name: str) -> bool:
    """Return whether a class of omitrans, not the base of scikit-learn, defines a method `name`."""
    owner = next(base for base in cls.__mro__ if name in vars(base))
    return owner.__module__.partition(".")[0] == "omitrans"


def _is_attribute(name: Any) -> bool:
    return isinstance(name, str) and name.isidentifier() and not name.startswith("__")


def _is_path(name: str, value: Any) -> bool:
    """Return whether an attribute names a path: of no use elsewhere, and not to be followed."""
    return name in _PATHS and isinstance(value, str | Path)


def _is_known_estimator(value: Any) -> bool:
    return isinstance(value, BaseEstimator) and class_name(type(value)) is not None


def _encode_estimator(estimator: Any, encoder: Encoder) -> dict[str, Any]:
    cls = type(estimator)
    state = estimator.__getstate__() if _own_method(cls, "__getstate__") else vars(estimator)
    odd = [name for name in state if not _is_attribute(name)]
    if odd:
        raise ModelFileError(f"{encoder.path} has attributes with unusable names: {odd}.")
    return {
        "class": class_name(cls),
        # scikit-learn's version stands once in the file, not in every estimator
        "state": {
            name: None if _is_path(name, value) else encoder.encode(value, f".{name}")
            for name, value in state.items()
            if name != "_sklearn_version"
        },
    }


def _defaults(cls: type) -> dict[str, Any]:
    """Return the parameters of a class that have defaults.

    A file of an older version lacks parameters that were added later; they get their defaults, or
    the values with which the class does what it did before.
    """
    parameters = inspect.signature(cls).parameters.values()
    known = {each.name: each.default for each in parameters if each.default is not each.empty}
    return known | getattr(cls, "_earlier_values", {})


def _decode_estimator(payload: dict[str, Any], decoder: Decoder) -> Any:
    decoder.limits.count_estimator()
    cls: Any = find_class(payload["class"])
    odd = [name for name in payload["state"] if not _is_attribute(name)]
    if odd:
        raise ModelFileError(f"it sets attributes with unusable names: {odd}")
    state = {name: decoder.decode(node) for name, node in payload["state"].items()}
    state |= {name: None for name in _PATHS if _is_path(name, state.get(name))}
    for name, default in _defaults(cls).items():
        state.setdefault(name, default)
    estimator = cls.__new__(cls)
    if _own_method(cls, "__setstate__"):
        networks = state.get("networks_", [])
        if not isinstance(networks, list):
            raise ModelFileError(f"it holds a {type(networks).__name__} where a list belongs")
        for weights in [state.get("net_"), *networks]:  # they are copied to networks
            decoder.limits.count_copy(weights)
        estimator.__setstate__(state)
    else:
        vars(estimator).update(state)
    return estimator


CODECS = (
    Codec("estimator", _is_known_estimator, _encode_estimator, _decode_estimator, shared=True),
    Codec(
        "function",
        lambda value: function_name(value) is not None,
        lambda value, encoder: function_name(value),
        lambda payload, decoder: find_function(payload),
    ),
    Codec(
        "type",
        lambda value: scalar_type_name(value) is not None,
        lambda value, encoder: scalar_type_name(value),
        lambda payload, decoder: find_scalar_type(payload),
    ),
)
