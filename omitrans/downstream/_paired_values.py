"""Methylation and expression of the same samples as arrays without gaps, and their names."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from omitrans.exceptions import SampleMismatchError
from omitrans.preprocessing._columns import as_matrix, check_first_row, column_blocks
from omitrans.utils._validation import check_paired_samples

_MIN_SAMPLES = 3


class PairedValues(NamedTuple):
    """Values of two tables of the same samples.

    Attributes
    ----------
    methylation : ndarray of shape (n_samples, n_probes)
        float32 or float64, not copied if the given table allows it.
    expression : ndarray of shape (n_samples, n_genes)
        float32 or float64.
    probes, genes : pandas.Index
        Names of the columns, or their positions if a table has none.
    """

    methylation: np.ndarray
    expression: np.ndarray
    probes: pd.Index
    genes: pd.Index


def read_pair(methylation: Any, expression: Any, *, second: str = "expression") -> PairedValues:
    """Check two tables of the same samples.

    Parameters
    ----------
    methylation, expression : array-like or DataFrame
        The tables; rows are samples.
    second : str, default="expression"
        Name of the second table, for error messages.

    Returns
    -------
    PairedValues
        The values and the names of their columns.

    Raises
    ------
    SampleMismatchError
        If the samples differ.
    ValueError
        If there are fewer than three samples, or a value is missing or infinite.
    """
    check_paired_samples(methylation, expression, names=("methylation", second))
    x, probes = _values(methylation, "methylation")
    y, genes = _values(expression, second)
    if len(x) != len(y):
        raise SampleMismatchError(
            f"methylation holds {len(x)} samples and {second} {len(y)}. Give the same samples, in "
            "the same order."
        )
    if len(x) < _MIN_SAMPLES:
        raise ValueError(f"A correlation needs at least {_MIN_SAMPLES} samples; got {len(x)}.")
    return PairedValues(x, y, probes, genes)


def _values(table: Any, name: str) -> tuple[np.ndarray, pd.Index]:
    names: pd.Index
    if isinstance(table, pd.DataFrame):
        check_first_row(table)
        names, values = table.columns, as_matrix(table)
    else:
        values = np.asarray(table)
        if values.ndim != 2:
            raise ValueError(f"{name} must be a table of two dimensions; got {values.shape}.")
        values = values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)
        names = pd.RangeIndex(values.shape[1])
    if not values.size:
        raise ValueError(f"{name} is empty (its shape is {values.shape}). Check how it was read.")
    for columns, block in column_blocks(values):
        with np.errstate(invalid="ignore", over="ignore"):
            bad = ~np.isfinite(block.sum(axis=0, dtype=np.float64))
        if bad.any():
            first = names[columns.start + int(np.flatnonzero(bad)[0])]
            raise ValueError(
                f"{name} holds NaN or infinity (first in column {first!r}). Fill such values "
                "first, e.g. with sklearn.impute.SimpleImputer, or drop these columns."
            )
    return values, names
