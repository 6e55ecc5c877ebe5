"""Known values hidden, so that imputers can be judged by them."""

from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from omitrans.datasets._random import own_generator
from omitrans.exceptions import FeatureMismatchError
from omitrans.utils._sklearn import Interval, StrOptions, validate_params

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
    """Hide values of a table at random and say which.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_samples, n_columns)
        Values, which may have holes already; these stay.
    missing_rate : float
        Share of values to hide.
    mechanism : {"mcar", "block"}, default="mcar"
        "mcar" hides every value with the same probability, whatever it is. "block" deals the
        samples into `n_blocks` batches, each of which lacks a share of the genes of its own in
        all samples, as samples measured on different panels do.
    exclude : str or list, default=None
        Columns of a frame that are never hidden, such as covariates.
    n_blocks : int, default=4
        Number of batches of "block".
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    X_incomplete : ndarray or DataFrame of shape (n_samples, n_columns)
        A copy of X with NaN where values are hidden; float32 stays float32, integers become
        float64.
    hidden : ndarray or DataFrame of bool, shape (n_samples, n_genes)
        True where a value was there and is hidden now; without the columns of `exclude`.

    Raises
    ------
    FeatureMismatchError
        If `exclude` names columns that X does not have.
    ValueError
        If a column that may be hidden is not numeric.

    See Also
    --------
    omitrans.metrics.masked_r2_per_feature : How well they were imputed.
    omitrans.model_selection.compare_imputers : All of it, for several imputers.

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
    if not isinstance(X, pd.DataFrame):
        if exclude is not None:
            raise ValueError("exclude names columns of a frame; X is an array. Give X as a frame.")
        values = np.array(X, dtype=np.result_type(np.asarray(X), np.float32), ndmin=2)
        hidden = _draw(values.shape, missing_rate, mechanism, n_blocks, rng)
        hidden &= ~np.isnan(values)
        values[hidden] = np.nan
        return values, hidden
    genes = _columns_to_hide(X, exclude)
    values = X[genes].to_numpy(dtype=np.result_type(np.float32, *set(X[genes].dtypes)), copy=True)
    hidden = _draw(values.shape, missing_rate, mechanism, n_blocks, rng)
    hidden &= ~np.isnan(values)
    values[hidden] = np.nan
    incomplete = pd.DataFrame(values, index=X.index, columns=genes, copy=False)
    rest = X.drop(columns=genes)
    if rest.shape[1]:
        incomplete = pd.concat([incomplete, rest], axis=1)[X.columns]
    return incomplete, pd.DataFrame(hidden, index=X.index, columns=genes, copy=False)


def _columns_to_hide(X: pd.DataFrame, exclude: Any) -> pd.Index:
    exclude = [exclude] if isinstance(exclude, str) else list(exclude or ())
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


def _draw(
    shape: tuple[int, int],
    missing_rate: float,
    mechanism: str,
    n_blocks: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return which entries to hide."""
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
