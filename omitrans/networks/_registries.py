"""The registries of generators and discriminators, which are found by name."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Generic, TypeVar

from torch import nn

from omitrans.exceptions import UnknownNameError

T = TypeVar("T", bound=type)


class Registry(Generic[T]):
    """A registry of classes of one kind, by name.

    Parameters
    ----------
    kind : str
        Name of the kind in messages, such as "generator".
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._classes: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Return a class decorator that stores a class under `name`, or raises if it is taken."""

        def store(cls: T) -> T:
            known = self._classes.get(name)
            if known is not None and known is not cls:
                raise ValueError(f"The {self.kind} name {name!r} is taken by {known.__qualname__}.")
            self._classes[name] = cls
            return cls

        return store

    def get(self, name: str) -> T:
        """Return the class stored under `name`, or raise an error that lists the known names."""
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


_GENERATORS: Registry[type[nn.Module]] = Registry("generator")
_DISCRIMINATORS: Registry[type[nn.Module]] = Registry("discriminator")


def register_generator(name: str) -> Callable[[type[nn.Module]], type[nn.Module]]:
    """Return a class decorator that registers a generator under `name`.

    Parameters
    ----------
    name : str
        Name of the generator, for the parameter ``generator`` of an estimator.

    Returns
    -------
    callable
        The decorator.

    Raises
    ------
    ValueError
        If another class has this name.

    Examples
    --------
    >>> from torch import nn
    >>> from omitrans.networks import get_generator, register_generator
    >>> @register_generator("docs-linear")
    ... class DocsLinear(nn.Linear):
    ...     pass
    >>> get_generator("docs-linear")(5, 3)
    DocsLinear(in_features=5, out_features=3, bias=True)
    """
    return _GENERATORS.register(name)


def register_discriminator(name: str) -> Callable[[type[nn.Module]], type[nn.Module]]:
    """Return a class decorator that registers a discriminator under `name`.

    Parameters
    ----------
    name : str
        Name of the discriminator, for the parameter ``discriminator`` of an estimator.

    Returns
    -------
    callable
        The decorator.

    Raises
    ------
    ValueError
        If another class has this name.
    """
    return _DISCRIMINATORS.register(name)


def get_generator(name: str) -> type[nn.Module]:
    """Return the generator class registered under `name`.

    Parameters
    ----------
    name : str
        One of the names that :func:`list_generators` returns.

    Returns
    -------
    type
        The class, which is called as ``cls(n_source, n_target, **params)``.

    Raises
    ------
    UnknownNameError
        If no generator has this name. The message lists the known names.

    Examples
    --------
    >>> from omitrans.networks import get_generator
    >>> generator = get_generator("fc")(2000, 1500)
    >>> sum(p.numel() for p in generator.parameters())
    24048348
    """
    return _GENERATORS.get(name)


def get_discriminator(name: str) -> type[nn.Module]:
    """Return the discriminator class registered under `name`.

    Parameters
    ----------
    name : str
        One of the names that :func:`list_discriminators` returns.

    Returns
    -------
    type
        The class, which is called as ``cls(n_target, n_source, **params)``.

    Raises
    ------
    UnknownNameError
        If no discriminator has this name. The message lists the known names.

    Examples
    --------
    >>> from omitrans.networks import get_discriminator
    >>> discriminator = get_discriminator("fc")(1500, 2000)
    >>> sum(p.numel() for p in discriminator.parameters())
    458992
    """
    return _DISCRIMINATORS.get(name)


def list_generators() -> list[str]:
    """Return the names of the registered generators.

    Returns
    -------
    list of str
        The names in alphabetical order.

    Examples
    --------
    >>> from omitrans.networks import list_generators
    >>> "fc" in list_generators()
    True
    """
    return _GENERATORS.names()


def list_discriminators() -> list[str]:
    """Return the names of the registered discriminators.

    Returns
    -------
    list of str
        The names in alphabetical order.

    Examples
    --------
    >>> from omitrans.networks import list_discriminators
    >>> "fc" in list_discriminators()
    True
    """
    return _DISCRIMINATORS.names()
