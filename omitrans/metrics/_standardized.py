"""Standardised pairs of tables: the product of two columns is their correlation."""

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.utils import check_array

from omitrans.exceptions import FeatureMismatchError
from omitrans.utils._blocks import column_blocks
from omitrans.utils._callers import user_level
from omitrans.utils._validation import check_column_names

_MIN_GENES = 3
_MIN_SAMPLES = 2


class StandardizedPair(NamedTuple):
    """Two tables with the same genes in the same order.

    Every column has the mean 0 and the length 1, so that the scalar product of two columns is
    their Pearson correlation. A gene that is constant in the synthetic table only is a column of
    zeros there.

    Attributes
    ----------
    real, synthetic : ndarray of shape (n_samples, n_genes)
        float32 if the given table was float32, else float64.
    genes : pandas.Index
        Names of the genes, or their column numbers if both tables are arrays.
    """

    real: np.ndarray
    synthetic: np.ndarray
    genes: pd.Index


def standardize_pair(real: Any, synthetic: Any) -> StandardizedPair:
    """Check and align a real and a synthetic table, and standardise their genes.

    Parameters
    ----------
    real, synthetic : array-like or DataFrame of shape (n_samples, n_genes)
        Expression. The genes of two frames are aligned by name; those of arrays by position.

    Returns
    -------
    StandardizedPair
        The genes that vary in the real table.

    Raises
    ------
    FeatureMismatchError
        If the tables do not hold the same genes.
    ValueError
        If a value is NaN or infinite, or if there are too few genes or samples.
    """
    given = {"real": real, "synthetic": synthetic}
    for name, table in given.items():
        check_column_names(table, name)
    values = {
        name: check_array(
            table,
            dtype=[np.float64, np.float32],
            ensure_all_finite=False,
            ensure_min_samples=_MIN_SAMPLES,
            ensure_min_features=_MIN_GENES,
            input_name=name,
        )
        for name, table in given.items()
    }
    genes, order = _align(real, synthetic, values)
    varies_really, standard = _standardize(values["real"], None, genes, "real")
    varies_too, standard_synthetic = _standardize(values["synthetic"], order, genes, "synthetic")
    if not varies_really.all():
        genes, standard = genes[varies_really], standard[:, varies_really]
        standard_synthetic = standard_synthetic[:, varies_really]
    _report_constant(varies_really, varies_too)
    return StandardizedPair(standard, standard_synthetic, genes)


def _align(
    real: Any, synthetic: Any, values: dict[str, np.ndarray]
) -> tuple[pd.Index, np.ndarray | None]:
    """Return the gene names and the columns of `synthetic` in the order of `real`."""
    frames = [table for table in (real, synthetic) if isinstance(table, pd.DataFrame)]
    if len(frames) == 2:
        only = real.columns.difference(synthetic.columns, sort=False)
        other = synthetic.columns.difference(real.columns, sort=False)
        if len(only) or len(other):
            raise FeatureMismatchError(
                f"real and synthetic must hold the same genes: synthetic lacks {len(only)} "
                f"{list(only[:3])} and real lacks {len(other)} {list(other[:3])}. Keep the shared "
                "ones: genes = real.columns.intersection(synthetic.columns); give real[genes] and "
                "synthetic[genes]."
            )
        if real.columns.equals(synthetic.columns):
            return real.columns, None
        return real.columns, synthetic.columns.get_indexer(real.columns)
    n_real, n_synthetic = values["real"].shape[1], values["synthetic"].shape[1]
    if n_real != n_synthetic:
        raise FeatureMismatchError(
            f"real holds {n_real} genes and synthetic {n_synthetic}. Arrays are aligned by "
            "position: give the same genes in the same order, or two frames with gene names."
        )
    return (frames[0].columns if frames else pd.RangeIndex(n_real)), None


def _standardize(
    values: np.ndarray, order: np.ndarray | None, genes: pd.Index, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return which genes vary, and the table with centred columns of length 1."""
    varies = np.empty(values.shape[1], dtype=bool)
    standard = np.empty(values.shape, dtype=values.dtype)
    for columns in column_blocks(*values.shape):
        part = values[:, columns] if order is None else values[:, order[columns]]
        block = part.astype(np.float64)
        bad = np.flatnonzero(~np.isfinite(block).all(axis=0))
        if len(bad):
            raise ValueError(
                f"{name} contains NaN or infinite values, and a correlation needs every value "
                f"(first in the gene {genes[columns][bad[0]]!r}). Fill them, or drop these genes "
                "from both tables."
            )
        varies[columns] = (block != block[0]).any(axis=0)
        block -= block.mean(axis=0)
        # by the largest value first, so that no square overflows or vanishes
        for scale in (np.abs(block).max(axis=0), None):
            length = np.sqrt(np.square(block).sum(axis=0)) if scale is None else scale
            block /= np.where(varies[columns] & (length > 0), length, np.inf)
        standard[:, columns] = block
    return varies, standard


def _report_constant(varies_really: np.ndarray, varies_too: np.ndarray) -> None:
    n_real, n_left = int((~varies_really).sum()), int(varies_really.sum())
    if n_left < _MIN_GENES:
        raise ValueError(
            f"Only {n_left} of {len(varies_really)} genes vary in real, and the scores need "
            f"{_MIN_GENES}: the correlation of a constant gene is not defined. Give more samples "
            "or genes."
        )
    n_synthetic = int((varies_really & ~varies_too).sum())
    parts = []
    if n_real:
        parts.append(f"{n_real} genes are constant in real and are left out of both tables")
    if n_synthetic:
        parts.append(
            f"{n_synthetic} genes vary in real and are constant in synthetic; they count as "
            "correlated with no other gene"
        )
    if parts:
        warnings.warn("; ".join(parts) + ".", UserWarning, stacklevel=user_level())
