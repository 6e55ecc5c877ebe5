"""Losses of the networks: pure functions that map tensors to a mean loss."""

from omitrans.losses._adversarial import ADVERSARIAL_LOSSES, least_squares_loss, vanilla_loss
from omitrans.losses._masked import masked_adversarial_loss, masked_mse_loss
from omitrans.losses._reconstruction import (
    OUTPUT_LINKS,
    RECONSTRUCTION_LOSSES,
    cross_entropy_loss,
    rmse_loss,
)
from omitrans.losses._wasserstein import gradient_penalty, wasserstein_loss

__all__ = [
    "ADVERSARIAL_LOSSES",
    "OUTPUT_LINKS",
    "RECONSTRUCTION_LOSSES",
    "cross_entropy_loss",
    "gradient_penalty",
    "least_squares_loss",
    "masked_adversarial_loss",
    "masked_mse_loss",
    "rmse_loss",
    "vanilla_loss",
    "wasserstein_loss",
]
