"""A generator with a transformer layer between encoder and decoder."""

from torch import Tensor, nn

from omitrans.networks._attention import SampleAttention
from omitrans.networks._blocks import FCBlock, Linear
from omitrans.networks._registries import register_generator


@register_generator("transformer")
class TransformerGenerator(nn.Module):
    """A generator with a transformer layer over tokens made of each sample.

    A fully connected block makes `n_tokens` tokens of a sample, attention runs among the tokens of
    the sample, and a linear layer returns the target. In the authors' code attention runs across
    the samples of a batch, so that a prediction depends on the other samples. With ``n_tokens=1``
    all weights have the published shapes, and attention over the one token is a linear map.

    Parameters
    ----------
    n_source, n_target : int
        Number of source and target features.
    latent_dim : int, default=256
        Number of features per token.
    n_tokens : int, default=8
        Number of tokens per sample.
    n_heads : int, default=8
        Largest number of attention heads. The layer has the largest number up to it that divides
        `latent_dim`.
    feedforward_width : int, default=2048
        Width of the hidden layer of the feed-forward network in the transformer layer.
    dropout : float, default=0.2
        Share of features set to zero in training.
    norm : {"sample", "none"}, default="sample"
        Whether to standardise each sample over the features of the first block ("sample").
    negative_slope : float, default=0.2
        Slope of the LeakyReLU for negative inputs.

    References
    ----------
    This network is `transformer_g` in the authors' code (2023; not in the paper).
    """

    def __init__(
        self,
        n_source: int,
        n_target: int,
        *,
        latent_dim: int = 256,
        n_tokens: int = 8,
        n_heads: int = 8,
        feedforward_width: int = 2048,
        dropout: float = 0.2,
        norm: str = "sample",
        negative_slope: float = 0.2,
    ) -> None:
        super().__init__()
        width = n_tokens * latent_dim
        self.tokens = FCBlock(
            n_source, width, norm=norm, dropout=dropout, negative_slope=negative_slope
        )
        self.attention = SampleAttention(
            latent_dim,
            n_tokens,
            n_heads=n_heads,
            feedforward_width=feedforward_width,
            dropout=dropout,
        )
        self.output = Linear(width, n_target)

    def forward(self, X: Tensor) -> Tensor:
        """Return the predicted target profiles, of shape (n_samples, n_target)."""
        return self.output(self.attention(self.tokens(X)))
