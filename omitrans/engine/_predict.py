"""Prediction in blocks of one size, so that a sample's result does not depend on its neighbours."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from omitrans.engine._data import share_memory
from omitrans.engine._draws import evaluation_draws
from omitrans.engine._net import OmicsNet

# Matrix products of one shape always sum in the same order. With blocks as large as the batch, the
# prediction of a sample alone would differ by rounding from that of the sample in a batch.
BLOCK_ROWS = 64


def predict_profiles(
    net: OmicsNet, X: np.ndarray, dtype: np.dtype, noise: np.ndarray | None = None
) -> np.ndarray:
    """Return the target profiles that a trained net predicts.

    Parameters
    ----------
    net : OmicsNet
        A trained net in evaluation mode.
    X : ndarray of shape (n_samples, n_source)
        Source profiles.
    dtype : numpy.dtype
        Data type of the predictions; the net computes in its own.
    noise : ndarray of shape (n_samples, n_noise) or None, default=None
        Noise that the net reads beside the source, if it reads any; None stands for zeros.

    Returns
    -------
    ndarray of shape (n_samples, n_target)
        Predicted target profiles in their own units.
    """
    device = torch.device(net.device)
    block = torch.zeros((BLOCK_ROWS, X.shape[1]), device=device)
    latent = None if noise is None else torch.zeros((BLOCK_ROWS, noise.shape[1]), device=device)
    result: np.ndarray | None = None
    with torch.inference_mode(), net.products(), evaluation_draws(net.module_, device):
        for start in range(0, len(X), BLOCK_ROWS):
            rows = np.ascontiguousarray(X[start : start + BLOCK_ROWS], dtype=np.float32)
            block[: len(rows)].copy_(share_memory(rows))
            if noise is not None and latent is not None:
                part = np.ascontiguousarray(noise[start : start + BLOCK_ROWS], dtype=np.float32)
                latent[: len(rows)].copy_(torch.from_numpy(part))
            output = net.module_(net.with_noise(net.source_scaling_(block), latent))
            profiles = net.target_scaling_.inverse(net.profile(output.float()))
            if result is None:
                result = np.empty((len(X), profiles.shape[1]), dtype=dtype)
            result[start : start + len(rows)] = profiles[: len(rows)].cpu().numpy()
    assert result is not None  # X has at least one row
    return result


def has_dropout(net: OmicsNet) -> bool:
    """Return whether the network has dropout layers with a rate above 0."""
    return any(layer.p > 0 for layer in _dropout_layers(net.module_))


def mean_profiles(nets: Sequence[OmicsNet], X: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return the mean of the target profiles that trained nets predict.

    Parameters
    ----------
    nets : sequence of OmicsNet
        Trained nets in evaluation mode, at least one.
    X : ndarray of shape (n_samples, n_source)
        Source profiles.
    dtype : numpy.dtype
        Data type of the predictions.

    Returns
    -------
    ndarray of shape (n_samples, n_target)
        Predicted target profiles in their own units.
    """
    mean = predict_profiles(nets[0], X, dtype)
    for number, net in enumerate(nets[1:], start=2):
        mean += (predict_profiles(net, X, dtype) - mean) / number
    return mean


def predict_with_deviation(
    nets: Sequence[OmicsNet], X: np.ndarray, dtype: np.dtype, n_draws: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the prediction, and the standard deviation between networks thinned by dropout.

    The nets are thinned in turn, so that their disagreement is part of the deviation.

    Each draw drops the same units for all samples, so the deviation of a sample does not depend on
    the other samples. Draws are seeded: the same call gives the same numbers.

    Parameters
    ----------
    nets : sequence of OmicsNet
        Trained nets in evaluation mode, with dropout, at least one.
    X : ndarray of shape (n_samples, n_source)
        Source profiles.
    dtype : numpy.dtype
        Data type of both results.
    n_draws : int
        Number of thinned networks, at least 2.

    Returns
    -------
    predicted, deviation : ndarray of shape (n_samples, n_target)
        Predicted profiles and their standard deviations, in the target's own units.
    """
    predicted = mean_profiles(nets, X, dtype)
    # differences from the prediction, which is near the mean of the draws, lose no digits
    shift, squares = np.zeros_like(predicted), np.zeros_like(predicted)
    for draw in range(n_draws):
        net = _thinned(nets[draw % len(nets)], draw)
        difference = predict_profiles(net, X, dtype) - predicted
        shift += difference
        squares += difference**2
    variance = (squares - shift**2 / n_draws) / (n_draws - 1)
    return predicted, np.sqrt(np.maximum(variance, 0))


def drawn_profiles(
    net: OmicsNet,
    X: np.ndarray,
    dtype: np.dtype,
    *,
    noise: np.ndarray | None = None,
    thinned_by: int | None = None,
) -> np.ndarray:
    """Return the target profiles that a net predicts with given noise, or thinned by dropout.

    Parameters
    ----------
    net : OmicsNet
        A trained net in evaluation mode.
    X : ndarray of shape (n_samples, n_source)
        Source profiles.
    dtype : numpy.dtype
        Data type of the predictions.
    noise : ndarray of shape (n_samples, n_noise) or None, default=None
        Noise that the net reads beside the source; None stands for zeros.
    thinned_by : int or None, default=None
        Seed of the units that dropout drops, the same for all samples; None drops none.

    Returns
    -------
    ndarray of shape (n_samples, n_target)
        Predicted target profiles in their own units.
    """
    return predict_profiles(
        net if thinned_by is None else _thinned(net, thinned_by), X, dtype, noise
    )


def sharing_weights(net: OmicsNet) -> Any:
    """Return a net with the weights of a trained net, and a network with its own mode and hooks.

    Parameters
    ----------
    net : OmicsNet
        A trained net, which other threads may use meanwhile.

    Returns
    -------
    OmicsNet
        The other net.
    """
    weights = [*net.module_.parameters(), *net.module_.buffers()]
    view = object.__new__(type(net))
    view.__dict__.update(net.__dict__)
    view.__dict__["module_"] = copy.deepcopy(net.module_, {id(part): part for part in weights})
    return view


def _thinned(net: OmicsNet, draw: int) -> OmicsNet:
    """Return a net in which dropout layers drop units, the same units for all samples."""
    generator = torch.Generator().manual_seed(draw)
    masks: dict[nn.Module, Tensor] = {}

    def drop(layer: Any, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        if layer not in masks:  # drawn when the layer first runs, kept for the blocks that follow
            kept = torch.rand(output.shape[1:], generator=generator) >= layer.p
            masks[layer] = (kept / (1 - layer.p)).to(output)
        return output * masks[layer]

    thinned = sharing_weights(net)
    for layer in _dropout_layers(thinned.module_):
        layer.register_forward_hook(drop)
    return thinned


def _dropout_layers(module: nn.Module) -> list[nn.Dropout]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Dropout)]
