"""Adversarial training of a generator and a discriminator of (source, target) pairs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from omitrans.engine._net import OmicsNet


class AdversarialNet(OmicsNet):
    """Generator and discriminator trained in turn, as in equations 3-6 of the OmiTrans paper.

    Parameters
    ----------
    module : type
        Generator class; its arguments come as ``module__*``.
    criterion : callable
        Distance of generated from real profiles, equation 5.
    discriminator : type
        Discriminator class; its arguments come as ``discriminator__*``.
    adversarial_loss : callable
        Function of (logits, real) that returns a scalar tensor.
    discriminator_optimizer : type, default=torch.optim.Adam
        Optimizer of the discriminator; its arguments come as ``discriminator_optimizer__*``.
    **kwargs
        As for :class:`~omitrans.engine._net.OmicsNet`; its ``reconstruction_weight`` is the λ of
        equation 6.
    """

    def __init__(
        self,
        module: type[nn.Module],
        criterion: Callable[[Tensor, Tensor], Tensor],
        *,
        discriminator: type[nn.Module],
        adversarial_loss: Callable[[Tensor, bool], Tensor],
        discriminator_optimizer: type[torch.optim.Optimizer] = torch.optim.Adam,
        **kwargs: Any,
    ) -> None:
        super().__init__(module, criterion, **kwargs)
        self.discriminator = discriminator
        self.adversarial_loss = adversarial_loss
        self.discriminator_optimizer = discriminator_optimizer

    def initialize_module(self) -> "AdversarialNet":
        """Build both networks."""
        super().initialize_module()
        params = self.get_params_for("discriminator")
        n_target, n_source = params.pop("n_target"), params.pop("n_source")
        self.discriminator_ = self.discriminator(n_target, n_source, **params)
        return self

    def initialize_optimizer(self, triggered_directly: bool | None = None) -> "AdversarialNet":
        """Give each network an optimizer of its own."""
        super().initialize_optimizer(triggered_directly)
        params = self.discriminator_.named_parameters()
        args, kwargs = self.get_params_for_optimizer("discriminator_optimizer", params)
        self.discriminator_optimizer_ = self.discriminator_optimizer(*args, **kwargs)
        return self

    def train_step(self, batch: tuple[Tensor, Tensor], **_: Any) -> dict[str, Tensor]:
        """Take one step of the discriminator, then one of the generator."""
        self._set_training(True)
        X, Y = self.shown(batch)
        D = self.discriminator_

        with self.products():
            output, penalty = self.generate(X)
            generated = self.profile(output)
            on_real, on_generated = D(Y, X), D(generated.detach(), X)
        # equations 3 and 4: D raises log D(x, y) + log(1 - D(x, G(x)))
        judged_real = self.adversarial_loss(on_real.float(), True)
        judged_generated = self.adversarial_loss(on_generated.float(), False)
        loss_D = (judged_real + judged_generated) / 2
        self.discriminator_optimizer_.zero_grad()
        loss_D.backward()
        self.discriminator_optimizer_.step()

        # equation 6: G lowers its adversarial loss plus λ times the distance of equation 5
        with frozen(D), self.products():
            on_generated = D(generated, X)
        deceived = self.adversarial_loss(on_generated.float(), True)
        distance = self.criterion_(output.float(), Y)
        loss_G = deceived + self.reconstruction_weight * distance + sum(penalty.values())
        self.optimizer_.zero_grad()
        loss_G.backward()
        self.optimizer_.step()
        return {
            "reconstruction": distance.detach(),
            "adversarial": deceived.detach(),
            "discriminator": loss_D.detach(),
            **{name: term.detach() for name, term in penalty.items()},
        }


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
