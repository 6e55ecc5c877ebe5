"""Describe a model as plain data."""

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from omitrans.inference._frame import known_target_names
from omitrans.utils._versions import PACKAGES, installed_version
from omitrans.utils._wrapped import find_attribute, layers, parts


def describe_model(model: Any) -> dict[str, Any]:
    """Describe a fitted model: what it reads, what it predicts, and how well.

    Parameters
    ----------
    model : fitted estimator
        A regressor or imputer, alone, in a Pipeline, in a search or in another wrapper, in any
        nesting.

    Returns
    -------
    dict
        Plain numbers, text, lists and dicts that JSON can hold:

        - ``model``: the name of the class that predicts; ``layers``: the names of the classes from
          the outermost wrapper to that one; ``steps``: the names of the steps of the outermost
          Pipeline;
        - ``n_features``; ``features``: the first five; ``covariates``: those of a generator of
          expression; ``platform``: the array that the model was
          trained on;
        - ``n_targets``; ``targets``: the first five;
        - ``source_unit``, ``target_unit`` and ``n_samples``, where a trust card knows them;
        - ``trust``: the result of :meth:`omitrans.trust.TrustCard.summary`;
        - ``shift_alarm``: whether the model flags samples unlike its training cohort;
        - ``network_share``: the mean over targets of the share that networks have in the
          predictions, for a model with a backbone;
        - ``versions``: the versions of the packages installed here.

        Values that are unknown are None.

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
    chain = [layer.model for layer in layers(model)]
    card = find_attribute(model, "trust_card_", of_targets=True)
    trust = None if card is None else card.summary()
    known = trust or {}
    shares = find_attribute(model, "network_share_")
    return {
        "model": type(chain[-1]).__name__,
        "layers": [type(layer).__name__ for layer in chain],
        "steps": _steps(chain),
        "n_features": _plain(find_attribute(model, "n_features_in_")),
        "features": _first(find_attribute(model, "feature_names_in_")),
        "covariates": _covariates(model),
        "platform": _platform(model),
        "n_targets": _n_targets(model, known),
        "targets": _first(known_target_names(model)),
        "source_unit": known.get("source_unit") or find_attribute(model, "source_unit"),
        "target_unit": known.get("target_unit"),
        "n_samples": known.get("n_samples"),
        "trust": trust,
        "shift_alarm": find_attribute(model, "shift_detector_") is not None,
        "network_share": None if shares is None else float(shares.mean()),
        "versions": {name: installed_version(name) or "unknown" for name in PACKAGES},
    }


def _steps(chain: list[Any]) -> list[str] | None:
    pipeline = next((layer for layer in chain if isinstance(layer, Pipeline)), None)
    return None if pipeline is None else [name for name, _ in pipeline.steps]


def _covariates(model: Any) -> list[str] | None:
    """Return the covariates that a generator of expression draws under, if it is one."""
    encoder = getattr(model, "covariates_", None)
    if encoder is None or not hasattr(model, "sample_y"):
        return None
    return [str(name) for kind in ("categorical", "numeric") for name in encoder.labels(kind)]


def _platform(model: Any) -> str | None:
    """Return the array that a model, or a step of a Pipeline in it, was fitted on."""
    known = (getattr(part, "platform_", None) for part in parts(model))
    return next((str(platform) for platform in known if platform is not None), None)


def _n_targets(model: Any, known: dict[str, Any]) -> int | None:
    if "n_targets" in known:
        return known["n_targets"]
    names = known_target_names(model)
    return None if names is None else len(names)


def _first(names: Any) -> list[str] | None:
    return None if names is None else [str(name) for name in names[:5]]


def _plain(number: Any) -> int | None:
    return None if number is None else int(number)
