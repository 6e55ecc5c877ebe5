"""Random numbers of one's own."""

import numpy as np


def own_generator(random_state: int | np.random.RandomState | None) -> np.random.Generator:
    """Return a generator of its own; drawing from it leaves the global state alone.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        Seed. None draws a new one.

    Returns
    -------
    numpy.random.Generator
        The generator.
    """
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**32, size=4, dtype=np.uint32))
    return np.random.default_rng(random_state)
