"""A generator of random numbers that leaves NumPy's global state as it is."""

import numpy as np
from sklearn.utils import check_random_state


def own_random_state(random_state: int | np.random.RandomState | None) -> np.random.RandomState:
    """Return a generator; None gives a new seed, not the global generator.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        Seed, or a generator that is returned as it is.

    Returns
    -------
    RandomState
        The generator.
    """
    if random_state is None:
        return np.random.RandomState(np.random.MT19937())
    return check_random_state(random_state)
