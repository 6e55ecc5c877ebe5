"""Device memory that training needs, and the error message when it runs out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from omitrans.exceptions import DeviceMemoryError

GIB = 2**30


def training_bytes(n_weights: int) -> int:
    """Return the bytes of the weights, gradients, Adam's two moments and the best weights."""
    return 5 * 4 * n_weights


@dataclass
class Sizes:
    """Sizes for an out-of-memory message; `n_weights` is None until the networks exist."""

    data_bytes: int
    n_weights: int | None = None

    def __str__(self) -> str:
        tables = f"The tables take {self.data_bytes / GIB:.2f} GiB as float32"
        if self.n_weights is None:
            return f"{tables}; the networks could not be built"
        trained = training_bytes(self.n_weights) / GIB
        weights = f"{self.n_weights:,} weights with gradients and optimizer state {trained:.2f} GiB"
        return f"{tables}, {weights}; activations grow with batch_size"


@contextmanager
def device_memory_errors(sizes: Sizes, device: torch.device) -> Iterator[None]:
    """Turn torch's out-of-memory errors into an error that tells the sizes and the remedy.

    Parameters
    ----------
    sizes : Sizes
        Sizes of the training, read when memory runs out.
    device : torch.device
        The device that training runs on.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # torch's own is a RuntimeError
        text = str(error)
        ran_out = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not ran_out and "can't allocate memory" not in text:
            raise
        raise DeviceMemoryError(
            f"Memory ran out on {device}. {sizes}. Keep the tables on the host "
            "(data_location='host'), lower batch_size or hidden_layer_sizes, or filter features "
            f"first. torch said: {text}"
        ) from error
