"""Risk sets of censored survival times, and sums over them for many columns at once."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

TIES = ("efron", "breslow")


@dataclass(frozen=True, eq=False)
class RiskSets:
    """Samples at risk at each event time, in the order that makes sums over them cumulative.

    Rows are the samples that are ever at risk at an event: first by stratum, then from the latest
    to the earliest time. A group of rows holds the samples that join the risk set at the next
    earlier event time, so the risk set of a group is the group and all groups before it in its
    stratum. The partial likelihood has one factor per term: each event is a term of its own with
    Efron's treatment of ties, and all events of a time are one term, with their number as weight,
    with Breslow's.

    Attributes
    ----------
    rows : ndarray of shape (n_rows,)
        Position of each row in the given samples.
    event : ndarray of shape (n_rows,)
        1.0 where the row had an event, else 0.0.
    group_starts, group_of_row : ndarray of int
        First row of each group, and group of each row.
    strata : list of slice
        Groups of each stratum.
    group_of_term, term_starts : ndarray of int
        Group of each term, and first term of each group.
    weight : ndarray of shape (n_terms,)
        Number of events of each term.
    fraction : ndarray of shape (n_terms,)
        Part of the tied events that has left the risk set of a term; 0 without ties.
    tied_rows, tied_starts : ndarray of int
        Rows with events at tied times, and where the rows of each tied group start among them.
    tied_groups : ndarray of int
        Groups with tied events.
    """

    rows: np.ndarray
    event: np.ndarray
    group_starts: np.ndarray
    group_of_row: np.ndarray
    strata: list[slice]
    group_of_term: np.ndarray
    term_starts: np.ndarray
    weight: np.ndarray
    fraction: np.ndarray
    tied_rows: np.ndarray
    tied_starts: np.ndarray
    tied_groups: np.ndarray

    @classmethod
    def of(
        cls, time: np.ndarray, event: np.ndarray, strata: Any = None, ties: str = "efron"
    ) -> "RiskSets":
        """Sort samples into risk sets.

        Parameters
        ----------
        time : ndarray of shape (n_samples,)
            Times of the event or of censoring.
        event : ndarray of bool of shape (n_samples,)
            Whether the event was seen; at least one was.
        strata : ndarray of int of shape (n_samples,), default=None
            Stratum of each sample.
        ties : {"efron", "breslow"}, default="efron"
            Treatment of events at the same time.

        Returns
        -------
        RiskSets
            The risk sets.
        """
        stratum = np.zeros(len(time), dtype=int) if strata is None else np.asarray(strata)
        first_event = np.full(stratum.max() + 1, np.inf)
        np.minimum.at(first_event, stratum[event], time[event])
        # who was censored before the first event is in no risk set
        kept = np.flatnonzero(time >= first_event[stratum])
        rows = kept[np.lexsort((~event[kept], -time[kept], stratum[kept]))]
        time, event, stratum = time[rows], event[rows], stratum[rows]

        new_time = np.flatnonzero((np.diff(time) != 0) | (np.diff(stratum) != 0)) + 1
        time_starts = np.concatenate([[0], new_time])
        n_events = np.add.reduceat(event.astype(int), time_starts)
        time_ends = np.append(new_time, len(rows))
        ends = time_ends[n_events > 0]
        starts = np.concatenate([[0], ends[:-1]])
        n_events = n_events[n_events > 0]
        group_of_row = np.repeat(np.arange(len(starts)), ends - starts)

        groups = np.arange(len(starts))
        if ties == "efron":
            term_starts = np.cumsum(n_events) - n_events
            group_of_term = np.repeat(groups, n_events)
            weight = np.ones(len(group_of_term))
            fraction = (np.arange(len(group_of_term)) - term_starts[group_of_term]) / n_events[
                group_of_term
            ]
            tied = n_events > 1
        else:
            term_starts = group_of_term = groups
            weight, fraction = n_events.astype(float), np.zeros(len(groups))
            tied = np.zeros(len(groups), dtype=bool)
        tied_rows = np.flatnonzero(event & tied[group_of_row])
        new_stratum = np.flatnonzero(np.diff(stratum[starts])) + 1
        edges = np.concatenate([[0], new_stratum, [len(starts)]])
        return cls(
            rows=rows,
            event=event.astype(float),
            group_starts=starts,
            group_of_row=group_of_row,
            strata=[slice(*pair) for pair in pairwise(edges)],
            group_of_term=group_of_term,
            term_starts=term_starts,
            weight=weight,
            fraction=fraction,
            tied_rows=tied_rows,
            tied_starts=np.cumsum(n_events[tied]) - n_events[tied],
            tied_groups=groups[tied],
        )

    def accumulate(self, values: np.ndarray, how: np.ufunc = np.add) -> np.ndarray:
        """Return the sum, or another reduction, over the whole risk set of each group.

        Parameters
        ----------
        values : ndarray of shape (n_rows, n_columns)
            Values of the rows.
        how : ufunc, default=numpy.add
            The reduction.

        Returns
        -------
        ndarray of shape (n_groups, n_columns)
            The reduced values.
        """
        result = how.reduceat(values, self.group_starts, axis=0)
        for groups in self.strata:
            how.accumulate(result[groups], axis=0, out=result[groups])
        return result

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return the sum over the risk set of each term.

        Parameters
        ----------
        values : ndarray of shape (n_rows, n_columns)
            Values of the rows.

        Returns
        -------
        ndarray of shape (n_terms, n_columns)
            The sums, less the part of the tied events that has left.
        """
        total = self.accumulate(values)
        if not len(self.tied_rows):
            return total
        leaving = np.zeros_like(total)
        leaving[self.tied_groups] = np.add.reduceat(
            values[self.tied_rows], self.tied_starts, axis=0
        )
        result = total[self.group_of_term]
        later = np.flatnonzero(self.fraction)
        result[later] -= self.fraction[later, None] * leaving[self.group_of_term[later]]
        return result

    def hazard_of_rows(self, risk_sums: np.ndarray) -> np.ndarray:
        """Return the cumulative baseline hazard of each row, for the fitted relative hazards.

        Parameters
        ----------
        risk_sums : ndarray of shape (n_terms, n_columns)
            Sum of the relative hazards over the risk set of each term.

        Returns
        -------
        ndarray of shape (n_rows, n_columns)
            The cumulative hazard up to the time of the row; a row with one of several tied events
            bears only the part during which it is in the risk set.
        """
        steps = self.weight[:, None] / risk_sums
        by_group = np.add.reduceat(steps, self.term_starts, axis=0)
        for groups in self.strata:
            part = by_group[groups][::-1]
            np.add.accumulate(part, axis=0, out=part)
        hazard = by_group[self.group_of_row]
        if len(self.tied_rows):
            away = np.add.reduceat(self.fraction[:, None] * steps, self.term_starts, axis=0)
            hazard[self.tied_rows] -= away[self.group_of_row[self.tied_rows]]
        return hazard
