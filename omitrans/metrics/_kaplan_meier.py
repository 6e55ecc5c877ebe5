"""Survival of groups of samples: Kaplan-Meier curves and the log-rank test, from lifelines."""

from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from omitrans.exceptions import SampleMismatchError
from omitrans.utils._optional import import_optional
from omitrans.utils._sklearn import Interval, validate_params
from omitrans.utils._survival import check_survival
from omitrans.utils._validation import check_paired_samples


@validate_params(
    {"level": [Interval(Real, 0, 1, closed="neither")]}, prefer_skip_nested_validation=False
)
def kaplan_meier(time: Any, event: Any, groups: Any = None, *, level: float = 0.95) -> pd.DataFrame:
    """Return the Kaplan-Meier estimate of survival, for all samples or by group.

    Parameters
    ----------
    time : array-like or Series of shape (n_samples,)
        Time of the event or of censoring, in any unit; numbers above 0.
    event : array-like or Series of shape (n_samples,)
        True or 1 where the event was seen, False or 0 where the sample was censored.
    groups : array-like or Series of shape (n_samples,), default=None
        Group of each sample. None estimates one curve, of the group "all".
    level : float, default=0.95
        Level of the pointwise confidence intervals.

    Returns
    -------
    DataFrame
        One row per group and distinct time: ``group``; ``time``; ``at_risk``, the samples whose
        time is this or later; ``events`` and ``censored`` at this time; ``survival`` after it; and
        ``lower`` and ``upper``, by Greenwood's variance on the log(-log) scale, which
        ``survival::survfit`` of R calls ``conf.type="log-log"``. Both are NaN where no sample
        survives.

    Raises
    ------
    MissingDependencyError
        If lifelines is not installed.
    SampleMismatchError
        If lengths or indexes differ.
    ValueError
        If a time, an event or a group is unusable.

    See Also
    --------
    log_rank_test : Tests whether groups differ.
    omitrans.displays.KaplanMeierDisplay : Draws the curves.

    Examples
    --------
    >>> from omitrans.metrics import kaplan_meier
    >>> kaplan_meier([2, 3, 3, 5], [1, 1, 0, 0])[["time", "at_risk", "survival"]]
       time  at_risk  survival
    0   2.0        4      0.75
    1   3.0        3      0.50
    2   5.0        1      0.50
    """
    times, events, labels = _checked(time, event, groups)
    lifelines = import_optional("lifelines", extra="survival", purpose="estimate survival curves")
    parts = []
    for group in pd.unique(labels):
        rows = labels == group
        fitter = lifelines.KaplanMeierFitter(alpha=1 - level).fit(times[rows], events[rows])
        table = fitter.event_table.join(fitter.survival_function_).iloc[1:]  # the first is time 0
        bounds = fitter.confidence_interval_.loc[table.index].to_numpy()
        bounds[table["KM_estimate"].to_numpy() <= 0] = np.nan
        parts.append(
            pd.DataFrame(
                {
                    "group": group,
                    "time": table.index.to_numpy(),
                    "at_risk": table["at_risk"].to_numpy(),
                    "events": table["observed"].to_numpy(),
                    "censored": table["censored"].to_numpy(),
                    "survival": table["KM_estimate"].to_numpy(),
                    "lower": bounds[:, 0],
                    "upper": bounds[:, 1],
                }
            )
        )
    return pd.concat(parts, ignore_index=True).astype(
        {"at_risk": int, "events": int, "censored": int}
    )


def log_rank_test(time: Any, event: Any, groups: Any) -> tuple[float, float]:
    """Test whether the survival of groups differs, by the log-rank test.

    Parameters
    ----------
    time : array-like or Series of shape (n_samples,)
        Time of the event or of censoring, in any unit; numbers above 0.
    event : array-like or Series of shape (n_samples,)
        True or 1 where the event was seen, False or 0 where the sample was censored.
    groups : array-like or Series of shape (n_samples,)
        Group of each sample; two groups or more.

    Returns
    -------
    statistic, p_value : float
        Statistic, chi-squared with one degree of freedom less than there are groups, and its
        p-value. Both are NaN if no sample has an event.

    Raises
    ------
    MissingDependencyError
        If lifelines is not installed.
    SampleMismatchError
        If lengths or indexes differ.
    ValueError
        If there is one group alone, or a time, an event or a group is unusable.

    Examples
    --------
    >>> from omitrans.metrics import log_rank_test
    >>> statistic, p_value = log_rank_test(
    ...     [1, 2, 3, 4, 7, 8, 9, 10], [1, 1, 1, 1, 1, 0, 1, 0], list("aaaabbbb")
    ... )
    >>> bool(p_value < 0.05)
    True
    """
    times, events, labels = _checked(time, event, groups)
    names = pd.unique(labels)
    if len(names) < 2:
        raise ValueError(
            f"groups must hold two groups or more to compare; all {len(labels)} samples are of "
            f"group {names[0]!r}."
        )
    if not events.any():
        return np.nan, np.nan
    statistics = import_optional(
        "lifelines.statistics", extra="survival", purpose="compare the survival of groups"
    )
    result = statistics.multivariate_logrank_test(times, pd.factorize(labels)[0], events)
    return float(result.test_statistic), float(result.p_value)


def _checked(time: Any, event: Any, groups: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return outcomes and groups as arrays, or raise."""
    times, events = check_survival(time, event)
    if not len(times):
        raise ValueError("time is empty; give one time per sample, and at least one sample.")
    if groups is None:
        return times, events, np.full(len(times), "all", dtype=object)
    if len(groups) != len(times):
        raise SampleMismatchError(
            f"time holds {len(times)} samples and groups {len(groups)}. Give one group per sample."
        )
    for name, outcome in (("time", time), ("event", event)):
        if isinstance(outcome, pd.Series):
            check_paired_samples(outcome.to_frame(), groups, names=(name, "groups"))
    labels = pd.Series(groups).astype(object)
    if labels.isna().any():
        raise ValueError(
            f"groups is missing for {int(labels.isna().sum())} of {len(labels)} samples. Leave "
            "them out, or name their group."
        )
    return times, events, labels.to_numpy()
