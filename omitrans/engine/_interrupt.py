"""Whether a training that Ctrl-C ended may keep what it has learned."""

import sys
from types import FrameType

# They fit models one after the other; one that was cut short must not be scored as trained.
_LOOPS = ("omitrans", "sklearn", "joblib", "dask", "distributed", "concurrent", "multiprocessing")
# These fit the one model that they wrap, once: their fit is the fit that the user called.
_WRAPPERS = (
    "omitrans.engine.",
    "omitrans.estimators.",
    "omitrans.pipelines.",
    "omitrans.utils.",
    "sklearn.base",
    "sklearn.compose._target",
    "sklearn.pipeline",
    "sklearn.utils.",
)


def fit_was_called_directly() -> bool:
    """Return whether the user called the running fit, and not a search or a cross-validation.

    The callers are read from the stack. A Pipeline and the wrappers of targets count as the model
    that they fit; whatever else of scikit-learn, joblib, dask or this package stands on the stack
    fits many models.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] in _LOOPS and not module.startswith(_WRAPPERS):
            return False
        frame = frame.f_back
    return True
