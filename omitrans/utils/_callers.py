"""Find the caller: which line a warning names, and whether a fit is part of a search."""

import sys
from types import FrameType

# They fit models one after the other.
_LOOPS = ("omitrans", "sklearn", "joblib", "dask", "distributed", "concurrent", "multiprocessing")
# These fit the one model that they wrap, once: their fit is the fit that the user called.
_WRAPPERS = (
    "omitrans.cli.",
    "omitrans.engine.",
    "omitrans.estimators.",
    "omitrans.pipelines.",
    "omitrans.utils.",
    "sklearn.base",
    "sklearn.compose._target",
    "sklearn.pipeline",
    "sklearn.utils.",
)


def user_level() -> int:
    """Return the `stacklevel` with which a warning names the line of the user.

    Returns
    -------
    int
        Stack level, counted from the function that calls this one and warns.
    """
    frame: FrameType | None = sys._getframe(1)
    level = 1
    while frame is not None:
        package = _module(frame).partition(".")[0]
        if package not in {"contextlib", "omitrans", "sklearn"}:
            break
        frame, level = frame.f_back, level + 1
    return level


def called_by_user(*asking: str) -> bool:
    """Return whether the user called the running fit, and not a search or a cross-validation.

    The callers are read from the stack. A Pipeline and the wrappers of targets count as the model
    that they fit; any other function of scikit-learn, joblib, dask or this package on the stack is
    assumed to fit many models.

    Parameters
    ----------
    *asking : str
        Modules that call this function for themselves and therefore do not count.

    Returns
    -------
    bool
        False if the fit is part of a search, a cross-validation or another procedure that fits many
        models.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = _module(frame)
        counts = module not in asking and not module.startswith(_WRAPPERS)
        if counts and module.partition(".")[0] in _LOOPS:
            return False
        frame = frame.f_back
    return True


def caller() -> str:
    """Return the module that called the function which calls this one.

    Returns
    -------
    str
        Name of the module.
    """
    return _module(sys._getframe(2))


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))
