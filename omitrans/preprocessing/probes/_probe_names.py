"""Recognise replicates, controls and the array from the names of array probes."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import pandas as pd

# EPICv2 and MSA append strand, bisulfite strand, design and replicate: cg00000029_TC21
_SUFFIX = re.compile(r"_[TB][CO]\d+$")
# control beads, SNP assays and (EPICv2) probes for known mutations say nothing of methylation
_NOT_METHYLATION = re.compile(r"^(?:ctl[_.-]|rs\d+$|nv-)")
_MAYBE_NOT_METHYLATION = ("ctl", "rs", "nv-")  # spares most names the slower pattern
_CPG = re.compile(r"^cg\d{8}$")

# The file lists the ids of three arrays whose number is a multiple of this.
_SAMPLED = 256
_MIN_SAMPLED = 3
# A table of an array holds nothing but its ids; shares below 1 leave room for a few foreign ones.
_ALL = 0.97
# A sample with more gaps than this leaves may be of another array than the table.
_MOST = 0.9
# 52 % of EPIC's and 42 % of EPICv2's CpG probes were on 450K, few of any other numbering
_EPIC_SHARED = 0.25
_N_EPIC = 866_900


def trim_suffix(names: Iterable[str]) -> np.ndarray:
    """Return probe names without the suffix of EPICv2.

    Parameters
    ----------
    names : iterable of str
        Probe names.

    Returns
    -------
    ndarray of str, dtype object
        Probe names without suffix; names that have no suffix are not changed.
    """
    # the test for "_" spares most names the slower pattern
    return np.array([_SUFFIX.sub("", name) if "_" in name else name for name in names], object)


def measures_methylation(names: np.ndarray) -> np.ndarray:
    """Return True for each (trimmed) name that is not a control, SNP or mutation probe."""
    return np.array(
        [
            not name.startswith(_MAYBE_NOT_METHYLATION) or _NOT_METHYLATION.match(name) is None
            for name in names
        ],
        bool,
    )


def share_of_probe_names(names: Iterable[object]) -> float:
    """Return the fraction of names that look like names of CpG probes."""
    trimmed = trim_suffix(map(str, names))
    return float(np.mean([_CPG.match(name) is not None for name in trimmed])) if len(trimmed) else 0


def array_platform(names: Iterable[str]) -> str:
    """Recognise a methylation array by the names of its probes.

    Parameters
    ----------
    names : iterable of str
        Probe names, all names of an array or some thousand of them, in any order.

    Returns
    -------
    {"27K", "450K", "EPIC", "EPICv2", "MSA", "unknown"}
        Name of the array. "unknown" if there are too few CpG probes to decide, or the array is none
        of these.

    Notes
    -----
    Names with a suffix (cg00000029_TC21) and repeated names come from EPICv2 or MSA. The other
    arrays are distinguished by a sample of known ids: among the ids whose number is a multiple of
    256, the complete lists of 27K, 450K and MSA are known. A table that holds only probes that two
    arrays share is assigned to the smaller array. EPICv2 without suffixes and replicates cannot be
    distinguished from EPIC unless it holds more probes than EPIC has.

    Examples
    --------
    >>> from omitrans.preprocessing import array_platform
    >>> array_platform(["cg00000029_TC21", "cg00000109_TC21", "cg00000155_BC21"])
    'EPICv2'
    >>> array_platform(["TP53", "BRCA1"])
    'unknown'
    """
    names = list(map(str, names))
    trimmed = trim_suffix(names)
    return _platform_of(names, trimmed, _sampled_probes(names, trimmed))


def _platform_of(names: Sequence[str], trimmed: np.ndarray, sampled: "_SampledProbes") -> str:
    """Return the array of a whole table."""
    marked = sum(short != name for short, name in zip(trimmed, names, strict=True))
    several = sampled.several
    return _decide(
        {array: _share(members) for array, members in sampled.members.items()},
        enough=len(sampled.position) >= _MIN_SAMPLED,
        # a suffix, or several of one name
        replicated=2 * marked > len(names) or several,
        many=sampled.n_cpgs > _N_EPIC,
    )


class _SampledProbes(NamedTuple):
    """Probes of a table that belong to the sample of known ids."""

    position: np.ndarray
    """Columns of these probes."""
    members: dict[str, np.ndarray]
    """Whether these probes are on each array."""
    suffixed: np.ndarray
    """Whether the names of these probes have a suffix."""
    n_cpgs: int
    """Number of columns of the table that are CpG probes."""
    several: bool
    """Whether several CpG probes of the table have the same name."""


def _sampled_probes(names: Sequence[str], trimmed: np.ndarray) -> _SampledProbes:
    """Return the columns that distinguish one array from another."""
    cpgs = [int(short[2:]) if _CPG.match(short) else -1 for short in trimmed]
    numbers = np.array(cpgs, dtype=np.int64)
    ordered = np.sort(numbers[numbers >= 0])
    position = np.flatnonzero((numbers >= 0) & (numbers % _SAMPLED == 0))
    numbers = numbers[position]
    return _SampledProbes(
        position,
        {array: np.isin(numbers, ids) for array, ids in _known_ids().items()},
        np.array([trimmed[i] != names[i] for i in position.tolist()], dtype=bool),
        n_cpgs=len(ordered),
        several=bool((ordered[1:] == ordered[:-1]).any()),
    )


def sample_platforms(X: pd.DataFrame) -> np.ndarray:
    """Return the array of each sample of a table, which may hold samples of several.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_probes)
        Samples as rows; missing values of a sample may be probes that its array lacks.

    Returns
    -------
    ndarray of str
        Array of each sample, as :func:`array_platform` names it.
    """
    names = list(map(str, X.columns))
    trimmed = trim_suffix(names)
    sampled = _sampled_probes(names, trimmed)
    observed = X.iloc[:, sampled.position].notna().to_numpy(dtype=np.float32)
    count = observed.sum(axis=1)
    platforms = np.full(len(X), _platform_of(names, trimmed, sampled), dtype=object)
    if not observed.any():
        return platforms
    with np.errstate(invalid="ignore"):
        shares = {name: observed @ known / count for name, known in sampled.members.items()}
        suffixed = observed @ sampled.suffixed / count
    for i in np.flatnonzero(count < _MOST * observed.shape[1]):
        platforms[i] = _decide(
            {name: share[i] for name, share in shares.items()},
            enough=count[i] >= _MIN_SAMPLED,
            replicated=suffixed[i] > 0.5,
            many=False,
        )
    return platforms


def _decide(share: dict[str, float], *, enough: bool, replicated: bool, many: bool) -> str:
    """Return the array whose fraction of the sampled probes fits."""
    if replicated:
        return "MSA" if enough and share["MSA"] >= _ALL else "EPICv2"
    if not enough:
        return "unknown"
    for array in ("27K", "450K", "MSA"):
        if share[array] >= _ALL:
            return array
    if share["450K"] < _EPIC_SHARED:
        return "unknown"
    return "EPICv2" if many else "EPIC"


def _share(members: np.ndarray) -> float:
    return float(members.mean()) if len(members) else 0.0


@cache
def _known_ids() -> dict[str, np.ndarray]:
    """Return the sampled CpG numbers of each array whose list is complete."""
    with files("omitrans.preprocessing.probes").joinpath("_array_ids.csv").open() as file:
        table = pd.read_csv(file)
    arrays = table["arrays"].str.get_dummies(sep=" ").astype(bool)
    return {str(array): table["number"].to_numpy()[arrays[array]] for array in arrays}
