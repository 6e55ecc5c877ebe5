"""Make the net of OmiEmbedClassifier from its parameters, and check them together."""

from typing import Any

import numpy as np
import torch

from omitrans.engine import EmbeddingNet
from omitrans.estimators._trained_net import check_widths
from omitrans.losses import RECONSTRUCTION_LOSSES
from omitrans.networks.autoencoders import ClassifyingAutoencoder

ADAM_BETAS = (0.5, 0.999)
_DEVIATIONS = 10.0  # standardised values are clipped there
CROSS_ENTROPY = "cross-entropy"


def check_embedding_params(model: Any) -> None:
    """Raise an error if parameters of an OmiEmbedClassifier do not fit each other.

    Parameters
    ----------
    model : OmiEmbedClassifier
        The classifier in fit.
    """
    check_widths(model, at_least=1)
    if len(model.hidden_layer_sizes) < 2:
        raise ValueError(
            "hidden_layer_sizes must hold two widths at least: of a layer of each block, and of "
            f"the layer that merges the blocks. Got {model.hidden_layer_sizes!r}."
        )
    if model.max_epochs <= model.embedding_epochs or (
        model.max_epochs < model.embedding_epochs + model.head_epochs
    ):
        raise ValueError(
            f"max_epochs={model.max_epochs} counts the epochs of all phases and is too small for "
            f"embedding_epochs={model.embedding_epochs} and head_epochs={model.head_epochs}. Raise "
            "max_epochs, or lower the others."
        )
    if model.reconstruction_loss == CROSS_ENTROPY and model.scaling == "standard":
        raise ValueError(
            "reconstruction_loss='cross-entropy' needs values in [0, 1], and scaling='standard' "
            "gives others. Use scaling='minmax', or reconstruction_loss='mse'."
        )


def check_unscaled(model: Any, source: np.ndarray) -> None:
    """Raise an error if values that are not scaled do not suit the loss of reconstruction.

    Parameters
    ----------
    model : OmiEmbedClassifier
        The classifier in fit.
    source : ndarray of shape (n_samples, n_features)
        The training table.
    """
    if model.reconstruction_loss != CROSS_ENTROPY or model.scaling != "none":
        return
    low, high = source.min(), source.max()
    if low < 0 or high > 1:
        raise ValueError(
            "reconstruction_loss='cross-entropy' with scaling='none' needs X in [0, 1], but its "
            f"values range from {low:.4g} to {high:.4g}. Use scaling='minmax', or "
            "reconstruction_loss='mse'."
        )


def make_embedding_net(model: Any, **options: Any) -> EmbeddingNet:
    """Return a net that is not initialised.

    Parameters
    ----------
    model : OmiEmbedClassifier
        The classifier, whose parameters are read.
    **options : object
        Sizes and common options of the net.

    Returns
    -------
    EmbeddingNet
        The net.
    """
    bounded = model.reconstruction_loss == CROSS_ENTROPY
    scaling = model.scaling
    if scaling == "auto":
        scaling = "minmax" if bounded else "standard"
    clipped = {"standard": (-_DEVIATIONS, _DEVIATIONS), "minmax": (0.0, 1.0), "none": None}
    network = {
        "hidden_layer_sizes": tuple(model.hidden_layer_sizes),
        "head_layer_sizes": tuple(model.head_layer_sizes),
        **{name: getattr(model, name) for name in ("group_width", "latent_dim", "dropout", "norm")},
    }
    optimizers = {
        f"{optimizer}__{name}": value
        for optimizer in ("optimizer", "head_optimizer")
        for name, value in (
            ("betas", ADAM_BETAS),
            ("fused", True),
            ("weight_decay", model.weight_decay),
        )
    }
    return EmbeddingNet(
        ClassifyingAutoencoder,
        criterion=RECONSTRUCTION_LOSSES[model.reconstruction_loss],
        embedding_epochs=model.embedding_epochs,
        head_epochs=model.head_epochs,
        kl_weight=model.kl_weight,
        embedding_weight=model.embedding_weight,
        limits=(0.0, 1.0) if bounded else clipped[scaling],
        source_scaling=scaling,
        head_optimizer=torch.optim.Adam,
        **{f"module__{name}": value for name, value in network.items()},
        **{**options, **optimizers},
    )
