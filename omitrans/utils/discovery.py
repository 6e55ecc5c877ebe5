"""Find all public objects of the package, so that new classes are tested automatically."""

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

import omitrans

__all__ = ["all_classes", "all_displays", "all_estimators", "all_functions", "public_modules"]


def public_modules() -> Iterator[ModuleType]:
    """Import and yield the package and the modules that its ``__all__`` leads to.

    The other modules (cli, engine, utils) are internal.
    """
    yield omitrans
    for info in pkgutil.walk_packages(omitrans.__path__, "omitrans."):
        _, room, *inner = info.name.split(".")
        if room in omitrans.__all__ and not any(part.startswith("_") for part in inner):
            yield import_module(info.name)


def _public_objects(keep: Callable[[Any], bool]) -> list[tuple[str, Any]]:
    found: dict[str, Any] = {}
    for module in public_modules():
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if keep(value) and getattr(value, "__module__", "").startswith("omitrans."):
                found[f"{value.__module__}.{value.__qualname__}"] = value
    return sorted(((value.__name__, value) for value in found.values()), key=lambda pair: pair[0])


def all_estimators() -> list[tuple[str, type[BaseEstimator]]]:
    """Return (name, class) of every public estimator and transformer, sorted by name.

    Pipelines are left out, because they are nothing without their steps.
    """
    return _public_objects(
        lambda value: (
            inspect.isclass(value)
            and issubclass(value, BaseEstimator)
            and not issubclass(value, Pipeline)
            and not inspect.isabstract(value)
        )
    )


def all_displays() -> list[tuple[str, type]]:
    """Return (name, class) of every public display, sorted by name."""
    return _public_objects(
        lambda value: inspect.isclass(value) and value.__name__.endswith("Display")
    )


def all_classes() -> list[tuple[str, type]]:
    """Return (name, class) of every public class, sorted by name."""
    return _public_objects(inspect.isclass)


def all_functions() -> list[tuple[str, Callable[..., Any]]]:
    """Return (name, function) of every public function, sorted by name."""
    return _public_objects(inspect.isfunction)
