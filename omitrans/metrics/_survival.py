"""How well a risk score orders survival: concordance indices of Harrell and of Uno."""

from typing import Any

import numpy as np
import pandas as pd

from omitrans.exceptions import SampleMismatchError
from omitrans.utils._survival import check_survival

BLOCK_PAIRS = 2**20


def concordance_index(time: Any, event: Any, risk: Any) -> float:
    """Return Harrell's concordance index.

    It is the share of comparable pairs in which the sample with the higher risk has the event
    first. A pair is comparable if one sample has an event while the other is still at risk; at a
    tied time, a censored sample outlives one with an event, and two events are not compared. A tied
    risk counts one half. Ties are treated as by ``survival::concordance`` of R.

    Parameters
    ----------
    time : array-like or Series of shape (n_samples,)
        Time of the event or of censoring, in any unit; numbers above 0.
    event : array-like or Series of shape (n_samples,)
        True or 1 where the event was seen, False or 0 where the sample was censored.
    risk : array-like or Series of shape (n_samples,)
        Predicted risk, such as the log hazard ratio; greater means an earlier event.

    Returns
    -------
    float
        Concordance from 0 to 1; 0.5 is the expectation of a risk that knows nothing.

    Raises
    ------
    SampleMismatchError
        If lengths or indexes differ.
    ValueError
        If no pair is comparable, as when all samples are censored, or if a value is missing.

    See Also
    --------
    uno_concordance_index : Concordance that does not depend on how many samples are censored.

    References
    ----------
    F. E. Harrell et al., "Evaluating the yield of medical tests", JAMA 247(18), 1982.

    Examples
    --------
    >>> from omitrans.metrics import concordance_index
    >>> concordance_index(time=[1, 2, 3, 4], event=[1, 1, 0, 1], risk=[0.9, 0.2, 0.5, 0.1])
    0.8
    """
    times, events, risks = _checked(time, event, risk)
    return _concordance(times, events, risks, events.astype(float))


def uno_concordance_index(
    time: Any,
    event: Any,
    risk: Any,
    *,
    train_time: Any,
    train_event: Any,
    tau: float | None = None,
) -> float:
    """Return Uno's concordance index.

    Pairs are weighted by the inverse squared probability that the earlier sample was not yet
    censored. Harrell's index depends on the distribution of the times of censoring, and this
    index does not, if censoring does not depend on the risk.

    Parameters
    ----------
    time : array-like or Series of shape (n_samples,)
        Time of the event or of censoring, in any unit; numbers above 0.
    event : array-like or Series of shape (n_samples,)
        True or 1 where the event was seen, False or 0 where the sample was censored.
    risk : array-like or Series of shape (n_samples,)
        Predicted risk, such as the log hazard ratio; greater means an earlier event.
    train_time, train_event : array-like or Series of shape (n_train_samples,)
        Outcomes from which the probability of censoring is estimated (Kaplan and Meier), as a rule
        those of the training samples.
    tau : float, default=None
        Only events before this time count. None counts all events at which the probability of not
        being censored is above 0. Weights grow without end late in a study, so a time at which a
        tenth of the samples is still at risk makes the index less noisy.

    Returns
    -------
    float
        Concordance from 0 to 1; 0.5 is the expectation of a risk that knows nothing.

    Raises
    ------
    SampleMismatchError
        If lengths or indexes differ.
    ValueError
        If no pair is comparable, as when all samples are censored, if a value is missing, or if
        `tau` is not above 0.

    See Also
    --------
    concordance_index : Harrell's index.

    References
    ----------
    H. Uno et al., "On the C-statistics for evaluating overall adequacy of risk prediction
    procedures with censored survival data", Statistics in Medicine 30(10), 2011.

    Examples
    --------
    >>> from omitrans.metrics import uno_concordance_index
    >>> time, event = [1, 2, 3, 4, 5], [1, 0, 1, 0, 1]
    >>> uno_concordance_index(
    ...     time, event, [0.9, 0.2, 0.1, 0.5, 0.3], train_time=time, train_event=event
    ... )
    0.52941...
    """
    times, events, risks = _checked(time, event, risk)
    uncensored = _uncensored_before(times, *check_survival(train_time, train_event))
    counts = events & (uncensored > 0)
    if tau is not None:
        if not tau > 0:
            raise ValueError(f"tau must be a time above 0; found {tau!r}.")
        counts &= times < tau
    weight = np.zeros(len(times))
    weight[counts] = uncensored[counts] ** -2.0
    return _concordance(times, events, risks, weight)


def _checked(time: Any, event: Any, risk: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return outcomes and risks as arrays, or raise."""
    table = risk if isinstance(risk, pd.Series) else None
    times, events = check_survival(time, event, table, table_name="risk")
    risks = np.asarray(risk, dtype=np.float64)
    if risks.shape != times.shape:
        raise SampleMismatchError(
            f"risk has the shape {risks.shape}, and time holds {len(times)} samples. Give one risk "
            "per sample."
        )
    bad = np.flatnonzero(np.isnan(risks))
    if len(bad):
        raise ValueError(
            f"risk is missing for {len(bad)} of {len(risks)} samples (first: row {bad[0]}). Leave "
            "them out of all three."
        )
    return times, events, risks


def _concordance(
    times: np.ndarray, events: np.ndarray, risks: np.ndarray, weight: np.ndarray
) -> float:
    """Return the weighted concordance; the weight of a pair is that of the earlier sample."""
    first = np.flatnonzero(weight)
    pairs = concordant = 0.0
    width = max(1, BLOCK_PAIRS // max(1, len(times)))
    for start in range(0, len(first), width):
        rows = first[start : start + width]
        outlives = times > times[rows, None]
        outlives |= (times == times[rows, None]) & ~events
        higher = (outlives & (risks[rows, None] > risks)).sum(axis=1)
        equal = (outlives & (risks[rows, None] == risks)).sum(axis=1)
        pairs += float(weight[rows] @ outlives.sum(axis=1))
        concordant += float(weight[rows] @ (higher + equal / 2))
    if pairs == 0:
        raise ValueError(
            f"No pair of the {len(times)} samples is comparable: no sample is still at risk at an "
            f"event that counts ({len(first)} of them do). Give more samples with events."
        )
    return concordant / pairs


def _uncensored_before(
    times: np.ndarray, train_times: np.ndarray, train_events: np.ndarray
) -> np.ndarray:
    """Return the probability of not being censored before each time (Kaplan and Meier)."""
    distinct, place = np.unique(train_times, return_inverse=True)
    n_events = np.bincount(place[train_events], minlength=len(distinct))
    n_censored = np.bincount(place[~train_events], minlength=len(distinct))
    n_at_risk = np.cumsum((n_events + n_censored)[::-1])[::-1]
    # whoever has an event at a time can no longer be censored at it
    able = np.maximum(n_at_risk - n_events, 1)
    survival = np.concatenate([[1.0], np.cumprod(1 - n_censored / able)])
    return survival[np.searchsorted(distinct, times, side="left")]
