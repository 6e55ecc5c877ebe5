"""Training of imputers: masks are drawn anew for every batch, on the device."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from omitrans.engine._data import PairedRows
from omitrans.engine._net import OmicsNet, penalty_of_noise

VALIDATION_SEED = 0  # the same masks in every epoch, so that losses can be compared
WITHOUT_MASK = (1.0, 1.0)


def draw_bernoulli(like: Tensor, rate: tuple[float, float], generator: Any = None) -> Tensor:
    """Return independent draws that are true with a probability drawn for each sample.

    Parameters
    ----------
    like : torch.Tensor of shape (n_samples, n_features)
        Gives shape and device.
    rate : tuple of float
        Bounds α ≤ β of the uniform distribution of the probability.
    generator : torch.Generator, default=None
        Of that device. None takes torch's own.

    Returns
    -------
    torch.Tensor of bool
        Of the shape of `like`.
    """
    low, high = rate
    options = {"device": like.device, "generator": generator}
    p: Tensor | float = low
    if high > low:
        p = low + (high - low) * torch.rand((len(like), 1), **options)
    return torch.rand(like.shape, **options) < p


class MaskedNet(OmicsNet):
    """A network that fills holes, trained on observed values which it is not shown (Algorithm 1).

    A batch is a pair of covariates (the source) and profiles with NaN (the target). Of the
    observed values of a profile a random part is shown (pseudo-observed); the criterion takes the
    others (pseudo-missing). The network is called as ``module(covariates, profile, mask)``.

    Parameters
    ----------
    module : type
        Network class; called as ``module(n_covariates, n_features, **params)``.
    criterion : callable
        Function of (output, profile, scored entries) that returns a scalar tensor.
    observed_rate : tuple of float, default=(0.5, 0.5)
        Bounds of the share of observed values that are shown, drawn for each sample.
    **kwargs
        As for :class:`~omitrans.engine._net.OmicsNet`.
    """

    def __init__(
        self, *args: Any, observed_rate: tuple[float, float] = (0.5, 0.5), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.observed_rate = observed_rate

    def prepare(self, dataset: PairedRows) -> None:
        """Learn the scaling of profiles and set the penalty.

        The scaling takes validation rows too: a gene may be observed in these alone.
        """
        self.target_scaling_.learn(dataset.Y, torch.arange(len(dataset.Y)))
        n_features = dataset.Y.shape[1]
        penalty = self.alpha * penalty_of_noise(len(dataset), n_features, n_features)
        for group in self.optimizer_.param_groups:
            group["weight_decay"] = self.reconstruction_weight * penalty

    def draw_noise(self, profiles: Tensor) -> Tensor | None:
        """Return the noise that the network takes beside `profiles`: none."""
        return None

    def impute(
        self, covariates: Tensor, profiles: Tensor, shown: Tensor, noise: Tensor | None = None
    ) -> Tensor:
        """Return whole (scaled) profiles from those entries of `profiles` that are shown."""
        with self.products():
            return self.module_(covariates, profiles * shown, shown.to(profiles.dtype)).float()

    def masked_batch(
        self, batch: tuple[Tensor, Tensor], rate: tuple[float, float], generator: Any = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return covariates, scaled profiles with 0 for NaN, and what is observed and shown."""
        covariates, profiles = self.scaled(batch)
        observed = ~profiles.isnan()
        shown = observed
        if rate != WITHOUT_MASK:
            shown = observed & draw_bernoulli(profiles, rate, generator)
        return covariates, profiles.nan_to_num(), observed, shown

    def train_step(self, batch: tuple[Tensor, Tensor], **_: Any) -> dict[str, Tensor]:
        """Take one step on the pseudo-missing values of a batch."""
        self._set_training(True)
        covariates, profiles, observed, shown = self.masked_batch(batch, self.observed_rate)
        output = self.impute(covariates, profiles, shown)
        loss = self.criterion_(output, profiles, observed & ~shown)
        self.optimizer_.zero_grad()
        loss.backward()
        self.optimizer_.step()
        return {"reconstruction": loss.detach()}

    def run_single_epoch(
        self, iterator: Iterable[Any] | None, training: bool, *args: Any, **kwargs: Any
    ) -> None:
        """Pass over the batches; validation draws the same masks every time."""
        if not training:
            self._validation_draws = torch.Generator(self.device).manual_seed(VALIDATION_SEED)
        super().run_single_epoch(iterator, training, *args, **kwargs)

    def validation_step(self, batch: tuple[Tensor, Tensor], **_: Any) -> dict[str, Tensor]:
        """Return the error at observed values that are not shown, whatever training shows."""
        self._set_training(False)
        rate = self.observed_rate if self.observed_rate != WITHOUT_MASK else (0.5, 0.5)
        with torch.no_grad():
            covariates, profiles, observed, shown = self.masked_batch(
                batch, rate, self._validation_draws
            )
            output = self.impute(covariates, profiles, shown)
            return {"reconstruction": self.criterion_(output, profiles, observed & ~shown)}
