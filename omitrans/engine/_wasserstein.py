"""Adversarial training of a conditional generator of profiles with a Wasserstein critic."""

import copy
from collections.abc import Callable, Iterable
from typing import Any, Self

import torch
from torch import Tensor, nn

from omitrans.engine._data import PairedRows
from omitrans.engine._masked import VALIDATION_SEED
from omitrans.engine._profile_noise import ProfileNoise
from omitrans.engine._realism import MIN_GENES, MIN_SAMPLES, energy_score, structure_distance
from omitrans.engine._two_player import TwoPlayerNet, frozen
from omitrans.losses import gradient_penalty
from omitrans.utils._draws import generator_on

N_VALIDATION_DRAWS = 256  # as many profiles at least, unless a sample would need more than 32
SCORES = {"s_dist": "valid_structure", "energy": "valid_energy"}


class WassersteinNet(TwoPlayerNet):
    """A generator and a critic of profiles, trained in turn (equations 1-3 of the paper).

    A batch is a pair of covariates (the source) and profiles (the target). The generator is called
    as ``module(covariates, noise)`` with ``module.n_inputs`` values of noise. The critic is called
    as ``discriminator(covariates, profile)`` and as
    ``discriminator.compare(covariates, real, generated, share)``, which returns both scores and the
    gradient of the score at the mixture of both profiles.

    Parameters
    ----------
    module : type
        Generator class, built as ``module(n_covariates, n_genes, **params)``.
    criterion : callable
        Function of (scores, real) that returns a scalar tensor.
    n_critic : int, default=5
        Number of steps of the critic for each step of the generator.
    gp_weight : float, default=10.0
        Weight λ of the gradient penalty.
    weight_averaging : float, default=0.0
        Share of the mean of the generator's weights that each step keeps; 0 keeps no mean.
    noise : ProfileNoise
        The noise on profiles that the critic is shown.
    validate_every : int, default=5
        Number of epochs between two validations.
    validation_score : {"s_dist", "energy"}, default="s_dist"
        What a validation measures; "s_dist" needs ten samples and ten genes and is replaced by
        "energy" otherwise.
    **kwargs
        Parameters of :class:`~omitrans.engine._two_player.TwoPlayerNet`.
    """

    size_names = TwoPlayerNet.size_names | {"discriminator": ("n_covariates", "n_outputs")}

    def __init__(
        self,
        *args: Any,
        n_critic: int = 5,
        gp_weight: float = 10.0,
        weight_averaging: float = 0.0,
        noise: ProfileNoise,
        validate_every: int = 5,
        validation_score: str = "s_dist",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.n_critic = n_critic
        self.gp_weight = gp_weight
        self.weight_averaging = weight_averaging
        self.noise = noise
        self.validate_every = validate_every
        self.validation_score = validation_score

    # --- what is set up ---

    def initialize_module(self) -> Self:
        """Build both players and, if weights are averaged, the mean of the generators."""
        super().initialize_module()
        if self.weight_averaging:
            self.average_ = copy.deepcopy(self.module_).requires_grad_(False)
        return self

    def prepare(self, dataset: PairedRows) -> None:
        """Learn the scaling of the profiles from the training rows, and draw frozen noise."""
        self.target_scaling_.learn(dataset.Y, dataset.rows)
        n_validation = len(dataset.X) - len(dataset)
        n_genes = dataset.Y.shape[1]
        few = n_validation < MIN_SAMPLES or n_genes < MIN_GENES
        self.monitor = SCORES["energy" if few else self.validation_score]
        self.noise.prepare(self.batch_size, n_genes, torch.device(self.device))

    def result_network(self) -> nn.Module:
        """Return the generator that training is for: the mean one if weights are averaged."""
        return self.average_ if self.weight_averaging else self.module_

    def restart_average(self) -> None:
        """Begin the mean of the generator's weights anew, with the weights that it has now."""
        if self.weight_averaging:
            self.average_.load_state_dict(self.module_.state_dict())

    def loss_before_training(self, validation: PairedRows) -> float | None:
        """Return the validation loss of a generator that starts as a fitted model."""
        if not hasattr(self.module_, "copy_model"):
            return None
        return self.validation_loss(self.get_iterator(validation, training=False))

    # --- steps ---

    def draw_noise(self, n_rows: int, generator: Any = None) -> Tensor:
        """Return standard normal noise for so many profiles."""
        device = torch.device(self.device)
        own = generator_on(device) if generator is None else generator
        return torch.randn((n_rows, self.module_.n_inputs), device=device, generator=own)

    def train_step(self, batch: tuple[Tensor, Tensor], **_: Any) -> dict[str, Tensor]:
        """Take `n_critic` steps of the critic, then one step of the generator."""
        self._set_training(True)
        covariates, profiles = self.scaled(batch)
        losses: dict[str, Tensor] = {}
        for _step in range(self.n_critic):
            losses = self._critic_step(covariates, profiles)
        return {**losses, "adversarial": self._generator_step(covariates)}

    def _critic_step(self, covariates: Tensor, profiles: Tensor) -> dict[str, Tensor]:
        noise = self.draw_noise(len(profiles))
        share = torch.rand(
            (len(profiles), 1), device=profiles.device, generator=generator_on(profiles.device)
        )
        with self.products():
            with torch.no_grad():
                generated = self.module_(covariates, noise).float()
            real, generated = self.noise.before_critic(profiles, generated)
            critic: Any = self.discriminator_
            on_real, on_generated, slopes = critic.compare(covariates, real, generated, share)
        penalty = gradient_penalty(slopes.float())
        distance = self.criterion_(on_real.float(), True)
        distance = distance + self.criterion_(on_generated.float(), False)
        self.step_discriminator(distance + self.gp_weight * penalty)
        return {"critic": distance.detach(), "critic_penalty": penalty.detach()}

    def _generator_step(self, covariates: Tensor) -> Tensor:
        noise = self.draw_noise(len(covariates))
        with frozen(self.discriminator_), self.products():
            generated = self.module_(covariates, noise)
            scores = self.discriminator_(covariates, self.noise.before_generator(generated))
        loss = self.criterion_(scores.float(), True)
        self.optimizer_.zero_grad()
        loss.backward()
        self.optimizer_.step()
        if self.weight_averaging:
            weights = zip(self.average_.parameters(), self.module_.parameters(), strict=True)
            with torch.no_grad():
                for mean, weight in weights:
                    mean.lerp_(weight, 1 - self.weight_averaging)
        return loss.detach()

    # --- validation ---

    def run_single_epoch(
        self,
        iterator: Iterable[tuple[Tensor, Tensor]] | None,
        training: bool,
        prefix: str,
        step_fn: Callable[..., dict[str, Tensor]],
        **fit_params: Any,
    ) -> None:
        """Run one epoch; validation takes place in some epochs only, over all rows at once."""
        if training:
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
            return
        epoch = len(self.history)
        if iterator is not None and (epoch % self.validate_every == 0 or epoch == self.max_epochs):
            self.history.record(self.monitor, self.validation_loss(iterator))

    def validation_loss(self, batches: Iterable[tuple[Tensor, Tensor]]) -> float:
        """Return how far generated profiles are from the real ones of the same covariates."""
        network = self.result_network()
        network.eval()
        pairs = [self.scaled(batch) for batch in batches]
        covariates, real = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        energy = self.monitor == SCORES["energy"]
        n_draws = min(32, max(1 + energy, -(-N_VALIDATION_DRAWS // len(real))))
        draws = torch.Generator(self.device).manual_seed(VALIDATION_SEED)  # the same every time
        with torch.no_grad(), self.products():
            generated = torch.stack(
                [
                    network(covariates, self.draw_noise(len(real), draws)).float()
                    for _ in range(n_draws)
                ]
            )
        if energy:
            return energy_score(real, generated)
        return structure_distance(real, generated.flatten(0, 1))

    def on_train_end(self, net: Any, *args: Any, **kwargs: Any) -> None:
        """Let the mean of the generators be the result."""
        super().on_train_end(net, *args, **kwargs)
        if self.weight_averaging:
            self.module_.load_state_dict(self.average_.state_dict())
