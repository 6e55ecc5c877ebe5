"""The fully connected encoder-decoder of the OmiTrans paper (Figure 2)."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from omitrans.networks._blocks import FCBlock, Linear
from omitrans.networks._registries import register_generator


@register_generator("fc")
class FCGenerator(nn.Module):
    """A fully connected encoder-decoder: n_source -> ... -> latent_dim -> ... -> n_target.

    Parameters
    ----------
    n_source, n_target : int
        Number of source and target features.
    hidden_layer_sizes : sequence of int, default=(4096, 1024, 512)
        Widths of the encoder's hidden layers; the decoder has them in reverse order.
    latent_dim : int, default=256
        Width of the bottleneck.
    dropout : float, default=0.2
        Share of features set to zero in training, in every hidden block.
    norm : {"sample", "none"}, default="sample"
        Whether to standardise each sample over the features of every hidden block ("sample").
    negative_slope : float, default=0.2
        Slope of the LeakyReLU for negative inputs.

    References
    ----------
    Zhang and Guo, OmiTrans, Figure 2 and Table 2. It is `fcg` in the authors' code.
    """

    def __init__(
        self,
        n_source: int,
        n_target: int,
        *,
        hidden_layer_sizes: Sequence[int] = (4096, 1024, 512),
        latent_dim: int = 256,
        dropout: float = 0.2,
        norm: str = "sample",
        negative_slope: float = 0.2,
    ) -> None:
        super().__init__()
        widths = [n_source, *hidden_layer_sizes, latent_dim, *reversed(hidden_layer_sizes)]
        self.hidden = nn.Sequential(
            *(
                FCBlock(n_in, n_out, norm=norm, dropout=dropout, negative_slope=negative_slope)
                for n_in, n_out in pairwise(widths)
            )
        )
        self.output = Linear(widths[-1], n_target)

    def forward(self, X: Tensor) -> Tensor:
        """Return the predicted target profiles, of shape (n_samples, n_target)."""
        return self.output(self.hidden(X))
