"""Genes whose expression goes with survival: a Cox model of each."""

from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from omitrans.downstream._driving_genes import adjusted
from omitrans.exceptions import SampleMismatchError
from omitrans.solvers._cox import CoxFits, cox_fits
from omitrans.solvers._risk_sets import TIES
from omitrans.utils._sklearn import Interval, StrOptions, validate_params
from omitrans.utils._survival import check_expression, check_survival, require_events
from omitrans.utils._validation import check_paired_samples


@validate_params(
    {
        "ties": [StrOptions(set(TIES))],
        "test": [StrOptions({"wald", "score", "lr"})],
        "level": [Interval(Real, 0, 1, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def prognosis_genes(
    expression: Any,
    time: Any,
    event: Any,
    *,
    covariates: Any = None,
    strata: Any = None,
    ties: str = "efron",
    test: str = "wald",
    level: float = 0.95,
) -> pd.DataFrame:
    """Test each gene for an effect on survival, with a Cox model of its own.

    The models of all genes are fitted together, which takes seconds for 20,000 genes; they agree
    with ``survival::coxph`` of R.

    Parameters
    ----------
    expression : array-like or DataFrame of shape (n_samples, n_genes)
        Expression in any unit, without missing values.
    time : array-like or Series of shape (n_samples,)
        Time of the event or of censoring, in any unit; numbers above 0.
    event : array-like or Series of shape (n_samples,)
        True or 1 where the event was seen, False or 0 where the sample was censored.
    covariates : array-like or DataFrame of shape (n_samples, n_covariates), default=None
        Covariates that are in every gene's model. Columns of text, of categories or of booleans
        are turned into indicators of all levels but the first.
    strata : array-like or Series of shape (n_samples,), default=None
        Stratum of each sample, such as the type of cancer. Each has a baseline hazard of its own.
    ties : {"efron", "breslow"}, default="efron"
        Treatment of events at the same time.
    test : {"wald", "score", "lr"}, default="wald"
        Test of the p-values: Wald's test, the score test (without ties, the log-rank test), or the
        likelihood-ratio test.
    level : float, default=0.95
        Level of the confidence intervals.

    Returns
    -------
    DataFrame
        One row per gene, in the order of the table and indexed by gene. The columns are ``coef``,
        the log hazard ratio per unit of the gene; ``hazard_ratio``; ``se``, the standard error of
        `coef`; ``lower`` and ``upper``, the confidence interval of the hazard ratio; ``z``, the
        signed square root of the chosen test statistic; ``p``; ``q``, which controls the false
        discovery rate over the genes that have a p-value (Benjamini and Hochberg); ``n`` samples;
        ``n_events``; and ``status``:

        - ``"ok"``;
        - ``"constant"``: the gene does not vary among the samples at risk at any event, and all
          numbers are NaN;
        - ``"collinear"``: the gene follows from the covariates, and all numbers are NaN;
        - ``"separated"``: the likelihood grows without end, as when whoever has an event has the
          highest value of all at risk. No finite hazard ratio exists: `coef`, `hazard_ratio`,
          `se`, the interval and Wald's test are NaN. The score test and the likelihood-ratio test
          remain valid;
        - ``"not converged"``: treated as separated.

    Raises
    ------
    SampleMismatchError
        If the tables do not hold the same samples in the same order.
    ValueError
        If all samples are censored, if a time is not above 0, if a value is missing, or if the
        covariates alone have no model.

    See Also
    --------
    cross_validate_cox : Predict survival from many genes together.

    References
    ----------
    D. R. Cox, "Regression models and life-tables", Journal of the Royal Statistical Society B
    34(2), 1972.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from omitrans.downstream import prognosis_genes
    >>> rng = np.random.default_rng(0)
    >>> expression = pd.DataFrame(rng.normal(size=(200, 3)), columns=["A", "B", "C"])
    >>> time = rng.exponential(1000 * np.exp(-expression["A"]))
    >>> event = rng.uniform(size=200) < 0.6
    >>> genes = prognosis_genes(expression, time, event)
    >>> list(genes.index[genes["q"] < 0.05])
    ['A']
    """
    values, _, genes = check_expression(expression)
    times, events = check_survival(time, event, expression)
    require_events(events)
    fits = cox_fits(
        values,
        times,
        events,
        strata=None if strata is None else _codes(strata, expression),
        covariates=None if covariates is None else _columns(covariates, expression),
        ties=ties,
        score_only=False,
    )
    frame = _frame(fits, genes.rename("gene"), test, level)
    frame["n"], frame["n_events"] = len(times), int(events.sum())
    frame["status"] = fits.status
    return frame


def _frame(fits: CoxFits, genes: pd.Index, test: str, level: float) -> pd.DataFrame:
    """Return estimates and tests by gene."""
    statistic = getattr(fits, test)
    sign = np.where(np.isnan(fits.coef), fits.score_sign, np.sign(fits.coef))
    p = stats.chi2.sf(statistic, 1)
    q = adjusted(p)
    margin = stats.norm.isf((1 - level) / 2) * fits.se
    with np.errstate(over="ignore"):  # a gene of tiny values has a huge ratio per unit
        columns = {
            "coef": fits.coef,
            "hazard_ratio": np.exp(fits.coef),
            "se": fits.se,
            "lower": np.exp(fits.coef - margin),
            "upper": np.exp(fits.coef + margin),
            "z": sign * np.sqrt(statistic),
            "p": p,
            "q": q,
        }
    return pd.DataFrame(columns, index=genes)


def _codes(strata: Any, expression: Any) -> np.ndarray:
    """Return a number for each sample's stratum."""
    check_paired_samples(expression, strata, names=("expression", "strata"))
    codes, _ = pd.factorize(pd.Series(strata).to_numpy())
    _check_rows(len(codes), len(expression), "strata")
    if (codes < 0).any():
        raise ValueError(
            f"strata is missing for {int((codes < 0).sum())} samples. Give them a stratum of "
            "their own, or leave them out."
        )
    return codes


def _columns(covariates: Any, expression: Any) -> np.ndarray:
    """Return covariates as numbers."""
    frame = pd.DataFrame(covariates)
    _check_rows(len(frame), len(expression), "covariates")
    if isinstance(covariates, pd.DataFrame | pd.Series):
        check_paired_samples(expression, covariates, names=("expression", "covariates"))
    missing = frame.isna().sum()
    if missing.any():
        raise ValueError(
            f"covariates holds {int(missing.sum())} missing values (first column: "
            f"{missing.index[missing > 0][0]!r}). Fill them, or leave these samples out."
        )
    odd = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
    odd += [name for name in frame if pd.api.types.is_bool_dtype(frame[name])]
    values = pd.get_dummies(frame, columns=odd, drop_first=True).to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("covariates holds infinite values. Leave these samples out.")
    return values


def _check_rows(n_rows: int, n_samples: int, name: str) -> None:
    if n_rows != n_samples:
        raise SampleMismatchError(
            f"expression holds {n_samples} samples and {name} {n_rows}. Give one row per sample."
        )
