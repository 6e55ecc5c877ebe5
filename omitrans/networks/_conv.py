"""Convolutional layers along the genome."""

from torch import Tensor, nn
from torch.nn.functional import adaptive_max_pool1d, pad

from omitrans.networks._blocks import init_published

NEGATIVE_SLOPE = 0.2


class Conv1d(nn.Conv1d):
    """A convolution with the published initialisation that keeps the length of its input."""

    def __init__(self, n_in: int, n_out: int, kernel_size: int, *, bias: bool = True) -> None:
        super().__init__(n_in, n_out, kernel_size, padding=kernel_size // 2, bias=bias)

    def reset_parameters(self) -> None:
        """Draw the initial weights; the constructor calls this once."""
        init_published(self)


class Stretch(nn.ConvTranspose1d):
    """A transposed convolution that makes its input `factor` times as long."""

    def __init__(self, n_in: int, n_out: int, factor: int) -> None:
        super().__init__(n_in, n_out, factor, stride=factor)

    def reset_parameters(self) -> None:
        """Draw the initial weights; the constructor calls this once."""
        init_published(self)


class BatchNorm1d(nn.BatchNorm1d):
    """Batch normalisation with the published initialisation: scales N(1, 0.02), shifts 0."""

    def reset_parameters(self) -> None:
        """Draw the initial scales; the constructor calls this once."""
        self.reset_running_stats()
        nn.init.normal_(self.weight, 1.0, 0.02)
        nn.init.zeros_(self.bias)


class SingleConv(nn.Sequential):
    """A block of convolution, batch normalisation and LeakyReLU.

    Parameters
    ----------
    n_in, n_out : int
        Number of input and output channels.
    kernel_size : int
        Width of the convolutions, an odd number.
    """

    def __init__(self, n_in: int, n_out: int, kernel_size: int) -> None:
        super().__init__(
            Conv1d(n_in, n_out, kernel_size, bias=False),  # the normalisation has a bias
            BatchNorm1d(n_out),
            nn.LeakyReLU(NEGATIVE_SLOPE),
        )


class DoubleConv(nn.Sequential):
    """Two blocks of convolution, batch normalisation and LeakyReLU.

    Parameters
    ----------
    n_in, n_out : int
        Number of input and output channels.
    kernel_size : int
        Width of the convolutions, an odd number.
    """

    def __init__(self, n_in: int, n_out: int, kernel_size: int) -> None:
        super().__init__(
            *SingleConv(n_in, n_out, kernel_size), *SingleConv(n_out, n_out, kernel_size)
        )


def check_kernel_size(kernel_size: int) -> None:
    """Raise unless `kernel_size` is odd, so that a convolution can keep the length of its input."""
    if kernel_size % 2 == 0:
        raise ValueError(f"kernel_size must be odd. Got {kernel_size!r} instead.")


def pad_to(h: Tensor, length: int) -> Tensor:
    """Append zeros to a tensor of shape (n_samples, n_channels, n) up to `length` positions."""
    return pad(h, (0, length - h.shape[-1])) if h.shape[-1] < length else h


def fit_to(h: Tensor, length: int) -> Tensor:
    """Bring a tensor to `length` positions: append zeros, or cut off its end."""
    return pad_to(h, length)[..., :length]


def resize(h: Tensor, length: int) -> Tensor:
    """Bring a tensor to `length` positions: take maxima of neighbours, or repeat values."""
    return h if h.shape[-1] == length else adaptive_max_pool1d(h, length)
