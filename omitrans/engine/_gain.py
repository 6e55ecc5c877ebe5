"""Adversarial training of an imputer: a discriminator tells observed entries from imputed ones."""

from typing import Any

import torch
from torch import Tensor

from omitrans.engine._masked import MaskedNet, draw_bernoulli
from omitrans.engine._two_player import TwoPlayerNet, frozen
from omitrans.losses import masked_adversarial_loss
from omitrans.utils._draws import generator_on


class GAINNet(TwoPlayerNet, MaskedNet):
    """An imputer and a discriminator, trained in turn (equations 8-13 of the PMI paper).

    The imputer learns to return the values that it is shown and, with a discriminator, to fill
    the other entries with values that look observed. The imputer network is called as
    ``module(covariates, profile, mask, noise)``.

    Parameters
    ----------
    discriminator : type or None
        Discriminator class, built as ``discriminator(n_covariates, n_features, **params)``. The
        network is called on (covariates, completed profile, hint). None trains the imputer alone
        (GAIN-MSE).
    adversarial_weight : float, default=1.0
        Weight of the adversarial loss.
    hint_rate : tuple of float, default=(0.5, 0.5)
        Lower and upper bound of the share of the mask that the discriminator is told. A share is
        drawn for each sample.
    **kwargs
        Parameters of :class:`~omitrans.engine._masked.MaskedNet`; its ``reconstruction_weight``
        is the λ of equation 13.
    """

    size_names = TwoPlayerNet.size_names | {"discriminator": ("n_covariates", "n_features")}

    def __init__(
        self,
        *args: Any,
        adversarial_weight: float = 1.0,
        hint_rate: tuple[float, float] = (0.5, 0.5),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.adversarial_weight = adversarial_weight
        self.hint_rate = hint_rate

    def draw_noise(self, profiles: Tensor) -> Tensor:
        """Return standard normal noise of the shape of `profiles`."""
        return torch.randn(
            profiles.shape, device=profiles.device, generator=generator_on(profiles.device)
        )

    def impute(
        self, covariates: Tensor, profiles: Tensor, shown: Tensor, noise: Tensor | None = None
    ) -> Tensor:
        """Return complete (scaled) profiles from the entries of `profiles` that are shown.

        Training always gives noise (equation 8). Without noise its mean, 0, takes its place.
        """
        mask = shown.to(profiles.dtype)
        noise = torch.zeros_like(profiles) if noise is None else noise * ~shown
        with self.products():
            return self.module_(covariates, profiles * shown, mask, noise).float()

    def train_step(self, batch: tuple[Tensor, Tensor], **_: Any) -> dict[str, Tensor]:
        """Take one step of the discriminator, if there is one, then one step of the imputer."""
        covariates, profiles, _observed, shown = self.masked_batch(batch, self.observed_rate)
        losses: dict[str, Tensor] = {}
        told = draw_bernoulli(profiles, self.hint_rate)
        if self.discriminator is not None:
            losses["discriminator"] = self._discriminator_step(covariates, profiles, shown, told)
        self._set_training(True)
        output = self.impute(covariates, profiles, shown, self.draw_noise(profiles))
        distance = self.criterion_(output, profiles, shown)
        loss = self.reconstruction_weight * distance
        if self.discriminator is not None:
            with frozen(self.discriminator_):
                logits = self._judge(covariates, profiles, output, shown, told)
            # first term of equation 13: filled entries should look observed
            every = torch.ones_like(shown)
            deceived = masked_adversarial_loss(logits, every, ~shown & ~told, counted=~told)
            loss = loss + self.adversarial_weight * deceived
            losses["adversarial"] = deceived.detach()
        self.optimizer_.zero_grad()
        loss.backward()
        self.optimizer_.step()
        return {"reconstruction": distance.detach(), **losses}

    def _discriminator_step(
        self, covariates: Tensor, profiles: Tensor, shown: Tensor, told: Tensor
    ) -> Tensor:
        """Take one step of the discriminator; as in the authors' code, the imputer stays fixed."""
        self._set_training(False)
        with torch.no_grad():
            output = self.impute(covariates, profiles, shown, self.draw_noise(profiles))
        self.discriminator_.train()
        logits = self._judge(covariates, profiles, output, shown, told)
        loss = masked_adversarial_loss(logits, shown, ~told)
        self.step_discriminator(loss)
        return loss.detach()

    def _judge(
        self, covariates: Tensor, profiles: Tensor, output: Tensor, shown: Tensor, told: Tensor
    ) -> Tensor:
        """Return the discriminator's logits for completed profiles (equations 9 to 11)."""
        completed = torch.where(shown, profiles, output)
        hint = torch.where(told, shown.to(profiles.dtype), 0.5)
        with self.products():
            return self.discriminator_(covariates, completed, hint).float()
