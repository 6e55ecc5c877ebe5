"""Networks: what is trained. No losses, no training, no tables of data."""

from omitrans.networks import discriminators, generators
from omitrans.networks._interface import DiscriminatorNet, GeneratorNet
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
    "discriminators",
    "generators",
    "get_discriminator",
    "get_generator",
    "list_discriminators",
    "list_generators",
    "register_discriminator",
    "register_generator",
]
