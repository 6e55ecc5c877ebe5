"""Splitters that make one published split into training and test samples."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_consistent_length

from omitrans.exceptions import SampleMismatchError
from omitrans.utils._validation import check_unique


class SingleSplit(BaseCrossValidator):
    """Base of splitters that yield one pair of training and test samples."""

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
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
            Number of splits, which is 1.
        """
        return 1


class PublishedSplit(SingleSplit):
    """Split with published test samples; all other samples are training samples.

    Parameters
    ----------
    test_ids : sequence of str
        Ids of the test samples. Read a file with one id per line by
        ``pd.read_csv(path, header=None)[0]``.
    absent : {"raise", "ignore"}, default="raise"
        What to do if X lacks some test samples: raise an error, or test on those that X holds.

    See Also
    --------
    leak_report : Reports the patients on both sides of a split.

    Notes
    -----
    The test samples that OmiTrans published (1,817 of 9,081) leak: 154 of them share a patient with
    a training sample. Use them to compare with published results, but rely on folds by patient.
    Where sample ids name the patients, :func:`omitrans.comparison.compare_models` refuses such a
    split unless it is given ``groups=None``.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.model_selection import PublishedSplit
    >>> X = pd.DataFrame({"cg1": [0.1, 0.2, 0.3]}, index=["s1", "s2", "s3"])
    >>> for train, test in PublishedSplit(["s2"]).split(X):
    ...     print(list(X.index[train]), list(X.index[test]))
    ['s1', 's3'] ['s2']
    """

    def __init__(self, test_ids: Iterable[str], *, absent: str = "raise") -> None:
        self.test_ids = test_ids
        self.absent = absent

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the row numbers of training and test samples, once.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Samples as rows, indexed by their ids.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Ignored.
        groups : array-like of shape (n_samples,), default=None
            Ignored.

        Yields
        ------
        train : ndarray of int
            Row numbers of the training samples.
        test : ndarray of int
            Row numbers of the test samples.

        Raises
        ------
        TypeError
            If X has no index.
        SampleMismatchError
            If test samples are absent from X, or no training sample is left.
        """
        if not isinstance(X, pd.DataFrame | pd.Series):
            raise TypeError(
                f"PublishedSplit finds samples in the index of X, but X is {type(X).__name__}. "
                "Give X as a DataFrame indexed by sample ids."
            )
        check_unique(X.index, what="X (its index of samples)", cure="Keep one row per sample.")
        if self.absent not in ("raise", "ignore"):
            raise ValueError(f"absent must be 'raise' or 'ignore'. Got {self.absent!r}.")
        wanted = pd.Index(list(self.test_ids))
        found = X.index.isin(wanted)
        absent = wanted.difference(X.index)
        if not found.any() or (len(absent) and self.absent == "raise"):
            raise SampleMismatchError(
                f"{len(absent)} of {len(wanted)} test_ids are not in the index of X (first: "
                f"{absent[:1].tolist()}; X has {X.index[:1].tolist()}). Ids must be equal to the "
                "last character; cut both to one length if they differ in it. With "
                "absent='ignore' those that are there are tested."
            )
        if found.all():
            raise SampleMismatchError("All samples of X are in test_ids: none is left to train on.")
        yield np.flatnonzero(~found), np.flatnonzero(found)


class ReversedIdSplit(SingleSplit):
    """Split by donor: train on the donors whose reversed ids come first, test on the last.

    Ids are reversed and sorted, so that their random ends and not the order of recruitment decide.
    The split points lie between donors. There is one split.

    Parameters
    ----------
    train_size : float, default=0.6
        Approximate fraction of samples to train on.
    test_size : float, default=0.2
        Approximate fraction of samples to test on. The samples between are meant for validation and
        are left out; use ``train_size=0.8`` to train on them.

    See Also
    --------
    sklearn.model_selection.GroupKFold : Makes folds by donor that use all samples.

    Notes
    -----
    The paper states 60 / 20 / 20; the code of the authors uses 60 / 15 / 25 (``test_size=0.25``)
    and can put a donor at a split point on both sides.

    References
    ----------
    R. Viñas et al., "Deep learning enables fast and accurate imputation of gene expression",
    section 3.1.

    Examples
    --------
    >>> from omitrans.model_selection import ReversedIdSplit
    >>> donors = ["GTEX-111A", "GTEX-111A", "GTEX-222C", "GTEX-333B", "GTEX-444D"]
    >>> ((train, test),) = ReversedIdSplit().split(donors, groups=donors)
    >>> [donors[i] for i in train], [donors[i] for i in test]
    (['GTEX-111A', 'GTEX-111A', 'GTEX-333B'], ['GTEX-444D'])
    """

    def __init__(self, train_size: float = 0.6, test_size: float = 0.2) -> None:
        self.train_size = train_size
        self.test_size = test_size

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the row numbers of training and test samples, once.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples as rows.
        y : array-like, default=None
            Ignored.
        groups : array-like of shape (n_samples,)
            Donor of each sample.

        Yields
        ------
        train : ndarray of int
            Row numbers of the training samples.
        test : ndarray of int
            Row numbers of the test samples.

        Raises
        ------
        ValueError
            If there are no groups or not one group per sample, sizes do not fit, or one side would
            be empty.
        """
        if groups is None:
            raise ValueError("ReversedIdSplit needs groups, the donor of every sample.")
        if not (self.train_size > 0 and self.test_size > 0):
            raise ValueError("train_size and test_size must be positive shares of the samples.")
        if self.train_size + self.test_size > 1 + 1e-9:
            raise ValueError(
                f"train_size={self.train_size} and test_size={self.test_size} exceed 1 together."
            )
        check_consistent_length(X, groups)
        donors = np.asarray(groups).astype(str)
        reversed_ids = np.array([donor[::-1] for donor in donors])
        ids, counts = np.unique(reversed_ids, return_counts=True)
        upto = np.cumsum(counts) / len(donors)  # share of samples up to and with each donor
        train = np.isin(reversed_ids, ids[upto <= self.train_size + 1e-9])
        test = np.isin(reversed_ids, ids[upto - counts / len(donors) >= 1 - self.test_size - 1e-9])
        if not (train.any() and test.any()):
            raise ValueError(
                f"{len(ids)} donors of {len(donors)} samples are too few for train_size="
                f"{self.train_size} and test_size={self.test_size}: one side would be empty."
            )
        yield np.flatnonzero(train), np.flatnonzero(test)
