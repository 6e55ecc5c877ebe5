"""Random number generators of one fit, which no other thread of the process draws from."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
import torch
from sklearn.utils import check_random_state
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd
from torch.utils._python_dispatch import TorchDispatchMode

from omitrans.utils._draws import current_draws, drawing_from

aten = torch.ops.aten


class FitDraws:
    """Generators of the CPU and of the device that a fit runs on.

    torch's own generators belong to the whole process. With these, any number of fits in any
    number of threads draw the same numbers as each fit alone, and the caller's generators are left
    as they are.

    Parameters
    ----------
    seed : int
        Seed of all generators.
    device : torch.device
        The device of the fit.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        kinds = {"cpu": torch.device("cpu"), device.type: device}
        self._generators = {
            kind: torch.Generator(place).manual_seed(seed) for kind, place in kinds.items()
        }

    @classmethod
    def seeded(cls, random_state: int | np.random.RandomState | None, device: torch.device) -> Self:
        """Return generators with a seed from `random_state`, as scikit-learn understands it."""
        return cls(int(check_random_state(random_state).randint(np.iinfo(np.int32).max)), device)

    def on(self, device: torch.device) -> torch.Generator:
        """Return the generator that draws on `device`."""
        return self._generators[device.type]

    def state(self) -> dict[str, Tensor]:
        """Return the state of all generators, by kind of device."""
        return {kind: generator.get_state() for kind, generator in self._generators.items()}

    def set_state(self, state: dict[str, Tensor]) -> None:
        """Put the generators back into a state that :meth:`state` returned."""
        for kind, generator in self._generators.items():
            if kind in state:
                generator.set_state(state[kind].cpu())


class EveryDraw(TorchDispatchMode):
    """Let every operation of torch that draws use the current generators, inside the block.

    It costs some microseconds per operation, so it serves where networks are built, and where
    networks compute that do not ask for the current generators themselves.
    """

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run one operation of torch."""
        kwargs = kwargs or {}
        draws = current_draws()
        if draws is None or torch.Tag.nondeterministic_seeded not in func.tags:
            return func(*args, **kwargs)
        if func._can_decompose():  # comes whole in inference mode
            with self:
                return func.decompose(*args, **kwargs)
        if func in _DRAWN_IN_PLACE:
            return _DRAWN_IN_PLACE[func](draws, *args, **kwargs)
        func = _TAKES_GENERATOR.get(func, func)
        if any(argument.name == "generator" for argument in func._schema.arguments):
            place = _place(args, kwargs)
            own = None if place.type == "meta" else draws.on(place)  # where nothing is drawn
            kwargs = {**kwargs, "generator": kwargs.get("generator") or own}
        return func(*args, **kwargs)


def _place(args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.device:
    """Return the device on which an operation draws."""
    tensor = kwargs.get("out", args[0] if args else None)
    if isinstance(tensor, Tensor):
        return tensor.device
    return kwargs.get("device") or torch.device("cpu")


def ask_themselves(networks: Iterable[nn.Module]) -> bool:
    """Return whether networks ask for the fit's generators when they draw.

    Networks of this package do. Networks that a user wrote need :class:`EveryDraw`.

    Parameters
    ----------
    networks : iterable of torch.nn.Module
        The networks.

    Returns
    -------
    bool
        Whether all parts of all networks ask, or do not draw.
    """
    return all(_asks(part) for network in networks for part in network.modules())


@contextmanager
def evaluation_draws(network: nn.Module, device: torch.device) -> Iterator[None]:
    """Let a user's network that draws in evaluation mode too draw the same at each prediction.

    Parameters
    ----------
    network : torch.nn.Module
        A network in evaluation mode. Those of this package do not draw in it.
    device : torch.device
        The device of the network.
    """
    if ask_themselves([network]):
        yield
        return
    with drawing_from(FitDraws(0, device)), EveryDraw():
        yield


def _asks(part: nn.Module) -> bool:
    """Return whether a part is of this package or, if it does not draw, of torch."""
    if isinstance(part, nn.MultiheadAttention):
        return part.dropout == 0
    room = type(part).__module__
    return room.startswith("omitrans.") or (
        room.startswith("torch.nn.") and not isinstance(part, _DropoutNd | nn.RReLU)
    )


_TAKES_GENERATOR = {
    aten.rand.default: aten.rand.generator,
    aten.randn.default: aten.randn.generator,
    aten.randint.default: aten.randint.generator,
    aten.randint.low: aten.randint.low_generator,
    aten.randperm.default: aten.randperm.generator,
    aten.rand.out: aten.rand.generator_out,
    aten.randn.out: aten.randn.generator_out,
    aten.randint.out: aten.randint.generator_out,
    aten.randint.low_out: aten.randint.low_generator_out,
    aten.randperm.out: aten.randperm.generator_out,
}


def _rand_like(draws: FitDraws, X: Tensor, **options: Any) -> Tensor:
    return torch.empty_like(X, **options).uniform_(generator=draws.on(X.device))


def _randn_like(draws: FitDraws, X: Tensor, **options: Any) -> Tensor:
    return torch.empty_like(X, **options).normal_(generator=draws.on(X.device))


def _randint_like(draws: FitDraws, X: Tensor, *bounds: int, **options: Any) -> Tensor:
    low, high = bounds if len(bounds) == 2 else (0, *bounds)
    return torch.empty_like(X, **options).random_(low, high, generator=draws.on(X.device))


def _native_dropout(
    draws: FitDraws, X: Tensor, p: float, training: bool | None
) -> tuple[Tensor, Tensor]:
    """Return values after dropout and the mask of those that were kept, as CUDA does it."""
    if training is False or p == 0:
        return X.clone(), torch.ones_like(X, dtype=torch.bool)
    mask = torch.rand(X.shape, device=X.device, generator=draws.on(X.device)) >= p
    return X * mask * (0.0 if p == 1 else 1 / (1 - p)), mask


# Operations without an argument for a generator.
_DRAWN_IN_PLACE: dict[Any, Callable[..., Any]] = {
    aten.rand_like.default: _rand_like,
    aten.randn_like.default: _randn_like,
    aten.randint_like.default: _randint_like,
    aten.randint_like.low_dtype: _randint_like,
    aten.native_dropout.default: _native_dropout,
}
