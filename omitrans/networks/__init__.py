"""Networks of the estimators, without their losses and their training."""

from omitrans.networks import discriminators, generators
from omitrans.networks._interface import (
    DiscriminatorNet,
    GeneratorNet,
    PenalizedGeneratorNet,
)
from omitrans.networks._registries import (
    get_discriminator,
    get_generator,
    list_discriminators,
    list_generators,
    register_discriminator,
    register_generator,
)

__all__ = [
    "DiscriminatorNet",
    "GeneratorNet",
    "PenalizedGeneratorNet",
    "discriminators",
    "generators",
    "get_discriminator",
    "get_generator",
    "list_discriminators",
    "list_generators",
    "register_discriminator",
    "register_generator",
]
