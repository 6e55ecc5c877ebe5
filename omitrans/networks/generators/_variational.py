"""The variational encoder-decoder."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from omitrans.networks._blocks import FCBlock, GaussianBottleneck, Linear
from omitrans.networks._registries import register_generator


@register_generator("variational")
class VariationalGenerator(nn.Module):
    """Fully connected encoder-decoder whose bottleneck is a normal distribution.

    In training a latent vector is drawn and the divergence of its distribution from N(0, 1) is
    part of the loss; the prediction is decoded from the mean (the authors' code draws there too).

    Parameters
    ----------
    n_source, n_target : int
        Number of source and target features.
    hidden_layer_sizes : sequence of int, default=(4096, 1024, 512)
        Widths of the encoder; the decoder has the same in reverse.
    latent_dim : int, default=256
        Dimension of the latent distribution.
    kl_weight : float, default=1.0
        Weight of the divergence, a mean over samples and dimensions, in the loss.
    dropout : float, default=0.2
        Share of features set to zero in training, in every hidden block.
    norm : {"sample", "none"}, default="sample"
        Standardise each sample over the features of a hidden block, or not.
    negative_slope : float, default=0.2
        Slope of LeakyReLU below zero.

    References
    ----------
    `fc_ved` in the authors' code.
    """

    def __init__(
        self,
        n_source: int,
        n_target: int,
        *,
        hidden_layer_sizes: Sequence[int] = (4096, 1024, 512),
        latent_dim: int = 256,
        kl_weight: float = 1.0,
        dropout: float = 0.2,
        norm: str = "sample",
        negative_slope: float = 0.2,
    ) -> None:
        super().__init__()
        style: dict[str, Any] = {"norm": norm, "dropout": dropout, "negative_slope": negative_slope}
        down = [n_source, *hidden_layer_sizes]
        up = [latent_dim, *reversed(hidden_layer_sizes)]
        self.encoder = nn.Sequential(*(FCBlock(a, b, **style) for a, b in pairwise(down)))
        self.bottleneck = GaussianBottleneck(down[-1], latent_dim)
        self.decoder = nn.Sequential(*(FCBlock(a, b, **style) for a, b in pairwise(up)))
        self.output = Linear(up[-1], n_target)
        self.kl_weight = kl_weight

    def forward_with_penalty(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Return the target profiles, and the weighted divergence for the loss."""
        latent, divergence = self.bottleneck(self.encoder(X))
        return self.output(self.decoder(latent)), self.kl_weight * divergence

    def forward(self, X: Tensor) -> Tensor:
        """Return the predicted target profiles, of shape (n_samples, n_target)."""
        return self.forward_with_penalty(X)[0]
