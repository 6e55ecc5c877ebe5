"""Predict one omics profile from another, with scikit-learn's contract.

Names are imported when they are first used, so that ``import omitrans`` costs
milliseconds and torch is loaded only by what needs it.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

try:
    __version__ = version("omitrans")
except PackageNotFoundError:  # a source tree that nobody installed
    __version__ = "0+unknown"

_PUBLIC = {
    "GAINImputer": "omitrans.estimators",
    "OmiEmbedClassifier": "omitrans.estimators",
    "OmiTransRegressor": "omitrans.estimators",
    "PMIImputer": "omitrans.estimators",
    "TDimputeRegressor": "omitrans.estimators",
    "WGANGPGenerator": "omitrans.estimators",
    "load": "omitrans.persistence",
    "predict_frame": "omitrans.inference",
    "save": "omitrans.persistence",
}
_SUBPACKAGES = (
    "annotation",
    "baselines",
    "comparison",
    "covariates",
    "datasets",
    "displays",
    "downstream",
    "estimators",
    "exceptions",
    "generation",
    "inference",
    "io",
    "losses",
    "metrics",
    "model_selection",
    "networks",
    "persistence",
    "pipelines",
    "preprocessing",
    "reports",
    "solvers",
    "trust",
)

__all__ = ["__version__", *_PUBLIC, *_SUBPACKAGES]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        value = getattr(import_module(_PUBLIC[name]), name)
    elif name in _SUBPACKAGES:
        value = import_module(f"omitrans.{name}")
    else:
        raise AttributeError(f"module 'omitrans' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
