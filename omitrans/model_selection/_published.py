"""One split whose test samples are given by their ids."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from omitrans.exceptions import SampleMismatchError
from omitrans.model_selection._single_split import SingleSplit
from omitrans.utils._validation import check_unique


class PublishedSplit(SingleSplit):
    """Test on the samples that somebody published; train on all others.

    Parameters
    ----------
    test_ids : sequence of str
        Ids of the test samples. Read a file with one id a line by
        ``pd.read_csv(path, header=None)[0]``.
    absent : {"raise", "ignore"}, default="raise"
        What to do if X lacks some of them: raise, or test on those that are there.

    See Also
    --------
    leak_report : Which patients stand on both sides.

    Notes
    -----
    The test samples that OmiTrans published (1,817 of 9,081) leak: 154 of them share a patient with
    a training sample. Compare with what was published on them, and trust folds by patient.

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
        """Yield the rows of training and test samples, once.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            The samples, indexed by their ids.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            Ignored.
        groups : array-like of shape (n_samples,), default=None
            Ignored.

        Yields
        ------
        train : ndarray of int
            Rows of the training samples.
        test : ndarray of int
            Rows of the test samples.

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
        check_unique(X.index, what="X (its index of samples)", cure="Keep one row a sample.")
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
