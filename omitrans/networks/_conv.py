"""Convolutional layers along the genome."""

from torch import Tensor, nn
from torch.nn.functional import adaptive_max_pool1d, pad

from omitrans.networks._blocks import init_published

NEGATIVE_SLOPE = 0.2


class Conv1d(nn.Conv1d):
    """Convolution with the published initialisation, of the same length as its input."""

    def __init__(self, n_in: int, n_out: int, kernel_size: int, *, bias: bool = True) -> None:
        super().__init__(n_in, n_out, kernel_size, padding=kernel_size // 2, bias=bias)

    def reset_parameters(self) -> None:
        """Draw the weights; called once, by the constructor."""
        init_published(self)


class Stretch(nn.ConvTranspose1d):
    """Transposed convolution that makes its input `factor` times as long."""

    def __init__(self, n_in: int, n_out: int, factor: int) -> None:
        super().__init__(n_in, n_out, factor, stride=factor)

    def reset_parameters(self) -> None:
        """Draw the weights; called once, by the constructor."""
        init_published(self)


class BatchNorm1d(nn.BatchNorm1d):
    """Batch normalisation with the published initialisation: scales N(1, 0.02), shifts 0."""

    def reset_parameters(self) -> None:
        """Draw the scales; called once, by the constructor."""
        self.reset_running_stats()
        nn.init.normal_(self.weight, 1.0, 0.02)
        nn.init.zeros_(self.bias)


class SingleConv(nn.Sequential):
    """Convolution, batch normalisation and LeakyReLU.

    Parameters
    ----------
    n_in, n_out : int
        Channels.
    kernel_size : int
        An odd number.
    """

    def __init__(self, n_in: int, n_out: int, kernel_size: int) -> None:
        super().__init__(
            Conv1d(n_in, n_out, kernel_size, bias=False),  # the normalisation has one
            BatchNorm1d(n_out),
            nn.LeakyReLU(NEGATIVE_SLOPE),
        )


class DoubleConv(nn.Sequential):
    """Convolution, batch normalisation and LeakyReLU, twice.

    Parameters
    ----------
    n_in, n_out : int
        Channels.
    kernel_size : int
        An odd number.
    """

    def __init__(self, n_in: int, n_out: int, kernel_size: int) -> None:
        super().__init__(
            *SingleConv(n_in, n_out, kernel_size), *SingleConv(n_out, n_out, kernel_size)
        )


def check_kernel_size(kernel_size: int) -> None:
    """Raise unless a convolution of this size can keep the length."""
    if kernel_size % 2 == 0:
        raise ValueError(f"kernel_size must be odd. Got {kernel_size!r} instead.")


def pad_to(h: Tensor, length: int) -> Tensor:
    """Append zeros to (n_samples, n_channels, n) up to `length`."""
    return pad(h, (0, length - h.shape[-1])) if h.shape[-1] < length else h


def fit_to(h: Tensor, length: int) -> Tensor:
    """Crop or append zeros to `length`."""
    return pad_to(h, length)[..., :length]


def resize(h: Tensor, length: int) -> Tensor:
    """Bring to `length` by the maxima of neighbours; a longer one repeats them."""
    return h if h.shape[-1] == length else adaptive_max_pool1d(h, length)
