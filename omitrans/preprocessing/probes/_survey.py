"""Read a table sample by sample: coverage, range of values, and replacements for missing values."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from omitrans.preprocessing._columns import infinity_error
from omitrans.preprocessing.probes._fill import Filler
from omitrans.preprocessing.probes._probe_columns import ProbeColumns, take_probes
from omitrans.utils._blocks import CACHE_VALUES, row_blocks
from omitrans.utils._value_range import smallest_and_largest

# Products with one sample are so narrow that several threads mostly wait for each other, and they
# round by how many there are.
one_thread = threadpool_limits.wrap(1, user_api="blas")


class Survey(NamedTuple):
    """Coverage and range of the probes of a model in the samples of a table."""

    coverage: np.ndarray
    """Fraction of the probes that each sample holds."""
    limits: np.ndarray
    """Smallest and largest of all values; NaN if there are no values."""
    gaps: "Gaps | None"
    """Replacements for missing values; None if there are none."""


class Gaps:
    """Missing values of each sample, and the data from which their replacements are computed.

    Parameters
    ----------
    filler : Filler
        Filler that computes the replacements.
    """

    def __init__(self, filler: Filler) -> None:
        self._filler = filler
        self._samples: list[tuple[np.ndarray, np.ndarray] | None] = []

    def add(self, missing: np.ndarray, found: np.ndarray | None) -> None:
        """Add the next sample; `found` is None for a sample without missing values."""
        # probes that the whole table lacks are remembered once
        own = np.flatnonzero(missing & ~self._filler.absent).astype(np.int32)
        self._samples.append(None if found is None else (own, found))

    @one_thread
    def fill(self, values: np.ndarray, columns: np.ndarray | None) -> None:
        """Write the replacements for missing values into a table of some or all probes."""
        absent = self._filler.absent
        place = np.full(len(absent), -1)
        place[slice(None) if columns is None else columns] = np.arange(values.shape[1])
        for i, sample in enumerate(self._samples):
            if sample is None:
                continue
            own, found = sample
            missing = own
            if absent.any():
                mask = absent.copy()
                mask[own] = True
                missing = np.flatnonzero(mask)
            expected = self._filler.expected(missing, found)
            at = place[missing]
            kept = at >= 0
            values[i, at[kept]] = expected[kept]


class ProbeSource:
    """Probes of a model in a table, with replicates combined and missing values filled.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_columns)
        Values of the table, with samples as rows.
    where : ProbeColumns
        Columns of the probes in the table.
    replicates : {"mean", "median", "first"}
        How replicates are combined to one value.
    order : {"C", "F"} or None
        Memory layout of the gathered values; None keeps the layout of the table.
    gaps : Gaps or None
        Replacements for missing values; None keeps missing values.
    complete : bool
        Whether no value is missing after filling.
    """

    def __init__(
        self,
        values: np.ndarray,
        where: ProbeColumns,
        replicates: str,
        *,
        order: str | None,
        gaps: Gaps | None,
        complete: bool,
    ) -> None:
        # to gather numbers takes less time than to gather names, which nobody asks for here
        self._where = where._replace(probes=np.arange(len(where.first)))
        self._values, self._replicates = values, replicates
        self._order, self._gaps = order, gaps
        self.shape, self.dtype = (len(values), len(where.first)), values.dtype
        self.complete = complete

    def gather(self, columns: np.ndarray | None) -> np.ndarray:
        """Return the values of some probes; None means all probes."""
        where = self._where if columns is None else self._where.subset(columns)
        taken = take_probes(self._values, where, self._replicates, order=self._order)
        if self._gaps is not None:
            self._gaps.fill(taken, columns)
        return taken


@one_thread
def survey(
    values: np.ndarray,
    where: ProbeColumns,
    replicates: str,
    filler: Filler | None,
    *,
    names: Any,
) -> Survey:
    """Read the probes of each sample once; infinity is an error.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_columns)
        Values of the table, with samples as rows.
    where : ProbeColumns
        Columns of the probes in the table.
    replicates : {"mean", "median", "first"}
        How replicates are combined to one value.
    filler : Filler or None
        Filler for missing values; None keeps missing values.
    names : array-like of str
        Names of the probes, for error messages.

    Returns
    -------
    Survey
        Coverage, range and replacements for missing values.
    """
    n_probes = len(where.first)
    low = high = np.nan
    coverage, infinite = np.empty(len(values)), np.zeros(n_probes, dtype=bool)
    gaps = None if filler is None else Gaps(filler)
    read = None
    for rows, block in _row_blocks(values, where, replicates):
        block_low, block_high = smallest_and_largest(block)
        low, high = np.fmin(low, block_low), np.fmax(high, block_high)
        if np.isinf([block_low, block_high]).any():
            infinite |= np.isinf(block).any(axis=0)
            gaps = None
        missing = np.isnan(block)
        for i, (row, holes) in enumerate(zip(block, missing, strict=True), start=rows.start):
            n_holes = np.count_nonzero(holes)
            coverage[i] = (n_probes - n_holes) / n_probes
            if gaps is None or filler is None:
                continue
            if n_holes and read is None:
                read = filler.reader()
            gaps.add(holes, read(row, holes) if n_holes and read is not None else None)
    if infinite.any():
        raise infinity_error(names[int(np.flatnonzero(infinite)[0])])
    return Survey(coverage, np.array([low, high]), gaps if coverage.min() < 1 else None)


def _row_blocks(
    values: np.ndarray, where: ProbeColumns, replicates: str
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield the probes of some samples at a time, in row-major layout."""
    # a sample of a column-major table is scattered: several are collected together
    at_least = 1 if values.flags.c_contiguous else 8
    same = where.are_all(values)
    for rows in row_blocks(len(values), len(where.first), CACHE_VALUES, at_least=at_least):
        part = values[rows] if same else take_probes(values[rows], where, replicates)
        yield rows, np.ascontiguousarray(part)
