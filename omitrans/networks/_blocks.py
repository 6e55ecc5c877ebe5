"""Layers that are part of several networks."""

from torch import Tensor, nn
from torch.nn.functional import linear, pad

from omitrans.networks._random import Dropout, normal_like


class GaussianBottleneck(nn.Module):
    """A bottleneck whose latent vector is drawn from a learned normal distribution in training.

    Parameters
    ----------
    n_in : int
        Number of input features.
    latent_dim : int
        Width of the bottleneck.
    """

    def __init__(self, n_in: int, latent_dim: int) -> None:
        super().__init__()
        self.mean = Linear(n_in, latent_dim)
        self.log_variance = Linear(n_in, latent_dim)

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return the latent vectors and the mean divergence of their elements from N(0, 1).

        In evaluation mode the latent vector is the mean, so that a prediction does not vary.
        """
        _mean, latent, divergence = self.draw(h)
        return latent, divergence

    def draw(self, h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the means too, before the latent vectors and the divergence of :meth:`forward`."""
        mean, log_variance = self.mean(h), self.log_variance(h)
        divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).mean()
        if not self.training:
            return mean, mean, divergence
        return mean, mean + normal_like(mean) * (0.5 * log_variance).exp(), divergence


NORMS = ("sample", "none")

# Matrix products with fewer than ten outputs round differently for different memory addresses, so
# the result of a sample would depend on its position in a batch.
MIN_OUTPUTS = 16


def init_published(layer: nn.Linear | nn.Conv1d | nn.ConvTranspose1d) -> None:
    """Draw the weights from N(0, 0.02), as in the published networks, and set the biases to 0."""
    nn.init.normal_(layer.weight, 0.0, 0.02)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


class EvenLinear(nn.Linear):
    """A fully connected layer whose result does not depend on the sample's position in a batch."""

    def forward(self, X: Tensor) -> Tensor:
        """Map a tensor of shape (..., n_in) to shape (..., n_out)."""
        n_more = MIN_OUTPUTS - self.out_features
        if self.training or n_more <= 0:
            return super().forward(X)
        bias = None if self.bias is None else pad(self.bias, (0, n_more))
        return linear(X, pad(self.weight, (0, 0, 0, n_more)), bias)[..., : self.out_features]


class Linear(EvenLinear):
    """An :class:`EvenLinear` with the published initialisation: weights N(0, 0.02), bias 0."""

    def reset_parameters(self) -> None:
        """Draw the initial weights; the constructor calls this once."""
        init_published(self)


class GlorotLinear(EvenLinear):
    """An :class:`EvenLinear` with the initial weights of Keras.

    Parameters
    ----------
    n_in, n_out : int
        Number of input and output features.
    bias : bool, default=True
        Whether to add a bias.
    n_inputs : int or None, default=None
        Number of input features of all layers whose outputs are summed; None takes `n_in`.
    """

    def __init__(
        self, n_in: int, n_out: int, *, bias: bool = True, n_inputs: int | None = None
    ) -> None:
        self.n_inputs = n_inputs or n_in
        super().__init__(n_in, n_out, bias=bias)

    def reset_parameters(self) -> None:
        """Draw the initial weights as Glorot does; the constructor calls this once."""
        bound = (6 / (self.n_inputs + self.out_features)) ** 0.5
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


def activation_block(width: int, *, norm: str, dropout: float, negative_slope: float) -> nn.Module:
    """Return a block of normalisation, dropout and LeakyReLU, in the published order.

    Parameters
    ----------
    width : int
        Number of input and output features.
    norm : {"sample", "none"}
        "sample" standardises each sample over its features, without learned scale or shift. The
        published code calls this batch normalisation. "none" does not normalise.
    dropout : float
        Share of features set to zero in training.
    negative_slope : float
        Slope of the LeakyReLU for negative inputs.

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
        layers.append(Dropout(dropout))
    layers.append(nn.LeakyReLU(negative_slope))
    return nn.Sequential(*layers)


class FCBlock(nn.Sequential):
    """A block of fully connected layer, normalisation, dropout and LeakyReLU (Figure 2).

    Parameters
    ----------
    n_in, n_out : int
        Number of input and output features.
    norm : {"sample", "none"}, default="sample"
        Normalisation of each sample over its features; see :func:`activation_block`.
    dropout : float, default=0.0
        Share of features set to zero in training.
    negative_slope : float, default=0.2
        Slope of the LeakyReLU for negative inputs.
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
    """A linear layer on the concatenation of two profiles, computed as the sum of two products.

    It is equal to ``Linear(n_first + n_second, n_out)`` on ``concat(first, second)``, but does not
    copy (batch, 100,000) values to concatenate them.

    Parameters
    ----------
    n_first, n_second, n_out : int
        Number of features of the first profile, of the second profile and of the output.
    """

    def __init__(self, n_first: int, n_second: int, n_out: int) -> None:
        super().__init__()
        self.first = Linear(n_first, n_out)
        self.second = Linear(n_second, n_out, bias=False)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the output of the layer, of shape (n_samples, n_out)."""
        return self.first(first) + self.second(second)
