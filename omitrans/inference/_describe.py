"""Say what a model is made of, as plain data."""

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from omitrans.inference._inside import find_attribute, layers
from omitrans.utils._versions import PACKAGES, installed_version


def describe_model(model: Any) -> dict[str, Any]:
    """Describe a fitted model: what it reads, what it predicts, how well.

    Parameters
    ----------
    model : fitted estimator
        A regressor or imputer, alone, in a Pipeline or in another estimator.

    Returns
    -------
    dict
        Plain numbers, text, lists and dicts, as JSON can hold:

        - ``model``: name of the class that predicts; ``layers``: those around it, and it;
          ``steps``: of a Pipeline;
        - ``n_features``, ``features`` (the first five), ``platform`` (the array it was trained on);
        - ``n_targets``, ``targets`` (the first five);
        - ``source_unit``, ``target_unit``, ``n_samples``: where a trust card knows them;
        - ``trust``: :meth:`omitrans.trust.TrustCard.summary`, None without a card;
        - ``shift_alarm``: whether it flags samples unlike its training cohort;
        - ``versions``: of the packages installed here.

        What is unknown is None.

    Raises
    ------
    NotFittedError
        If the model is not fitted.

    Examples
    --------
    >>> from omitrans.inference import describe_model
    >>> from sklearn.linear_model import Ridge
    >>> facts = describe_model(Ridge().fit([[0.0], [1.0]], [0.0, 1.0]))
    >>> facts["model"], facts["n_features"], facts["trust"]
    ('Ridge', 1, None)
    """
    check_is_fitted(model)
    inner = layers(model)
    card = find_attribute(model, "trust_card_")
    trust = None if card is None else card.summary()
    known = trust or {}
    return {
        "model": type(inner[-1]).__name__,
        "layers": [type(layer).__name__ for layer in inner],
        "steps": _steps(inner),
        "n_features": _plain(find_attribute(model, "n_features_in_")),
        "features": _first(find_attribute(model, "feature_names_in_")),
        "platform": _platform(inner),
        "n_targets": _n_targets(model, known),
        "targets": _first(find_attribute(model, "target_names_")),
        "source_unit": known.get("source_unit") or find_attribute(model, "source_unit"),
        "target_unit": known.get("target_unit"),
        "n_samples": known.get("n_samples"),
        "trust": trust,
        "shift_alarm": find_attribute(model, "shift_detector_") is not None,
        "versions": {name: installed_version(name) or "unknown" for name in PACKAGES},
    }


def _steps(inner: list[Any]) -> list[str] | None:
    pipeline = next((layer for layer in inner if isinstance(layer, Pipeline)), None)
    return None if pipeline is None else [name for name, _ in pipeline.steps]


def _platform(inner: list[Any]) -> str | None:
    """Return the array that the first step of a Pipeline was fitted to."""
    for layer in inner:
        first = layer[0] if isinstance(layer, Pipeline) else layer
        if hasattr(first, "platform_"):
            return str(first.platform_)
    return None


def _n_targets(model: Any, known: dict[str, Any]) -> int | None:
    if "n_targets" in known:
        return known["n_targets"]
    names = find_attribute(model, "target_names_")
    return None if names is None else len(names)


def _first(names: Any) -> list[str] | None:
    return None if names is None else [str(name) for name in names[:5]]


def _plain(number: Any) -> int | None:
    return None if number is None else int(number)
