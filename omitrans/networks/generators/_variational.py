"""The variational encoder-decoder, whose bottleneck is a normal distribution."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from omitrans.networks._blocks import FCBlock, GaussianBottleneck, Linear
from omitrans.networks._registries import register_generator


@register_generator("variational")
class VariationalGenerator(nn.Module):
    """A fully connected encoder-decoder whose bottleneck is a normal distribution.

    In training the latent vector is drawn from that distribution, and the divergence of the
    distribution from N(0, 1) is part of the loss. A prediction is decoded from the mean of the
    distribution; the authors' code draws a latent vector for predictions too.

    Parameters
    ----------
    n_source, n_target : int
        Number of source and target features.
    hidden_layer_sizes : sequence of int, default=(4096, 1024, 512)
        Widths of the encoder's hidden layers; the decoder has them in reverse order.
    latent_dim : int, default=256
        Width of the bottleneck.
    kl_weight : float, default=1.0
        Weight in the loss of the divergence, which is a mean over samples and dimensions.
    dropout : float, default=0.2
        Share of features set to zero in training, in every hidden block.
    norm : {"sample", "none"}, default="sample"
        Whether to standardise each sample over the features of every hidden block ("sample").
    negative_slope : float, default=0.2
        Slope of the LeakyReLU for negative inputs.

    References
    ----------
    This network is `fc_ved` in the authors' code.
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
        """Return the predicted target profiles, and the weighted divergence for the loss."""
        latent, divergence = self.bottleneck(self.encoder(X))
        return self.output(self.decoder(latent)), self.kl_weight * divergence

    def forward(self, X: Tensor) -> Tensor:
        """Return the predicted target profiles, of shape (n_samples, n_target)."""
        return self.forward_with_penalty(X)[0]
