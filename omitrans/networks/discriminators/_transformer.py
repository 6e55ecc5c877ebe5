"""A discriminator with a transformer layer."""

from torch import Tensor, nn

from omitrans.networks._attention import SampleAttention
from omitrans.networks._blocks import Linear, PairLinear
from omitrans.networks._registries import register_discriminator


@register_discriminator("transformer")
class TransformerDiscriminator(nn.Module):
    """A discriminator with a transformer layer over tokens made of each pair.

    A linear layer makes the tokens of the concatenated pair, attention runs among the tokens of
    the pair, and another linear layer returns the logits. In the authors' code attention runs
    across the pairs of a batch. With ``n_tokens=1`` all weights have the published shapes.

    Parameters
    ----------
    n_target, n_source : int
        Number of target and source features.
    token_width : int, default=64
        Number of features per token.
    n_tokens : int, default=8
        Number of tokens per pair.
    n_heads : int, default=8
        Largest number of attention heads. The layer has the largest number up to it that divides
        `token_width`.
    feedforward_width : int, default=2048
        Width of the hidden layer of the feed-forward network in the transformer layer.
    n_logits : int, default=16
        Number of logits that the discriminator returns for a pair.
    dropout : float, default=0.1
        Share of features set to zero in training, inside the transformer layer; 0.1 is the
        authors' rate.
    negative_slope : float, default=0.2
        Slope of the LeakyReLU for negative inputs.

    References
    ----------
    This network is `transformer_d` in the authors' code (2023; not in the paper).
    """

    def __init__(
        self,
        n_target: int,
        n_source: int,
        *,
        token_width: int = 64,
        n_tokens: int = 8,
        n_heads: int = 8,
        feedforward_width: int = 2048,
        n_logits: int = 16,
        dropout: float = 0.1,
        negative_slope: float = 0.2,
    ) -> None:
        super().__init__()
        width = n_tokens * token_width
        self.pair = PairLinear(n_target, n_source, width)
        self.attention = SampleAttention(
            token_width,
            n_tokens,
            n_heads=n_heads,
            feedforward_width=feedforward_width,
            dropout=dropout,
        )
        self.output = nn.Sequential(nn.LeakyReLU(negative_slope), Linear(width, n_logits))

    def forward(self, Y: Tensor, X: Tensor) -> Tensor:
        """Return the logits of the pairs, of shape (n_samples, n_logits)."""
        return self.output(self.attention(self.pair(Y, X)))
