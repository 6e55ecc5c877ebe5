"""Pooling of estimates from several imputed tables by Rubin's rules."""

from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.utils import check_array

from omitrans.utils._sklearn import Interval, validate_params
from omitrans.utils._validation import refuse_labelled_array


@validate_params(
    {
        "estimates": ["array-like"],
        "variances": ["array-like"],
        "df": [Interval(Real, 0, None, closed="right")],
        "level": [Interval(Real, 0, 1, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def pool_estimates(
    estimates: Any, variances: Any, *, df: float = np.inf, level: float = 0.95
) -> pd.DataFrame:
    """Pool the estimates from several imputed tables by Rubin's rules.

    Parameters
    ----------
    estimates : array-like, DataFrame or list of Series, of shape (n_draws, n_estimates)
        One row per imputed table, such as those of ``PMIImputer.transform_samples``, and one
        column per estimated number, such as the mean of a gene or a regression coefficient.
    variances : array-like, DataFrame or list of Series, of the same shape
        Squared standard errors of the estimates, computed as if no value had been missing.
    df : float, default=inf
        Degrees of freedom that the estimates would have without missing values.
    level : float, default=0.95
        Level of the confidence intervals.

    Returns
    -------
    DataFrame
        One row per estimated number, indexed by the columns of `estimates`. The columns are
        ``estimate``, the mean over the tables; ``standard_error``, from the variance within and
        between tables; ``df``, the degrees of freedom; ``lower`` and ``upper``, the confidence
        interval of Student's t; and ``missing_information``, the share of the total variance that
        is due to missing values.

    Raises
    ------
    ValueError
        If there are fewer than two tables, if the shapes differ, or if a variance is negative.

    References
    ----------
    D. B. Rubin, "Multiple imputation for nonresponse in surveys", 1987, chapter 3; J. Barnard
    and D. B. Rubin, Biometrika 86(4), 1999, for the degrees of freedom of small samples.

    Examples
    --------
    >>> from omitrans.metrics import pool_estimates
    >>> pooled = pool_estimates([[1.0, 5.0], [1.2, 5.0], [0.8, 5.0]], [[0.04, 0.01]] * 3)
    >>> pooled[["estimate", "standard_error"]].round(3)
       estimate  standard_error
    0       1.0           0.306
    1       5.0           0.100
    """
    refuse_labelled_array(estimates, "estimates")
    if not isinstance(estimates, pd.DataFrame) and isinstance(estimates[0], pd.Series):
        estimates, variances = pd.DataFrame(list(estimates)), pd.DataFrame(list(variances))
    names = estimates.columns if isinstance(estimates, pd.DataFrame) else None
    Q = check_array(estimates, dtype=np.float64, ensure_min_samples=2, input_name="estimates")
    U = check_array(variances, dtype=np.float64, input_name="variances")
    if Q.shape != U.shape:
        raise ValueError(
            f"estimates has the shape {Q.shape} and variances {U.shape}. Give one variance for "
            "each estimate."
        )
    if (U < 0).any():
        raise ValueError("variances holds negative values. Give squared standard errors.")
    within, between = U.mean(axis=0), (1 + 1 / len(Q)) * Q.var(axis=0, ddof=1)
    total = within + between
    share = np.divide(between, total, out=np.zeros_like(total), where=total > 0)
    freedom = _degrees_of_freedom(share, len(Q), df)
    error = np.sqrt(total)
    margin = stats.t.ppf((1 + level) / 2, freedom) * error
    centre = Q.mean(axis=0)
    return pd.DataFrame(
        {
            "estimate": centre,
            "standard_error": error,
            "df": freedom,
            "lower": centre - margin,
            "upper": centre + margin,
            "missing_information": share,
        },
        index=names,
    )


def _degrees_of_freedom(share: np.ndarray, n_draws: int, complete: float) -> np.ndarray:
    """Return the degrees of freedom of Barnard and Rubin; infinite if nothing limits them."""
    with np.errstate(divide="ignore"):
        between = (n_draws - 1) / share**2
        if np.isinf(complete):
            return between
        observed = (complete + 1) / (complete + 3) * complete * (1 - share)
        return 1 / (1 / between + 1 / observed)
