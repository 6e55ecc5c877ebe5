"""Probe dropout: training hides random source features, as on incomplete arrays."""

import torch
from torch import Tensor

from omitrans.utils._blocks import MODEL_VALUES, rows_per_block
from omitrans.utils._draws import generator_on


class ProbeDropout:
    """Replace a random share of each sample's features by their training means.

    A sample that lacks probes is predicted with training means in their place. A network that was
    trained on complete samples only relies too much on single features.

    Parameters
    ----------
    max_share : float
        Largest share of hidden features. The share of each sample in each batch is drawn uniformly
        between 0 and this value. 0 hides nothing.
    """

    def __init__(self, max_share: float) -> None:
        self.max_share = max_share
        self._means: Tensor | None = None

    def learn(self, values: Tensor, rows: Tensor) -> None:
        """Compute the means of the features over the training rows."""
        if not self.max_share:
            return
        total = torch.zeros(values.shape[1], dtype=torch.float64, device=values.device)
        for block in rows.to(values.device).split(rows_per_block(values.shape[1], MODEL_VALUES)):
            total += values[block].sum(0, dtype=torch.float64)
        self._means = (total / len(rows)).float()

    def __call__(self, X: Tensor) -> Tensor:
        """Return a batch, in its own units, with random features replaced by their means."""
        if self._means is None:
            return X
        options = {"device": X.device, "generator": generator_on(X.device)}
        shares = self.max_share * torch.rand((len(X), 1), **options)
        self._means = self._means.to(X.device)
        return torch.where(torch.rand(X.shape, **options) < shares, self._means, X)
