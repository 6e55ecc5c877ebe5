"""Point warnings at the code of the user."""

import inspect


def user_level() -> int:
    """Return the `stacklevel` with which a warning names the line of the user, not one of ours.

    Returns
    -------
    int
        Counted from the function that calls this one and warns.
    """
    frame = inspect.currentframe()
    frame = None if frame is None else frame.f_back
    level = 1
    while frame is not None:
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if package not in {"omitrans", "sklearn"}:
            break
        frame, level = frame.f_back, level + 1
    return level
