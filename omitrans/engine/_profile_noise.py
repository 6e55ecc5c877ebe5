"""Noise on the profiles that a critic is shown, as a form of augmentation."""

import torch
from torch import Tensor

from omitrans.utils._draws import generator_on


class ProfileNoise:
    """Normal noise on a random part of the profiles that a critic judges, real and generated.

    Parameters
    ----------
    share : float
        Probability that a sample gets noise, from 0 to 1. The same samples get noise in the real
        and in the generated batch.
    sd : float
        Standard deviation of the noise, in scaled units.
    frozen : bool
        Whether samples and noise are drawn once, by their place in the batch, as the authors' code
        does: its draws are part of a graph that is traced once. There the noise of generated
        profiles in the step of the critic is one vector for all samples.
    """

    def __init__(self, share: float, sd: float, frozen: bool) -> None:
        self.share = share
        self.sd = sd
        self.frozen = frozen

    def prepare(self, n_rows: int, n_genes: int, device: torch.device) -> None:
        """Draw what is drawn once for the training."""
        if not self.frozen or self.share == 0:
            return
        shape = (n_rows, n_genes)
        rows = self._rows(n_rows, device)
        self._real = rows * self._normal(shape, device)
        self._generated = rows * self._normal((1, n_genes), device)
        self._deceiving = self._rows(n_rows, device) * self._normal(shape, device)

    def before_critic(self, real: Tensor, generated: Tensor) -> tuple[Tensor, Tensor]:
        """Return real and generated profiles as a step of the critic is shown them."""
        if self.share == 0:
            return real, generated
        n = len(real)
        if self.frozen:
            return real + self._real[:n], generated + self._generated[:n]
        rows = self._rows(n, real.device)
        noise = [rows * self._normal(tuple(real.shape), real.device) for _ in range(2)]
        return real + noise[0], generated + noise[1]

    def before_generator(self, generated: Tensor) -> Tensor:
        """Return generated profiles as a step of the generator shows them to the critic."""
        if self.share == 0:
            return generated
        n = len(generated)
        if self.frozen:
            return generated + self._deceiving[:n]
        rows = self._rows(n, generated.device)
        return generated + rows * self._normal(tuple(generated.shape), generated.device)

    def _rows(self, n: int, device: torch.device) -> Tensor:
        draws = torch.rand((n, 1), device=device, generator=generator_on(device))
        return (draws < self.share).float()

    def _normal(self, shape: tuple[int, ...], device: torch.device) -> Tensor:
        return self.sd * torch.randn(shape, device=device, generator=generator_on(device))
