"""Find things inside a fitted model: its last step, its trust card, what its search found."""

from typing import Any

from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline


def layers(model: Any) -> list[Any]:
    """Return a fitted model and what it wraps, from the outside in.

    A search leads to the best estimator, a Pipeline to its last step, a meta-estimator to the
    regressor it fitted.
    """
    found = [model]
    while True:
        inner = _inside(found[-1])
        if inner is None:
            return found
        found.append(inner)


def _inside(model: Any) -> Any:
    if isinstance(model, Pipeline):
        return model[-1]
    names = ["best_estimator_", "estimator_"]
    if not isinstance(model, TransformedTargetRegressor):
        names.append("regressor_")
    return next((getattr(model, name) for name in names if hasattr(model, name)), None)


def find_attribute(model: Any, name: str) -> Any:
    """Return an attribute of the model or of what it wraps, None if neither has it."""
    return next((getattr(layer, name) for layer in layers(model) if hasattr(layer, name)), None)
