"""Layers that several networks share."""

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, pad


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


class GaussianBottleneck(nn.Module):
    """Mean and log-variance of a normal distribution, and a draw from it in training.

    Parameters
    ----------
    n_in : int
        Number of inputs.
    latent_dim : int
        Dimension of the distribution.
    """

    def __init__(self, n_in: int, latent_dim: int) -> None:
        super().__init__()
        self.mean = Linear(n_in, latent_dim)
        self.log_variance = Linear(n_in, latent_dim)

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return the latent vectors and their divergence from N(0, 1), a mean over all elements.

        In evaluation the latent vector is the mean, so that a prediction does not vary.
        """
        mean, log_variance = self.mean(h), self.log_variance(h)
        divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).mean()
        if not self.training:
            return mean, divergence
        return mean + torch.randn_like(mean) * (0.5 * log_variance).exp(), divergence


NORMS = ("sample", "none")

# Kernels for products with fewer than ten outputs round by a row's address in memory, so that a
# sample's result would depend on its place in a batch.
MIN_OUTPUTS = 16


def init_published(layer: nn.Linear | nn.Conv1d | nn.ConvTranspose1d) -> None:
    """Draw weights from N(0, 0.02), as the published networks do; biases are 0."""
    nn.init.normal_(layer.weight, 0.0, 0.02)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


class EvenLinear(nn.Linear):
    """Fully connected layer whose result for a sample does not depend on its place in a batch."""

    def forward(self, X: Tensor) -> Tensor:
        """Map (..., n_in) to (..., n_out)."""
        n_more = MIN_OUTPUTS - self.out_features
        if self.training or n_more <= 0:
            return super().forward(X)
        bias = None if self.bias is None else pad(self.bias, (0, n_more))
        return linear(X, pad(self.weight, (0, 0, 0, n_more)), bias)[..., : self.out_features]


class Linear(EvenLinear):
    """The same with the published initialisation: weights N(0, 0.02), bias 0."""

    def reset_parameters(self) -> None:
        """Draw the weights; called once, by the constructor."""
        init_published(self)


def activation_block(width: int, *, norm: str, dropout: float, negative_slope: float) -> nn.Module:
    """Return normalisation, dropout and LeakyReLU, in the published order.

    Parameters
    ----------
    width : int
        Number of features that come in and go out.
    norm : {"sample", "none"}
        "sample" standardises each sample over its features, without learned scale or shift. It is
        what the published code does under the name of batch normalisation.
    dropout : float
        Share of features set to zero in training.
    negative_slope : float
        Slope of LeakyReLU below zero.

    Returns
    -------
    torch.nn.Module
        The block.
    """
    if norm not in NORMS:
        raise ValueError(f"The norm of a network must be one of {NORMS}. Got {norm!r} instead.")
    layers: list[nn.Module] = []
    if norm == "sample":
        layers.append(nn.LayerNorm(width, elementwise_affine=False))
    if dropout > 0:
        layers.append(nn.Dropout(dropout))
    layers.append(nn.LeakyReLU(negative_slope))
    return nn.Sequential(*layers)


class FCBlock(nn.Sequential):
    """Fully connected layer, normalisation, dropout, LeakyReLU (the paper's Figure 2).

    Parameters
    ----------
    n_in, n_out : int
        Widths.
    norm : {"sample", "none"}, default="sample"
        See :func:`activation_block`.
    dropout : float, default=0.0
        Share of features set to zero in training.
    negative_slope : float, default=0.2
        Slope of LeakyReLU below zero.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        norm: str = "sample",
        dropout: float = 0.0,
        negative_slope: float = 0.2,
    ) -> None:
        super().__init__(
            Linear(n_in, n_out),
            activation_block(n_out, norm=norm, dropout=dropout, negative_slope=negative_slope),
        )


class PairLinear(nn.Module):
    """A linear layer on the concatenation of two profiles, as the sum of two products.

    Equal to ``Linear(n_first + n_second, n_out)`` on ``concat(first, second)``, without the
    copy that the concatenation of (batch, 100,000) values would make.

    Parameters
    ----------
    n_first, n_second, n_out : int
        Widths.
    """

    def __init__(self, n_first: int, n_second: int, n_out: int) -> None:
        super().__init__()
        self.first = Linear(n_first, n_out)
        self.second = Linear(n_second, n_out, bias=False)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the layer's output of shape (n_samples, n_out)."""
        return self.first(first) + self.second(second)
