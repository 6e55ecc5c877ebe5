"""Simulate how a newer array would measure the same samples."""

from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from omitrans.datasets.simulate._genome import increasing_numbers
from omitrans.datasets.simulate._samples import own_generator
from omitrans.utils._sklearn import Interval, StrOptions, validate_params

_MAX_NUMBER = 28_000_000


class _Version(NamedTuple):
    kept: float  # share of the 450K array's probes that it still has
    added: float  # new probes, as a share of the kept ones
    replicated: float  # share of probes with replicates
    suffixed: bool


# EPIC has 452,453 of 485,512 and 413,743 new probes; EPICv2 about 81 %, of 930,075 probes 0.6 %
# replicated, up to ten times
_VERSIONS = {
    "EPIC": _Version(0.932, 0.91, 0.0, False),
    "EPICv2": _Version(0.81, 1.36, 0.006, True),
}


@validate_params(
    {
        "X": [pd.DataFrame],
        "platform": [StrOptions(set(_VERSIONS))],
        "noise": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def simulate_array_version(
    X: pd.DataFrame,
    platform: str = "EPICv2",
    *,
    noise: float = 0.02,
    random_state: Any = None,
) -> pd.DataFrame:
    """Simulate the table that a newer array would give for the same samples.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_probes)
        Beta values with columns named as on the 450K array; NaN is a missing value.
    platform : {"EPIC", "EPICv2"}, default="EPICv2"
        Newer array to simulate.
    noise : float, default=0.02
        Standard deviation of normal measurement noise, in beta units.
    random_state : int, RandomState instance or None, default=None
        Seed of the random numbers.

    Returns
    -------
    DataFrame of shape (n_samples, n_columns)
        Beta values, columns in random order: the probes that the array kept (93 % for EPIC, 81 %
        for EPICv2, at random), new probes, and control beads. The probe names of EPICv2 carry
        suffixes, and some probes have two to ten replicates.

    See Also
    --------
    omitrans.preprocessing.ArrayHarmonizer : Converts such a table to the probes of a model.

    Notes
    -----
    The numbers of probes are those of the real arrays. The probes that are lost are drawn at
    random, while the real arrays lost unreliable probes.

    Examples
    --------
    >>> from omitrans.datasets import make_paired_omics, simulate_array_version
    >>> data = make_paired_omics(5, 1000, 10, random_state=0)
    >>> new = simulate_array_version(data.X, "EPICv2", random_state=0)
    >>> new.shape
    (5, 1926)
    """
    rng = own_generator(random_state)
    version = _VERSIONS[platform]
    kept = X.columns[rng.permutation(X.shape[1])[: round(version.kept * X.shape[1])]]
    replicated = kept[rng.random(len(kept)) < version.replicated]
    # two columns mostly, ten at most
    again = replicated.repeat(np.minimum(rng.geometric(0.7, len(replicated)), 9))
    tables = [X[kept], X[again]]
    new = _new_probes(X, round(version.added * len(kept)), rng)
    names = np.concatenate([table.columns.to_numpy(dtype=object) for table in [*tables, new]])
    values = np.concatenate([table.to_numpy(dtype=np.float64) for table in [*tables, new]], axis=1)
    with np.errstate(invalid="ignore"):  # R's NA is a NaN that signals
        values = np.clip(values + noise * rng.standard_normal(values.shape), 0, 1)
    names, values = _with_controls(
        _suffixed(names, rng) if version.suffixed else names, values, rng
    )
    order = rng.permutation(len(names))
    dtype = X.dtypes.iloc[0] if (X.dtypes == np.float32).all() else np.float64
    return pd.DataFrame(values[:, order].astype(dtype), X.index, names[order])


def _new_probes(X: pd.DataFrame, n_probes: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return probes that X lacks, half of them methylated."""
    known = set(X.columns)
    numbers = increasing_numbers(n_probes + X.shape[1], _MAX_NUMBER, rng)
    names = [name for name in (f"cg{number:08d}" for number in numbers) if name not in known]
    names = list(rng.permutation(names))
    levels = np.where(rng.random(n_probes) < 0.5, 0.1, 0.85)
    spread = 0.05 * rng.standard_normal((len(X), n_probes))
    return pd.DataFrame(levels + spread, X.index, names[:n_probes])


def _suffixed(names: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return distinct names followed by strand, design and the number of the replicate."""
    strands = rng.choice(["TC", "BC", "TO", "BO"], len(names), p=[0.49, 0.49, 0.01, 0.01])
    replicate = pd.Series(names).groupby(names).cumcount() + 1
    return np.array(
        [f"{name}_{strand}1{n}" for name, strand, n in zip(names, strands, replicate, strict=True)],
        dtype=object,
    )


def _with_controls(
    names: np.ndarray, values: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Add control beads, one per thousand probes."""
    n_controls = max(1, len(names) // 1000)
    controls = [f"ctl_{number}_NEGATIVE" for number in rng.choice(10**8, n_controls, replace=False)]
    beads = rng.random((len(values), n_controls))
    return np.append(names, np.array(controls, dtype=object)), np.hstack([values, beads])
