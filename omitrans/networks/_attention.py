"""Self-attention among parts of one sample."""

from torch import Tensor, nn

from omitrans.networks._blocks import init_published


class SampleAttention(nn.Module):
    """A transformer encoder layer over the tokens of each sample; samples never meet.

    A vector of ``n_tokens * dim`` features is read as `n_tokens` tokens of `dim` features.

    Parameters
    ----------
    dim : int
        Width of a token.
    n_tokens : int
        Tokens a sample.
    n_heads : int
        Attention heads, at most; the largest number up to it that divides `dim` is taken.
    feedforward_width : int
        Width of the layer's hidden layer.
    dropout : float
        Share of features set to zero in training.
    """

    def __init__(
        self, dim: int, n_tokens: int, *, n_heads: int, feedforward_width: int, dropout: float
    ) -> None:
        super().__init__()
        self.shape = (n_tokens, dim)
        n_heads = next(n for n in range(min(n_heads, dim), 0, -1) if dim % n == 0)
        self.layer = nn.TransformerEncoderLayer(
            dim, n_heads, feedforward_width, dropout=dropout, batch_first=True
        )
        for module in self.layer.modules():
            if isinstance(module, nn.Linear):  # all but the joint weights of the attention
                init_published(module)

    def forward(self, h: Tensor) -> Tensor:
        """Map (n_samples, n_tokens * dim) to the same shape."""
        return self.layer(h.unflatten(1, self.shape)).flatten(1)
