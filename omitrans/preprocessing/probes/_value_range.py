"""Tell by their range which unit methylation values are in, and hold new tables to it."""

from collections.abc import Iterable, Iterator

import numpy as np

from omitrans.preprocessing._columns import value_range
from omitrans.utils._validation import check_beta_values


def with_ranges(blocks: Iterable[np.ndarray], limits: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the blocks of a table, and note the range of each."""
    for block in blocks:
        limits.append(value_range(block))
        yield block


def joint_range(limits: list[np.ndarray]) -> np.ndarray:
    """Return the smallest and the largest value of several blocks, NaN if they have none."""
    lows, highs = np.array(limits).T
    return np.array([np.fmin.reduce(lows), np.fmax.reduce(highs)])


def learn_unit(limits: np.ndarray, unit: str | None) -> str | None:
    """Return the unit of the training values; "auto" takes those in [0, 1] for betas."""
    if unit == "auto":
        unit = "beta" if limits[0] >= 0 and limits[1] <= 1 else None
    if unit == "beta":
        check_beta_values(limits)
    return unit


def check_unit(limits: np.ndarray, unit: str | None, training: np.ndarray) -> None:
    """Raise if the values of a new table are not in the unit of the training values.

    Parameters
    ----------
    limits : ndarray of shape (2,)
        Smallest and largest value of the table.
    unit : {"beta"} or None
        Unit of the training values, if it is known.
    training : ndarray of shape (2,)
        Their smallest and largest value.
    """
    if unit == "beta":
        check_beta_values(limits)
    elif training[0] < -1 and limits[0] >= 0 and limits[1] <= 1:
        raise ValueError(
            f"The values of X lie in [{limits[0]:.3g}, {limits[1]:.3g}] and look like betas, but "
            f"the training samples held values from {training[0]:.3g} to {training[1]:.3g}, such "
            "as M-values. Convert them with omitrans.preprocessing.beta_to_m."
        )
