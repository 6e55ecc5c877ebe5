"""Hide known values, so that imputers can be evaluated on them."""

from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_array

from omitrans.datasets.simulate._samples import own_generator
from omitrans.exceptions import FeatureMismatchError
from omitrans.utils._sklearn import Interval, StrOptions, validate_params
from omitrans.utils._validation import check_unique, refuse_labelled_array

MECHANISMS = ("mcar", "block")


@validate_params(
    {
        "X": ["array-like"],
        "missing_rate": [Interval(Real, 0, 1, closed="both")],
        "mechanism": [StrOptions(set(MECHANISMS))],
        "exclude": ["array-like", str, None],
        "n_blocks": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def hide_values(
    X: Any,
    missing_rate: float,
    *,
    mechanism: str = "mcar",
    exclude: Any = None,
    n_blocks: int = 4,
    random_state: Any = None,
) -> tuple[Any, Any]:
    """Hide values of a table at random and return which values are hidden.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_samples, n_columns)
        Table of values. Values that are already missing stay missing.
    missing_rate : float
        Fraction of values to hide.
    mechanism : {"mcar", "block"}, default="mcar"
        "mcar" hides every value with the same probability, whatever it is. "block" divides the
        samples into `n_blocks` batches. Each batch lacks its own random set of genes in all of its
        samples, like samples that were measured on different gene panels.
    exclude : str or list, default=None
        Names of columns of a DataFrame that are never hidden, such as covariates.
    n_blocks : int, default=4
        Number of batches of mechanism "block".
    random_state : int, RandomState instance or None, default=None
        Seed of the random numbers.

    Returns
    -------
    X_incomplete : ndarray or DataFrame of shape (n_samples, n_columns)
        Copy of X with NaN where values are hidden; float32 stays float32, other types become
        float64.
    hidden : ndarray or DataFrame of bool, shape (n_samples, n_genes)
        True where an observed value was hidden; the columns of `exclude` are left out.

    Raises
    ------
    FeatureMismatchError
        If `exclude` names columns that X does not have, or two columns of X have the same name.
    ValueError
        If a column that may be hidden is not numeric.

    See Also
    --------
    omitrans.metrics.masked_r2_per_feature : Measures how well hidden values were imputed.
    omitrans.comparison.compare_imputers : Hides, imputes and compares for several imputers.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.datasets import hide_values
    >>> X = pd.DataFrame({"tissue": ["Lung", "Liver"] * 3, "TP53": 1.0, "EGFR": 2.0})
    >>> holes, hidden = hide_values(X, 0.5, exclude=["tissue"], random_state=0)
    >>> list(hidden.columns), bool((holes["TP53"].isna() == hidden["TP53"]).all())
    (['TP53', 'EGFR'], True)
    """
    rng = own_generator(random_state)
    refuse_labelled_array(X, "X")
    if not isinstance(X, pd.DataFrame):
        if exclude is not None:
            raise ValueError("exclude names columns of a frame; X is an array. Give X as a frame.")
        table = check_array(X, dtype="numeric", ensure_all_finite="allow-nan", input_name="X")
        values = table.astype(_float_dtype(table.dtype))
        return values, _hide(values, missing_rate, mechanism, n_blocks, rng)
    genes = _columns_to_hide(X, exclude)
    values = X[genes].to_numpy(dtype=_float_dtype(*set(X[genes].dtypes)), copy=True)
    hidden = _hide(values, missing_rate, mechanism, n_blocks, rng)
    incomplete = pd.DataFrame(values, index=X.index, columns=genes, copy=False)
    rest = X.drop(columns=genes)
    if rest.shape[1]:
        incomplete = pd.concat([incomplete, rest], axis=1)[X.columns]
    return incomplete, pd.DataFrame(hidden, index=X.index, columns=genes, copy=False)


def names_of(columns: Any) -> tuple[Any, ...]:
    """Return column names as a tuple, for one name, several names or None.

    Parameters
    ----------
    columns : str, array-like or None
        One name, several names or None.

    Returns
    -------
    tuple
        The names.
    """
    if columns is None:
        return ()
    return (columns,) if isinstance(columns, str) else tuple(columns)


def _float_dtype(*dtypes: Any) -> np.dtype:
    """Return float32 if all data types are float32, else float64."""
    numpy_dtypes = {getattr(dtype, "numpy_dtype", dtype) for dtype in dtypes}
    return np.dtype(np.float32 if numpy_dtypes == {np.dtype(np.float32)} else np.float64)


def _columns_to_hide(X: pd.DataFrame, exclude: Any) -> pd.Index:
    check_unique(X.columns, what="X (its columns)", cure="Keep one column of each name.")
    exclude = names_of(exclude)
    absent = [name for name in exclude if name not in X.columns]
    if absent:
        raise FeatureMismatchError(f"exclude names columns that X does not have: {absent}.")
    genes = X.columns[~X.columns.isin(exclude)]
    text = [name for name in genes if not pd.api.types.is_numeric_dtype(X[name])]
    if text:
        raise ValueError(
            f"{len(text)} columns of X are not numeric (first: {text[0]}). Name covariates in "
            "exclude."
        )
    return genes


def _hide(
    values: np.ndarray, missing_rate: float, mechanism: str, n_blocks: int, rng: np.random.Generator
) -> np.ndarray:
    """Set some values to NaN and return a mask of them."""
    hidden = _draw(values.shape, missing_rate, mechanism, n_blocks, rng)
    hidden &= ~np.isnan(values)
    values[hidden] = np.nan
    return hidden


def _draw(
    shape: tuple[int, int],
    missing_rate: float,
    mechanism: str,
    n_blocks: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return a mask of the entries to hide."""
    n_samples, n_genes = shape
    if mechanism == "mcar":
        hidden = np.empty(shape, dtype=bool)
        for row in hidden:  # draws of the whole table at once would take four times its memory
            np.less(rng.random(n_genes, dtype=np.float32), missing_rate, out=row)
        return hidden
    lacking = np.zeros((n_blocks, n_genes), dtype=bool)
    for batch in lacking:
        batch[rng.permutation(n_genes)[: round(missing_rate * n_genes)]] = True
    return lacking[rng.permutation(n_samples) % n_blocks]
