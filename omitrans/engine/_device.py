"""The device that training runs on, and its precision."""

import warnings

import torch

from omitrans.exceptions import DeviceWarning


def resolve_device(device: str | torch.device, *, fall_back: bool = False) -> torch.device:
    """Return the torch device that `device` stands for on this machine.

    Parameters
    ----------
    device : str or torch.device
        Name of the device. "auto" takes a CUDA device if there is one, else the CPU.
    fall_back : bool, default=False
        Whether to use the CPU, with a warning, if the device is absent (for models that come from
        another machine). With False an absent device raises an error.

    Returns
    -------
    torch.device
        The device.

    Raises
    ------
    ValueError
        If the device is absent and `fall_back` is false, or torch does not know its name.
    """
    if isinstance(device, str) and device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise ValueError(
            f"The 'device' parameter must be 'auto', 'cpu', 'cuda' or 'cuda:<number>'. "
            f"Got {device!r} instead."
        ) from error
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        found = f"torch sees {torch.cuda.device_count()} CUDA devices here"
        if not fall_back:
            raise ValueError(f"device={device!r} was asked for, but {found}. Use device='auto'.")
        warnings.warn(f"device={device!r} is absent ({found}): using the CPU.", DeviceWarning, 2)
        return torch.device("cpu")
    return chosen


def resolve_precision(precision: str, device: torch.device) -> torch.dtype:
    """Return the dtype of matrix products: float32, or bfloat16 with weights kept in float32.

    Parameters
    ----------
    precision : {"auto", "float32", "bf16"}
        "auto" takes bfloat16 on CUDA devices that compute in it, else float32.
    device : torch.device
        The device that computes the products.

    Returns
    -------
    torch.dtype
        ``torch.float32`` or ``torch.bfloat16``.
    """
    if precision == "auto":
        fast = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
        return torch.bfloat16 if fast else torch.float32
    return {"float32": torch.float32, "bf16": torch.bfloat16}[precision]
