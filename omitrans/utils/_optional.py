"""Import optional packages where they are used, with a message that says how to install them."""

from importlib import import_module
from types import ModuleType

from omitrans.exceptions import MissingDependencyError


def import_optional(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import `module`, or raise an error that says which extra installs it.

    Parameters
    ----------
    module : str
        Dotted name of the module.
    extra : str
        Extra of this package that installs the module.
    purpose : str
        Purpose of the module, which completes the sentence "is needed to ...".

    Returns
    -------
    module
        Imported module.

    Raises
    ------
    MissingDependencyError
        If the package is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingDependencyError(
            f"{module.partition('.')[0]} is needed to {purpose} and is not installed. "
            f"Install it with: pip install 'omitrans[{extra}]'"
        ) from error
