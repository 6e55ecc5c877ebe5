"""RMSprop in one pass over the weights."""

from collections.abc import Callable
from math import sqrt
from typing import Any

import torch


class RMSprop(torch.optim.Adam):
    """RMSprop without momentum, computed by torch's fused Adam.

    :class:`torch.optim.RMSprop` passes over weights and gradients several times, which takes
    about four times as long for large layers. Adam without memory of the gradient is RMSprop apart
    from the correction of its second moment in the first steps; the learning rate and `eps` of each
    step undo this correction. All weights of a group must have gradients in the same steps.

    Parameters
    ----------
    params : iterable
        Parameters, or groups of parameters, to optimise.
    lr : float, default=1e-3
        Learning rate.
    rho : float, default=0.9
        Share of the old mean of the squared gradients that a step keeps.
    eps : float, default=1e-7
        Number that is added to the root of this mean.
    **kwargs : object
        ``weight_decay`` and ``fused`` as :class:`torch.optim.Adam` takes them.
    """

    def __init__(
        self, params: Any, lr: float = 1e-3, *, rho: float = 0.9, eps: float = 1e-7, **kwargs: Any
    ) -> None:
        super().__init__(params, lr=lr, betas=(0.0, rho), eps=eps, **kwargs)

    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Take one step."""
        own = [(group["lr"], group["eps"]) for group in self.param_groups]
        for group in self.param_groups:
            group["n_steps"] = group.get("n_steps", 0) + 1
            correction = sqrt(1 - group["betas"][1] ** group["n_steps"])
            group["lr"] /= correction
            group["eps"] /= correction
        try:
            return super().step(closure)
        finally:
            for group, (lr, eps) in zip(self.param_groups, own, strict=True):
                group["lr"], group["eps"] = lr, eps
