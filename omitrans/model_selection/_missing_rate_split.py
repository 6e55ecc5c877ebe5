"""Splitter of the TDimpute protocol: expression is missing for more and more samples."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state, indexable


class MissingRateSplit(BaseCrossValidator):
    """Split with growing fractions of test samples, with several random draws per fraction.

    Of ``n`` samples in random order, the first ``int(n * rate)`` are the test samples, whose
    targets count as missing; the model is trained on the others. The splits come rate by rate and,
    within a rate, draw by draw; `labels` gives the rate and draw of each split.

    Parameters
    ----------
    missing_rates : sequence of float, default=(0.1, 0.3, 0.5, 0.7, 0.9)
        Fractions of test samples, larger than 0 and smaller than 1.
    n_draws : int, default=5
        Number of draws per rate. Each draw is new, and without replacement.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws. With a number, every call of ``split`` yields the same splits.

    See Also
    --------
    PatientGroupKFold : Makes folds in which every sample is tested once.

    Notes
    -----
    With `groups` (patients), whole groups in random order are test samples as long as they fit into
    ``int(n * rate)``, so that the fraction is reached or nearly reached.

    Test samples of different draws overlap, and at low rates training samples overlap nearly
    completely. The spread over draws is therefore smaller than that of independent experiments.

    References
    ----------
    X. Zhou et al., "Imputing missing RNA-sequencing data from DNA methylation by using a transfer
    learning-based neural network", GigaScience 9(7), 2020 (missing rates of 10 to 90 %, five
    draws, called bootstrapping there).

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.model_selection import MissingRateSplit
    >>> cv = MissingRateSplit(missing_rates=(0.1, 0.5), n_draws=2, random_state=0)
    >>> [len(test) for train, test in cv.split(np.zeros((20, 3)))]
    [2, 2, 10, 10]
    >>> cv.labels
          missing_rate  draw
    fold
    0              0.1     0
    1              0.1     1
    2              0.5     0
    3              0.5     1
    """

    __metadata_request__split = {"groups": True}

    def __init__(
        self,
        missing_rates: tuple[float, ...] = (0.1, 0.3, 0.5, 0.7, 0.9),
        *,
        n_draws: int = 5,
        random_state: Any = None,
    ) -> None:
        self.missing_rates = missing_rates
        self.n_draws = n_draws
        self.random_state = random_state

    @property
    def labels(self) -> pd.DataFrame:
        """Missing rate and draw of each split, indexed by the number of the split.

        Join it with the results of a comparison:
        ``comparison.results.join(cv.labels, on="fold")``.
        """
        rates, draws = self._checked_rates(), range(self.n_draws)
        rows = [(rate, draw) for rate in rates for draw in draws]
        index = pd.RangeIndex(len(rows), name="fold")
        return pd.DataFrame(rows, columns=["missing_rate", "draw"], index=index)

    def split(
        self, X: Any, y: Any = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the row numbers of training and test samples of each draw.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Ignored.
        groups : array-like of shape (n_samples,), default=None
            Group of each sample, such as its patient; a group stays on one side of a split.

        Yields
        ------
        train : ndarray of int
            Row numbers of the training samples, in random order.
        test : ndarray of int
            Row numbers of the test samples, in random order.

        Raises
        ------
        ValueError
            If a parameter is out of range, or a rate leaves no test or no training samples.
        """
        X, y, groups = indexable(X, y, groups)
        n_samples = len(X) if groups is None else len(np.asarray(groups))
        codes = np.arange(n_samples) if groups is None else pd.factorize(np.asarray(groups))[0]
        random = check_random_state(self.random_state)
        for rate in self._checked_rates():
            for _ in range(self.n_draws):
                yield _draw(codes, rate, random)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: ArrayLike | None = None) -> int:
        """Return the number of splits.

        Parameters
        ----------
        X : array-like, default=None
            Ignored.
        y : array-like, default=None
            Ignored.
        groups : array-like, default=None
            Ignored.

        Returns
        -------
        int
            Number of splits: number of rates times number of draws.
        """
        return len(self._checked_rates()) * self.n_draws

    def _checked_rates(self) -> list[float]:
        rates = [float(rate) for rate in self.missing_rates]
        if not rates or not all(0 < rate < 1 for rate in rates):
            raise ValueError(
                f"missing_rates must lie between 0 and 1, both excluded. Got {self.missing_rates}."
            )
        if not isinstance(self.n_draws, Integral) or self.n_draws < 1:
            raise ValueError(f"n_draws must be an int of at least 1. Got {self.n_draws!r}.")
        return rates


def _draw(
    groups: np.ndarray, rate: float, random: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return one split of samples whose groups are numbered from 0."""
    n_test = int(len(groups) * rate)
    sizes = np.bincount(groups)
    order = random.permutation(len(sizes))
    n_groups = np.searchsorted(np.cumsum(sizes[order]), n_test, side="right")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    rows = np.argsort(place[groups], kind="stable")
    n_test = int(sizes[order[:n_groups]].sum())
    if n_test == 0 or n_test == len(groups):
        side = "test" if n_test == 0 else "training"
        raise ValueError(
            f"A missing rate of {rate:g} leaves no {side} samples of {len(groups)} in "
            f"{len(sizes)} groups. Leave this rate out, or give more samples."
        )
    return rows[n_test:], rows[:n_test]
