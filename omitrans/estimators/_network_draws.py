"""Draws of target profiles by networks: noise z, and networks thinned by dropout."""

from typing import Any

import numpy as np
import torch

from omitrans.engine import Sizes, count_weights, device_memory_errors, drawn_profiles, has_dropout
from omitrans.estimators._forked import refuse_lost_threads


def check_what_is_drawn(model: Any, *, residuals: bool, dropout: bool) -> None:
    """Raise an error if a model draws nothing, or is asked for a dropout that it does not have.

    Parameters
    ----------
    model : TorchRegressor
        A fitted model.
    residuals, dropout : bool
        Whether errors of held-out samples, and units to drop, are to be drawn.
    """
    nets = nets_of(model)
    if dropout and not any(map(has_dropout, nets)):
        raise ValueError(
            "dropout=True needs networks with dropout that have a share in the predictions, and "
            f"this {type(model).__name__} has none. Fit it with dropout and, if a backbone leaves "
            "its networks no share, backbone=None; or use dropout=False."
        )
    if not residuals and not dropout and not any(net.n_noise for net in nets):
        raise ValueError(
            "residuals=False leaves nothing to draw: no network with a share in the predictions of "
            f"this {type(model).__name__} reads noise (noise_dim of OmiTransRegressor), and "
            "dropout is False. Use residuals=True."
        )


def nets_of(model: Any) -> list[Any]:
    """Return the networks of a model that have a part in its predictions."""
    if hasattr(model, "networks_"):
        return model.networks_ if model.network_share_.any() else []
    return [model.net_]


class NetworkDraws:
    """Draws what the networks of a model predict, less their mean prediction.

    Parameters
    ----------
    model : TorchRegressor
        A fitted model.
    source : ndarray of shape (n_rows, n_features)
        Checked source profiles.
    dropout : bool
        Whether each draw takes a network thinned by dropout.
    """

    def __init__(self, model: Any, source: np.ndarray, *, dropout: bool) -> None:
        self.model, self.source, self.dropout = model, source, dropout
        self.nets = [net for net in nets_of(model) if dropout or net.n_noise]
        self.mean: np.ndarray | None = None
        self.share = getattr(model, "network_share_", np.ones(1))
        if self.nets:
            self.mean = model._limited(model._predict_with(self.nets, source)[0])

    def add_to(self, predicted: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Return predictions, moved as one network moves with noise or dropped units.

        Parameters
        ----------
        predicted : ndarray of shape (n_rows, n_targets)
            Predictions of the model.
        random : numpy.random.Generator
            Source of the random numbers, of which as many are drawn whatever the rows are.

        Returns
        -------
        ndarray of shape (n_rows, n_targets)
            A new array, or the predictions themselves if no network draws.
        """
        number, of_noise, of_units = (int(seed) for seed in random.integers(2**62, size=3))
        if not self.nets:
            return predicted
        net = self.nets[number % len(self.nets)]
        noise = None
        if net.n_noise:
            shape = len(self.source), net.n_noise
            noise = np.random.default_rng(of_noise).standard_normal(shape, dtype=np.float32)
        refuse_lost_threads()
        with device_memory_errors(
            Sizes(4 * self.source.size, count_weights(net)), torch.device(net.device)
        ):
            moved = drawn_profiles(
                net,
                self.source,
                self.source.dtype,
                noise=noise,
                thinned_by=of_units if self.dropout else None,
            )
        moved = self.model._limited(moved)
        moved -= self.mean
        moved *= self.share.astype(moved.dtype)
        moved += predicted
        return self.model._limited(moved)
