"""Make the net of both players of WGANGPGenerator from its parameters."""

from typing import Any

import torch

from omitrans.engine import ProfileNoise, RMSprop, WassersteinNet
from omitrans.estimators._gaussian_start import START_SIZES
from omitrans.losses import wasserstein_loss
from omitrans.networks.wasserstein import ConditionalMLP, GaussianStartMLP


def make_wasserstein_net(model: Any, **options: Any) -> WassersteinNet:
    """Return a net that is not initialised.

    Parameters
    ----------
    model : WGANGPGenerator
        The generator, whose parameters are read.
    **options : object
        Sizes and common options of the net.

    Returns
    -------
    WassersteinNet
        The net.
    """
    shared = {
        "n_categories": options.pop("module__n_categories"),
        "hidden_layer_sizes": tuple(model.hidden_layer_sizes),
    }
    start = {name: options.pop(f"module__{name}") for name in START_SIZES}
    generator = {**shared, "n_inputs": model.noise_dim}
    if model.backbone is not None:
        generator = {**shared, **start, "noise_dim": model.noise_dim}
    critic = {
        **shared,
        "n_inputs": options["module__n_target"],
        "n_covariates": options["module__n_source"],
        "n_outputs": 1,
    }
    return WassersteinNet(
        ConditionalMLP if model.backbone is None else GaussianStartMLP,
        criterion=wasserstein_loss,
        discriminator=ConditionalMLP,
        n_critic=model.n_critic,
        gp_weight=model.gp_weight,
        weight_averaging=model.weight_averaging,
        noise=ProfileNoise(model.augmentation, model.augmentation_sd, model.frozen_augmentation),
        validate_every=model.validate_every,
        validation_score=model.validation_score,
        target_scaling=model.scaling,
        **{f"module__{name}": value for name, value in generator.items()},
        **{f"discriminator__{name}": value for name, value in critic.items()},
        discriminator_optimizer__lr=model.critic_lr or model.lr,
        **{**options, **_training_options(model)},
    )


def _training_options(model: Any) -> dict[str, Any]:
    """Return the options that take the place of those of other estimators."""
    options: dict[str, Any] = {"iterator_train__shuffle": model.shuffle}
    for player in ("optimizer", "discriminator_optimizer"):
        options[player] = RMSprop if model.optimizer == "rmsprop" else torch.optim.Adam
        options[f"{player}__fused"] = True
        if model.optimizer == "adam":
            options[f"{player}__betas"] = (0.0, 0.9)
    return options
