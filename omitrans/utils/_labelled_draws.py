"""Random draws as tables labelled with samples, draws and targets."""

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_scalar


def check_n_samples(n_samples: Any) -> None:
    """Raise unless the number of draws is a whole number of at least 1."""
    check_scalar(n_samples, "n_samples", Integral, min_val=1)


def labelled_draws(
    draw: Callable[[np.random.Generator], np.ndarray],
    index: pd.Index,
    columns: np.ndarray,
    n_samples: int,
    random_state: int | np.random.RandomState | None,
) -> pd.DataFrame:
    """Draw several times, and return one table with all draws.

    Parameters
    ----------
    draw : callable
        Function of a random number generator that returns a new array of shape
        (n_rows, n_columns), one draw for each row.
    index : pandas.Index of length n_rows
        Labels of the rows.
    columns : ndarray of shape (n_columns,)
        Labels of the columns.
    n_samples : int
        Number of draws for each row.
    random_state : int, RandomState instance or None
        Seed of the draws. Each draw has a generator of its own, so that the first draws are the
        same however many there are.

    Returns
    -------
    DataFrame of shape (n_rows * n_samples, n_columns)
        The draws under the given index. With several draws a second level, ``draw``, is added, and
        all rows of a draw stand together.
    """
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    streams = np.random.SeedSequence(seed).spawn(n_samples)
    drawn = draw(np.random.default_rng(streams[0]))
    if n_samples > 1:
        values = np.empty((n_samples, *drawn.shape), dtype=drawn.dtype)
        values[0] = drawn
        for number, stream in enumerate(streams[1:], start=1):
            values[number] = draw(np.random.default_rng(stream))
        drawn = values.reshape(-1, drawn.shape[1])
        index = _with_draws(index, n_samples)
    return pd.DataFrame(drawn, index=index, columns=columns, copy=False)


def _with_draws(index: pd.Index, n_draws: int) -> pd.MultiIndex:
    """Return an index of all rows for each draw, with the number of the draw as last level."""
    levels = [np.tile(index.get_level_values(i), n_draws) for i in range(index.nlevels)]
    names = [name or "sample_id" for name in index.names] if index.nlevels == 1 else index.names
    draws = np.repeat(np.arange(n_draws), len(index))
    return pd.MultiIndex.from_arrays([*levels, draws], names=[*names, "draw"])
