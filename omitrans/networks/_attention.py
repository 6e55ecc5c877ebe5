"""Attention between parts of one sample."""

from math import sqrt

from torch import Tensor, nn
from torch.nn.functional import linear, relu, softmax

from omitrans.networks._blocks import init_published
from omitrans.networks._random import Dropout


class EncoderLayer(nn.TransformerEncoderLayer):
    """A transformer encoder layer that draws its dropout from the generator of the fit.

    In training it computes what :class:`torch.nn.TransformerEncoderLayer` computes, in the same
    order, with dropout layers that can be given a generator. In evaluation it is that class.

    Parameters
    ----------
    dim : int
        Number of features per token.
    n_heads : int
        Number of attention heads; it divides `dim`.
    feedforward_width : int
        Width of the hidden layer of the feed-forward network.
    dropout : float
        Share of features and of attention weights set to zero in training.
    """

    def __init__(self, dim: int, n_heads: int, feedforward_width: int, dropout: float) -> None:
        super().__init__(dim, n_heads, feedforward_width, dropout, batch_first=True)
        self.self_attn.dropout = 0.0
        self.attention_dropout = Dropout(dropout)
        self.dropout, self.dropout1, self.dropout2 = (Dropout(dropout) for _ in range(3))

    def forward(self, tokens: Tensor) -> Tensor:  # type: ignore[override]
        """Map tokens of shape (n_samples, n_tokens, dim) to the same shape."""
        if not self.training:
            return super().forward(tokens)
        tokens = self.norm1(tokens + self.dropout1(self._attend(tokens)))
        hidden = self.dropout(relu(self.linear1(tokens)))
        return self.norm2(tokens + self.dropout2(self.linear2(hidden)))

    def _attend(self, tokens: Tensor) -> Tensor:
        """Return what each token takes from all tokens of its sample."""
        attention = self.self_attn
        n_samples, n_tokens, dim = tokens.shape
        n_heads, head_dim = attention.num_heads, dim // attention.num_heads
        joint = linear(tokens.transpose(0, 1), attention.in_proj_weight, attention.in_proj_bias)
        parts = joint.unflatten(-1, (3, dim)).movedim(-2, 0).contiguous()
        heads = parts.view(3, n_tokens, n_samples * n_heads, head_dim).transpose(1, 2)
        query, key, value = heads.reshape(3, n_samples, n_heads, n_tokens, head_dim)
        scale = sqrt(1 / sqrt(head_dim))  # on both sides, so that neither becomes large
        weights = softmax((query * scale) @ (key * scale).transpose(-2, -1), dim=-1)
        taken = self.attention_dropout(weights) @ value
        taken = taken.permute(2, 0, 1, 3).reshape(n_tokens * n_samples, dim)
        return attention.out_proj(taken).view(n_tokens, n_samples, dim).transpose(0, 1)


class SampleAttention(nn.Module):
    """A transformer encoder layer over the tokens of each sample, separately for each sample.

    A sample is a vector of ``n_tokens * dim`` features, read as `n_tokens` tokens of `dim`
    features.

    Parameters
    ----------
    dim : int
        Number of features per token.
    n_tokens : int
        Number of tokens per sample.
    n_heads : int
        Largest number of attention heads. The layer has the largest number up to it that divides
        `dim`.
    feedforward_width : int
        Width of the hidden layer of the feed-forward network in the transformer layer.
    dropout : float
        Share of features set to zero in training.
    """

    def __init__(
        self, dim: int, n_tokens: int, *, n_heads: int, feedforward_width: int, dropout: float
    ) -> None:
        super().__init__()
        self.shape = (n_tokens, dim)
        n_heads = next(n for n in range(min(n_heads, dim), 0, -1) if dim % n == 0)
        self.layer = EncoderLayer(dim, n_heads, feedforward_width, dropout)
        for module in self.layer.modules():
            if isinstance(module, nn.Linear):  # all but the joint weights of the attention
                init_published(module)

    def forward(self, h: Tensor) -> Tensor:
        """Map a tensor of shape (n_samples, n_tokens * dim) to the same shape."""
        return self.layer(h.unflatten(1, self.shape)).flatten(1)
