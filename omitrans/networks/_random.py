"""Random parts of networks, drawn from the generators of the fit that trains them."""

import torch
from torch import Tensor, nn

from omitrans.utils._draws import generator_on


class Dropout(nn.Dropout):
    """A dropout layer that draws from the generator of the fit; elsewhere from torch's own.

    :class:`torch.nn.Dropout` can only draw from the generator that all threads of the process
    share, so that two fits in two threads would disturb each other.
    """

    def forward(self, X: Tensor) -> Tensor:
        """Set a random share of the values to 0 and scale up the others, in training only."""
        generator = generator_on(X.device)
        if not self.training or generator is None or self.p == 0:
            return super().forward(X)
        if self.p == 1:
            return X * 0.0
        # the very operations of torch on the CPU, so that the numbers are the same as well
        kept = torch.empty_like(X).bernoulli_(1 - self.p, generator=generator)
        return X * kept.div_(1 - self.p)


def normal_like(X: Tensor) -> Tensor:
    """Return standard normal numbers of the shape, dtype and device of `X`."""
    return torch.empty_like(X).normal_(generator=generator_on(X.device))
