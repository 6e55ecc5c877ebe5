"""Where random numbers of a fit come from: generators of its own, known to its own thread only."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol


class Draws(Protocol):
    """The random number generators of one computation, one for each kind of device."""

    def on(self, device: Any) -> Any:
        """Return the generator that draws on `device`."""


_CURRENT: ContextVar[Draws | None] = ContextVar("omitrans_draws", default=None)


@contextmanager
def drawing_from(draws: Draws) -> Iterator[None]:
    """Let all random numbers of this thread inside the block come from `draws`.

    Parameters
    ----------
    draws : Draws
        The generators. Other threads do not see them.
    """
    token = _CURRENT.set(draws)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current_draws() -> Draws | None:
    """Return the generators of the innermost :func:`drawing_from` of this thread, or None."""
    return _CURRENT.get()


def generator_on(device: Any) -> Any:
    """Return the generator to draw from on a device.

    Parameters
    ----------
    device : torch.device
        The device of the random numbers.

    Returns
    -------
    torch.Generator or None
        The generator; None, which stands for torch's own generator, outside of
        :func:`drawing_from`.
    """
    draws = _CURRENT.get()
    return None if draws is None else draws.on(device)
