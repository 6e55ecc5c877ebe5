"""What came of one fit of one model."""

from typing import NamedTuple

import numpy as np

COSTS = ("fit_seconds", "predict_seconds", "peak_memory_mib")


class Outcome(NamedTuple):
    """Numbers that a model reached, or why it failed.

    Attributes
    ----------
    metrics : dict of str to float
        Numbers by name; empty where it failed.
    error : str or None
        What it said when it failed.
    arrays : dict of str to ndarray
        What is kept beside the numbers, such as predictions.
    not_stored : str or None
        Why it could not be written to the cache.
    """

    metrics: dict[str, float]
    error: str | None = None
    arrays: dict[str, np.ndarray] = {}
    not_stored: str | None = None
