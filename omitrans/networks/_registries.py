"""The two tables of networks, and how to reach them by name."""

from collections.abc import Callable

from torch import nn

from omitrans.utils._registry import Registry

_GENERATORS: Registry[type[nn.Module]] = Registry("generator")
_DISCRIMINATORS: Registry[type[nn.Module]] = Registry("discriminator")


def register_generator(name: str) -> Callable[[type[nn.Module]], type[nn.Module]]:
    """Return a class decorator that makes a generator known under `name`.

    Parameters
    ----------
    name : str
        The name that ``generator=`` of an estimator takes.

    Returns
    -------
    callable
        The decorator.

    Raises
    ------
    ValueError
        If another class has the name.

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
    """Return a class decorator that makes a discriminator known under `name`.

    Parameters
    ----------
    name : str
        The name that ``discriminator=`` of an estimator takes.

    Returns
    -------
    callable
        The decorator.

    Raises
    ------
    ValueError
        If another class has the name.
    """
    return _DISCRIMINATORS.register(name)


def get_generator(name: str) -> type[nn.Module]:
    """Return the generator class registered under `name`.

    Parameters
    ----------
    name : str
        One of :func:`list_generators`.

    Returns
    -------
    type
        A class to call as ``cls(n_source, n_target, **params)``.

    Raises
    ------
    UnknownNameError
        If no generator has the name; the message lists those that exist.

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
        One of :func:`list_discriminators`.

    Returns
    -------
    type
        A class to call as ``cls(n_target, n_source, **params)``.

    Raises
    ------
    UnknownNameError
        If no discriminator has the name; the message lists those that exist.

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
        In alphabetical order.

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
        In alphabetical order.

    Examples
    --------
    >>> from omitrans.networks import list_discriminators
    >>> "fc" in list_discriminators()
    True
    """
    return _DISCRIMINATORS.names()
