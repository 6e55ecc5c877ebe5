"""A table of named classes: one registration makes a class known everywhere."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Generic, TypeVar

from omitrans.exceptions import UnknownNameError

T = TypeVar("T", bound=type)


class Registry(Generic[T]):
    """Named classes of one kind.

    Parameters
    ----------
    kind : str
        What the classes are, for messages ("generator").
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._classes: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Return a class decorator that stores the class under `name`; a taken name raises."""

        def store(cls: T) -> T:
            known = self._classes.get(name)
            if known is not None and known is not cls:
                raise ValueError(f"The {self.kind} name {name!r} is taken by {known.__qualname__}.")
            self._classes[name] = cls
            return cls

        return store

    def get(self, name: str) -> T:
        """Return the class stored under `name`, or raise with the known names."""
        try:
            return self._classes[name]
        except KeyError:
            close = get_close_matches(str(name), self._classes, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise UnknownNameError(
                f"Unknown {self.kind} {name!r}. Available: {', '.join(self.names())}.{hint}"
            ) from None

    def names(self) -> list[str]:
        """Return the registered names in alphabetical order."""
        return sorted(self._classes)
