"""Two networks trained in turn: the common base of all nets with a discriminator."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import torch
from torch import Tensor, nn

from omitrans.engine._net import OmicsNet


class TwoPlayerNet(OmicsNet):
    """A network and a discriminator that judges its output, each with its own optimizer.

    A subclass implements ``train_step``, and adds to ``size_names`` the names of the first two
    arguments, both sizes, of its discriminator.

    Parameters
    ----------
    *args : object
        Positional parameters of :class:`~omitrans.engine._net.OmicsNet`.
    discriminator : type or None
        Discriminator class; its arguments are given as ``discriminator__*``. None trains the
        network alone.
    discriminator_optimizer : type, default=torch.optim.Adam
        Optimizer class of the discriminator; its arguments are given as
        ``discriminator_optimizer__*``.
    **kwargs : object
        Keyword parameters of :class:`~omitrans.engine._net.OmicsNet`.
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
        """Build the network, then the discriminator if there is one."""
        super().initialize_module()
        if self.discriminator is not None:
            params = self.get_params_for("discriminator")
            sizes = [params.pop(name) for name in self.size_names["discriminator"]]
            self.discriminator_ = self.discriminator(*sizes, **params)
        return self

    def initialize_optimizer(self, triggered_directly: bool | None = None) -> Self:
        """Build an optimizer for each network."""
        super().initialize_optimizer(triggered_directly)
        if self.discriminator is not None:
            params = self.discriminator_.named_parameters()
            args, kwargs = self.get_params_for_optimizer("discriminator_optimizer", params)
            self.discriminator_optimizer_ = self.discriminator_optimizer(*args, **kwargs)
        return self

    def step_discriminator(self, loss: Tensor) -> None:
        """Take one optimizer step of the discriminator on its loss."""
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
    """Let gradients pass through `network`, but compute none for its weights, inside the block."""
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)
