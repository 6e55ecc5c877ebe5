"""What the names of array probes tell: replicates, controls, and the array they are from."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd

# EPICv2 and MSA append strand, bisulfite strand, design and replicate: cg00000029_TC21
_SUFFIX = re.compile(r"_[TB][CO]\d+$")
# control beads, SNP assays and (EPICv2) probes for known mutations say nothing of methylation
_NOT_METHYLATION = re.compile(r"^(?:ctl[_.-]|rs\d+$|nv-)")
_CPG = re.compile(r"^cg\d{8}$")

# The file lists the ids of three arrays whose number is a multiple of this.
_SAMPLED = 256
_MIN_SAMPLED = 3
# A table of an array holds nothing but its ids; shares below 1 leave room for a few foreign ones.
_ALL = 0.97
# 52 % of EPIC's and 42 % of EPICv2's CpG probes were on 450K, few of any other numbering
_EPIC_SHARED = 0.25
_N_EPIC = 866_900


def trim_suffix(names: Iterable[str]) -> np.ndarray:
    """Return probe names without EPICv2's suffix.

    Parameters
    ----------
    names : iterable of str
        Probe names.

    Returns
    -------
    ndarray of str, dtype object
        The names; those without a suffix as they are.
    """
    # the test for "_" spares most names the slower pattern
    return np.array([_SUFFIX.sub("", name) if "_" in name else name for name in names], object)


def measures_methylation(names: np.ndarray) -> np.ndarray:
    """Return True for each (trimmed) name that is no control, SNP assay or mutation probe."""
    return np.array([_NOT_METHYLATION.match(name) is None for name in names], bool)


def share_of_probe_names(names: Iterable[object]) -> float:
    """Return the share of names that look like a CpG probe's."""
    trimmed = trim_suffix(map(str, names))
    return float(np.mean([_CPG.match(name) is not None for name in trimmed])) if len(trimmed) else 0


def array_platform(names: Iterable[str]) -> str:
    """Recognise a methylation array by the names of its probes.

    Parameters
    ----------
    names : iterable of str
        Probe names, all of an array or some thousand of them, in any order.

    Returns
    -------
    {"27K", "450K", "EPIC", "EPICv2", "MSA", "unknown"}
        The array. "unknown" if there are too few CpG probes to tell, or they are none of these.

    Notes
    -----
    Names with a suffix (cg00000029_TC21), or several of one name, are EPICv2's or MSA's. The others
    are told apart by a sample of known ids: of those numbered by a multiple of 256, the complete
    lists of 27K, 450K and MSA are known. A table cut to the probes that two arrays share is taken
    for the smaller one. EPICv2 without suffixes and replicates cannot be told from EPIC unless it
    holds more probes than EPIC has.

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
    numbers = np.array([int(name[2:]) for name in trimmed if _CPG.match(name)], dtype=np.int64)
    if not len(numbers):
        return "unknown"
    n_suffixes = sum(short != name for short, name in zip(trimmed, names, strict=True))
    sampled = np.unique(numbers[numbers % _SAMPLED == 0])
    share = {array: _share_in(sampled, ids) for array, ids in _known_ids().items()}
    enough = len(sampled) >= _MIN_SAMPLED
    if 2 * n_suffixes > len(names) or len(np.unique(numbers)) < len(numbers):
        return "MSA" if enough and share["MSA"] >= _ALL else "EPICv2"
    if not enough:
        return "unknown"
    for array in ("27K", "450K", "MSA"):
        if share[array] >= _ALL:
            return array
    if share["450K"] < _EPIC_SHARED:
        return "unknown"
    return "EPIC" if len(numbers) <= _N_EPIC else "EPICv2"


def _share_in(numbers: np.ndarray, ids: np.ndarray) -> float:
    return float(np.isin(numbers, ids).mean()) if len(numbers) else 0.0


@cache
def _known_ids() -> dict[str, np.ndarray]:
    """Return the sampled CpG numbers of each array that is known completely."""
    with files("omitrans.preprocessing").joinpath("_array_ids.csv").open() as file:
        table = pd.read_csv(file)
    arrays = table["arrays"].str.get_dummies(sep=" ").astype(bool)
    return {str(array): table["number"].to_numpy()[arrays[array]] for array in arrays}
