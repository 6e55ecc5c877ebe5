"""Predictions of networks thinned by dropout, and how far they differ."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from omitrans.engine._net import OmicsNet
from omitrans.engine._predict import predict_profiles


def has_dropout(net: OmicsNet) -> bool:
    """Return whether the network has units to drop."""
    return any(layer.p > 0 for layer in _dropout_layers(net.module_))


def predict_with_deviation(
    net: OmicsNet, X: np.ndarray, dtype: np.dtype, n_draws: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the prediction, and the standard deviation between thinned networks.

    Each draw drops the same units for all samples, as another set of weights would; so a sample's
    deviation does not depend on the samples beside it. Draws are seeded: the same call gives the
    same numbers.

    Parameters
    ----------
    net : OmicsNet
        A trained net in evaluation mode, with dropout.
    X : ndarray of shape (n_samples, n_source)
        Source profiles.
    dtype : numpy.dtype
        Of the results.
    n_draws : int
        Number of thinned networks, two at least.

    Returns
    -------
    predicted, deviation : ndarray of shape (n_samples, n_target)
        In the target's own units.
    """
    predicted = predict_profiles(net, X, dtype)
    # around the prediction, which is near their mean: a sum of squares does not cancel
    shift, squares = np.zeros_like(predicted), np.zeros_like(predicted)
    for draw in range(n_draws):
        with _thinned(net.module_, draw):
            difference = predict_profiles(net, X, dtype) - predicted
        shift += difference
        squares += difference**2
    variance = (squares - shift**2 / n_draws) / (n_draws - 1)
    return predicted, np.sqrt(np.maximum(variance, 0))


@contextmanager
def _thinned(module: nn.Module, draw: int) -> Iterator[None]:
    """Drop units of every dropout layer, the same ones for all samples."""
    generator = torch.Generator().manual_seed(draw)
    masks: dict[nn.Module, Tensor] = {}

    def drop(layer: Any, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        if layer not in masks:  # drawn when the layer first runs, kept for the blocks that follow
            kept = torch.rand(output.shape[1:], generator=generator) >= layer.p
            masks[layer] = (kept / (1 - layer.p)).to(output)
        return output * masks[layer]

    handles = [layer.register_forward_hook(drop) for layer in _dropout_layers(module)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _dropout_layers(module: nn.Module) -> list[nn.Dropout]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Dropout)]
