"""Training of imputers: a new mask is drawn for every batch, on the device."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from omitrans.engine._data import PairedRows
from omitrans.engine._net import OmicsNet, penalty_of_noise
from omitrans.utils._draws import generator_on

VALIDATION_SEED = 0  # the same masks in every epoch, so that losses can be compared
WITHOUT_MASK = (1.0, 1.0)


def draw_bernoulli(like: Tensor, rate: tuple[float, float], generator: Any = None) -> Tensor:
    """Return a random mask whose entries are true with a probability drawn for each sample.

    Parameters
    ----------
    like : torch.Tensor of shape (n_samples, n_features)
        Tensor that gives the shape and the device of the mask.
    rate : tuple of float
        Bounds α ≤ β of the uniform distribution of the probability.
    generator : torch.Generator, default=None
        Random number generator on that device. None takes that of the fit.

    Returns
    -------
    torch.Tensor of bool
        The mask, of the shape of `like`.
    """
    low, high = rate
    options = {"device": like.device, "generator": generator or generator_on(like.device)}
    p: Tensor | float = low
    if high > low:
        p = low + (high - low) * torch.rand((len(like), 1), **options)
    return torch.rand(like.shape, **options) < p


class MaskedNet(OmicsNet):
    """A network that imputes, trained on observed values that it is not shown (Algorithm 1).

    A batch is a pair of covariates (the source) and profiles with NaN (the target). A random part
    of the observed values of a profile is shown to the network (pseudo-observed); the criterion
    compares the others (pseudo-missing). The network is called as
    ``module(covariates, profile, mask)``.

    Parameters
    ----------
    module : type
        Network class, built as ``module(n_covariates, n_features, **params)``.
    criterion : callable
        Function of (output, profile, scored entries) that returns a scalar tensor.
    observed_rate : tuple of float, default=(0.5, 0.5)
        Lower and upper bound of the share of observed values that are shown. A share is drawn for
        each sample.
    **kwargs
        Parameters of :class:`~omitrans.engine._net.OmicsNet`.
    """

    def __init__(
        self, *args: Any, observed_rate: tuple[float, float] = (0.5, 0.5), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.observed_rate = observed_rate

    def prepare(self, dataset: PairedRows) -> None:
        """Learn the scaling of the profiles and set the weight decay.

        The scaling is learned on the validation rows too, because a gene may be observed in these
        rows only.
        """
        self.target_scaling_.learn(dataset.Y, torch.arange(len(dataset.Y)))
        n_features = dataset.Y.shape[1]
        penalty = self.alpha * penalty_of_noise(len(dataset), n_features, n_features)
        for group in self.optimizer_.param_groups:
            group["weight_decay"] = self.reconstruction_weight * penalty

    def draw_noise(self, profiles: Tensor) -> Tensor | None:
        """Return the noise that the network takes in addition to `profiles`; here None."""
        return None

    def impute(
        self, covariates: Tensor, profiles: Tensor, shown: Tensor, noise: Tensor | None = None
    ) -> Tensor:
        """Return complete (scaled) profiles from the entries of `profiles` that are shown."""
        with self.products():
            return self.module_(covariates, profiles * shown, shown.to(profiles.dtype)).float()

    def masked_batch(
        self, batch: tuple[Tensor, Tensor], rate: tuple[float, float], generator: Any = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return covariates, scaled profiles (0 for NaN), and the observed and shown masks."""
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
        """Run one epoch over the batches; validation draws the same masks in every epoch."""
        if not training:
            self._validation_draws = torch.Generator(self.device).manual_seed(VALIDATION_SEED)
        super().run_single_epoch(iterator, training, *args, **kwargs)

    def validation_step(self, batch: tuple[Tensor, Tensor], **_: Any) -> dict[str, Tensor]:
        """Return the error over hidden observed values, even if training hides none."""
        self._set_training(False)
        rate = self.observed_rate if self.observed_rate != WITHOUT_MASK else (0.5, 0.5)
        with torch.no_grad():
            covariates, profiles, observed, shown = self.masked_batch(
                batch, rate, self._validation_draws
            )
            output = self.impute(covariates, profiles, shown)
            return {"reconstruction": self.criterion_(output, profiles, observed & ~shown)}
