"""Adversarial training of a generator and a discriminator of (source, target) pairs."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from omitrans.engine._two_player import TwoPlayerNet, frozen


class AdversarialNet(TwoPlayerNet):
    """A generator and a discriminator, trained in turn (equations 3-6 of the OmiTrans paper).

    Parameters
    ----------
    module : type
        Generator class; its arguments are given as ``module__*``.
    criterion : callable
        Function of (network output, scaled target) that returns their distance as a scalar tensor
        (equation 5).
    discriminator : type
        Discriminator class; its arguments are given as ``discriminator__*``.
    adversarial_loss : callable
        Function of (logits, real) that returns a scalar tensor.
    **kwargs : object
        Parameters of :class:`~omitrans.engine._two_player.TwoPlayerNet`; its
        ``reconstruction_weight`` is the λ of equation 6.
    """

    size_names = TwoPlayerNet.size_names | {"discriminator": ("n_target", "n_source")}

    def __init__(
        self,
        module: type[nn.Module],
        criterion: Callable[[Tensor, Tensor], Tensor],
        *,
        adversarial_loss: Callable[[Tensor, bool], Tensor],
        **kwargs: Any,
    ) -> None:
        super().__init__(module, criterion, **kwargs)
        self.adversarial_loss = adversarial_loss

    def train_step(self, batch: tuple[Tensor, Tensor], **_: Any) -> dict[str, Tensor]:
        """Take one step of the discriminator, then one step of the generator."""
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
        self.step_discriminator(loss_D)

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
