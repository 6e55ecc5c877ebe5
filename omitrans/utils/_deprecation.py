"""Keep old names of arguments working for a while."""

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")


def renamed_argument(
    old: str, new: str, *, since: str, until: str
) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """Accept an argument under its old name as well, with a warning.

    This must be the outermost decorator. ``inspect.signature`` of the function shows the new name
    only.

    Parameters
    ----------
    old : str
        Old name of the parameter; it is accepted as a keyword only.
    new : str
        Name of the parameter in the signature.
    since : str
        Version in which the parameter was renamed.
    until : str
        Version in which the old name stops working.

    Returns
    -------
    callable
        Decorator of the function.

    Examples
    --------
    >>> import warnings
    >>> from omitrans.utils._deprecation import renamed_argument
    >>> @renamed_argument("Y", "y", since="0.1", until="0.3")
    ... def mean(y):
    ...     return sum(y) / len(y)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     mean(Y=[1.0, 3.0])
    2.0
    >>> caught[0].category.__name__
    'FutureWarning'
    """

    def decorate(function: Callable[Given, Result]) -> Callable[Given, Result]:
        name = function.__qualname__
        position = list(inspect.signature(function).parameters).index(new)

        @functools.wraps(function)
        def call(*args: Any, **options: Any) -> Result:
            if old in options:
                if new in options or len(args) > position:
                    raise TypeError(
                        f"{name} got its argument {new!r} twice, also under the old name {old!r}. "
                        f"Leave {old}= out."
                    )
                warnings.warn(
                    f"{_shown(name, args)}: the argument {old!r} was renamed to {new!r} in "
                    f"omitrans {since} and will stop working in {until}. Write {new}=.",
                    FutureWarning,
                    stacklevel=2,
                )
                options[new] = options.pop(old)
            return function(*args, **options)

        return call

    return decorate


def _shown(name: str, args: tuple[Any, ...]) -> str:
    """Return the name of a method with the class of its object, which may inherit it."""
    _, _, method = name.rpartition(".")
    inherits = "." in name and args and hasattr(type(args[0]), method)
    return f"{type(args[0]).__name__}.{method}" if inherits else name
