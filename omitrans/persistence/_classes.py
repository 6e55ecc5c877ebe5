"""The only classes and functions that a model file may name."""

import re
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import sklearn
from sklearn.base import BaseEstimator

import omitrans
from omitrans.exceptions import ModelFileError

_SUBPACKAGES = {
    "omitrans": frozenset(omitrans.__all__),
    "sklearn": frozenset(sklearn.__all__) - {"externals"},
}
_OTHER_CLASSES = {"celer.Lasso"}
# Public names that a class had in earlier versions -> its name today. Whoever moves or renames a
# public estimator adds a line here, so that model files which name it keep loading.
MOVED_CLASSES: dict[str, str] = {}
_CLASS_NAME = re.compile(r"(omitrans|sklearn)\.([a-z][a-z0-9_]*)\.([A-Z][A-Za-z0-9_]*)")

_FUNCTIONS = (
    *(f"numpy.{name}" for name in ("exp2", "expm1", "log1p", "log2", "sqrt", "square")),
    *(
        f"sklearn.feature_selection.{name}"
        for name in ("f_classif", "f_regression", "mutual_info_regression", "r_regression")
    ),
)
_SCALAR_TYPES: dict[str, type] = {
    **{kind.__name__: kind for kind in (bool, float, int, object, str)},
    **{f"numpy.{kind.__name__}": kind for kind in set(np.sctypeDict.values())},
}


def class_name(cls: type) -> str | None:
    """Return the public name of an estimator class, or None if it has none.

    Parameters
    ----------
    cls : type
        Class to name.

    Returns
    -------
    str or None
        Name under which :func:`find_class` finds the class, such as "sklearn.linear_model.Ridge",
        or None.
    """
    parts = cls.__module__.split(".")
    package = parts[0] if parts[0] == "celer" else ".".join(parts[:2])
    name = f"{package}.{cls.__name__}"
    return name if _lookup(name) is cls else None


def find_class(name: str) -> type[BaseEstimator]:
    """Return the public estimator class called `name`.

    Parameters
    ----------
    name : str
        Public name of the class, such as "sklearn.linear_model.Ridge".

    Returns
    -------
    type
        Estimator class with this name.

    Raises
    ------
    ModelFileError
        If no public estimator of omitrans or scikit-learn has, or had, this name.
    """
    today = MOVED_CLASSES.get(name, name)
    cls = _lookup(today)
    if cls is None or class_name(cls) != today:
        raise ModelFileError(
            f"it names the class {name!r}, which is not a public estimator of the installed "
            f"omitrans {omitrans.__version__} or scikit-learn {sklearn.__version__}. Use the "
            "versions that wrote the file"
        )
    return cls


def _lookup(name: str) -> Any:
    """Return the class, importing only public subpackages; None if the class is not allowed."""
    match = _CLASS_NAME.fullmatch(name)
    if name not in _OTHER_CLASSES and (match is None or match[2] not in _SUBPACKAGES[match[1]]):
        return None
    package, _, attribute = name.rpartition(".")
    if find_spec(package) is None:
        return None
    module = import_module(package)
    public = getattr(module, "__all__", vars(module))  # some (sklearn.dummy) have no __all__
    cls = getattr(module, attribute, None) if attribute in public else None
    return cls if isinstance(cls, type) and issubclass(cls, BaseEstimator) else None


def function_name(function: Any) -> str | None:
    """Return the name of an allowed function, or None for any other value."""
    for name in _FUNCTIONS:
        if name.endswith(f".{getattr(function, '__name__', '')}"):
            return name if find_function(name) is function else None
    return None


def find_function(name: str) -> Callable[..., Any]:
    """Return the allowed function called `name`; raise ModelFileError for any other name."""
    if name not in _FUNCTIONS:
        raise ModelFileError(f"it names the function {name!r}, which is not an allowed one")
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


def scalar_type_name(kind: Any) -> str | None:
    """Return the name of a type of numbers or text (float, numpy.float32), else None."""
    if not isinstance(kind, type):
        return None
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return name if _SCALAR_TYPES.get(name) is kind else None


def find_scalar_type(name: str) -> type:
    """Return the type of numbers or text called `name`; raise ModelFileError for other names."""
    if name not in _SCALAR_TYPES:
        raise ModelFileError(f"it names the type {name!r}, which is not an allowed one")
    return _SCALAR_TYPES[name]
