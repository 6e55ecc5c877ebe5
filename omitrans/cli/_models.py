"""Models that the commands offer by name."""

from collections.abc import Callable
from typing import Any

from omitrans.baselines import make_baselines
from omitrans.estimators import OmiTransRegressor, TDimputeRegressor
from omitrans.estimators._presets import OMITRANS_PRESETS

_MAKERS: dict[str, Callable[[int], Any]] = {
    "tdimpute": lambda seed: TDimputeRegressor(random_state=seed),
    "omitrans": lambda seed: OmiTransRegressor(random_state=seed),
    "omitrans-fast": lambda seed: OmiTransRegressor(speed="fast", random_state=seed),
} | {
    f"omitrans-{name}": lambda seed, name=name: OmiTransRegressor.from_preset(
        name, random_state=seed
    )
    for name in OMITRANS_PRESETS
}
MODELS = (*make_baselines(), *_MAKERS)


def make_regressor(name: str, seed: int) -> Any:
    """Return the unfitted regressor of a name.

    Parameters
    ----------
    name : str
        Name of the model, one of `MODELS`.
    seed : int
        Seed of all random numbers of the model.

    Returns
    -------
    estimator
        Unfitted regressor without preprocessing steps.
    """
    if name in _MAKERS:
        return _MAKERS[name](seed)
    return make_baselines([name], random_state=seed)[name]
