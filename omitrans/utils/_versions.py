"""Versions of the packages that results depend on."""

from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("omitrans", "numpy", "pandas", "scikit-learn", "torch")


def installed_version(package: str) -> str | None:
    """Return the version of an installed package.

    Parameters
    ----------
    package : str
        Name of the package, as in pip.

    Returns
    -------
    str or None
        Version; None if the package is not installed, such as a bare source tree.
    """
    try:
        return version(package)
    except PackageNotFoundError:
        return None
