"""Keep the network of a saved model as small as the weights that were saved with it."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from omitrans.exceptions import ModelFileError

_MAKERS = (torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.arange)
_PER_TENSOR = 1000  # numbers that take as much memory as the objects around a tensor
_ANY_NETWORK = 1 << 22  # numbers that a network may make whatever its weights
_PER_NUMBER = 16  # numbers that it may make for each that was saved, for masks and the like


class AllocationLimit(TorchFunctionMode):
    """Refuse tensors that a network with the given weights does not need, before they are made.

    Parameters
    ----------
    state : dict of dict of ndarray
        The weights of each network, by name.
    """

    def __init__(self, state: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        super().__init__()
        weights = [np.asarray(weight) for module in state.values() for weight in module.values()]
        saved = sum(weight.size + _PER_TENSOR for weight in weights)
        self._left = _ANY_NETWORK + _PER_NUMBER * saved

    def __torch_function__(
        self, func: Any, types: Any, args: Iterable[Any] = (), kwargs: Any = None
    ) -> Any:
        """Call a function of torch, unless it makes a tensor and too many numbers were made."""
        kwargs = kwargs or {}
        if func in _MAKERS and kwargs.get("out") is None:
            self._left -= _PER_TENSOR + func(*args, **{**kwargs, "device": "meta"}).numel()
            if self._left < 0:
                raise ModelFileError(
                    "its parameters ask for a network far larger than the weights that it holds"
                )
        return func(*args, **kwargs)
