"""What training needs on the device, and what to say when it is not there."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from omitrans.exceptions import DeviceMemoryError

GIB = 2**30


def training_bytes(n_weights: int) -> int:
    """Return the bytes of weights, gradients, Adam's two moments and a copy of the best weights."""
    return 5 * 4 * n_weights


@contextmanager
def device_memory_errors(
    *, data_bytes: int, n_weights: int, device: torch.device
) -> Iterator[None]:
    """Turn torch's out-of-memory errors into one that gives sizes and the remedy.

    Parameters
    ----------
    data_bytes : int
        Bytes of the tables as float32.
    n_weights : int
        Number of trained weights.
    device : torch.device
        Where memory ran out.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # torch's own is a RuntimeError
        text = str(error)
        ran_out = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not ran_out and "can't allocate memory" not in text:
            raise
        raise DeviceMemoryError(
            f"Memory ran out on {device}. The tables take {data_bytes / GIB:.2f} GiB as float32; "
            f"{n_weights:,} weights with gradients and optimizer state take "
            f"{training_bytes(n_weights) / GIB:.2f} GiB; activations grow with batch_size. Keep "
            "the tables on the host (data_location='host'), lower batch_size or "
            f"hidden_layer_sizes, or filter features first. torch said: {text}"
        ) from error
