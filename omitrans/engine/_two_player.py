"""Two networks trained in turn: what every net with a discriminator sets up alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import torch
from torch import Tensor, nn

from omitrans.engine._net import OmicsNet


class TwoPlayerNet(OmicsNet):
    """A network and a discriminator that judges it, each with an optimizer of its own.

    A subclass writes the steps in ``train_step``, and names the two sizes that its discriminator
    takes first in ``discriminator_sizes``.

    Parameters
    ----------
    *args : object
        As for :class:`~omitrans.engine._net.OmicsNet`.
    discriminator : type or None
        Discriminator class; its arguments come as ``discriminator__*``. None trains the network
        alone.
    discriminator_optimizer : type, default=torch.optim.Adam
        Optimizer of the discriminator; its arguments come as ``discriminator_optimizer__*``.
    **kwargs : object
        As for :class:`~omitrans.engine._net.OmicsNet`.
    """

    def __init__(
        self,
        *args: Any,
        discriminator: type[nn.Module] | None,
        discriminator_optimizer: type[torch.optim.Optimizer] = torch.optim.Adam,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.discriminator = discriminator
        self.discriminator_optimizer = discriminator_optimizer

    def initialize_module(self) -> Self:
        """Build the network, then the discriminator."""
        super().initialize_module()
        if self.discriminator is not None:
            params = self.get_params_for("discriminator")
            sizes = [params.pop(name) for name in self.size_names["discriminator"]]
            self.discriminator_ = self.discriminator(*sizes, **params)
        return self

    def initialize_optimizer(self, triggered_directly: bool | None = None) -> Self:
        """Give each network an optimizer."""
        super().initialize_optimizer(triggered_directly)
        if self.discriminator is not None:
            params = self.discriminator_.named_parameters()
            args, kwargs = self.get_params_for_optimizer("discriminator_optimizer", params)
            self.discriminator_optimizer_ = self.discriminator_optimizer(*args, **kwargs)
        return self

    def step_discriminator(self, loss: Tensor) -> None:
        """Move the discriminator down the gradient of its loss."""
        self.discriminator_optimizer_.zero_grad()
        loss.backward()
        self.discriminator_optimizer_.step()

    def optimizers_by_network(self) -> dict[str, torch.optim.Optimizer]:
        """Return the optimizer of every trained network, by the network's name."""
        optimizers = super().optimizers_by_network()
        if self.discriminator is not None:
            optimizers["discriminator"] = self.discriminator_optimizer_
        return optimizers


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Let gradients pass through `network` without computing those of its weights."""
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)
