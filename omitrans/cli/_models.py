"""Models that the commands offer by name."""

from collections.abc import Callable
from functools import partial
from typing import Any

from omitrans.baselines import (
    GaussianCopulaGenerator,
    GaussianGenerator,
    ImputerGenerator,
    make_baselines,
)
from omitrans.estimators import OmiTransRegressor, TDimputeRegressor, WGANGPGenerator
from omitrans.estimators._presets import OMITRANS_PRESETS, WGAN_PRESETS

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

_GENERATORS: dict[str, Callable[..., Any]] = {
    "copula": GaussianCopulaGenerator,
    "gaussian": GaussianGenerator,
    "imputer": ImputerGenerator,
    "wgan-gp": WGANGPGenerator,
} | {f"wgan-gp-{name}": partial(WGANGPGenerator.from_preset, name) for name in WGAN_PRESETS}
GENERATORS = tuple(_GENERATORS)


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


def make_generator(name: str, seed: int, **params: Any) -> Any:
    """Return the unfitted generator of expression of a name.

    Parameters
    ----------
    name : str
        Name of the generator, one of `GENERATORS`.
    seed : int
        Seed of all random numbers of the fit.
    **params : object
        Further parameters of the generator.

    Returns
    -------
    estimator
        Unfitted generator.
    """
    return _GENERATORS[name](random_state=seed, **params)
