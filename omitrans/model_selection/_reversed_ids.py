"""The split of the PMI paper: donors in the order of their reversed ids."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.utils import check_consistent_length

from omitrans.model_selection._single_split import SingleSplit


class ReversedIdSplit(SingleSplit):
    """Train on the donors whose reversed ids come first, test on the last; one split.

    Ids are turned around, so that their random ends and not the order of recruitment decide, and
    sorted. The split points lie between donors.

    Parameters
    ----------
    train_size : float, default=0.6
        Share of samples to train on, about.
    test_size : float, default=0.2
        Share of samples to test on. What lies between is for validation and is left out; give
        ``train_size=0.8`` to train on it.

    See Also
    --------
    sklearn.model_selection.GroupKFold : Folds by donor, which use all samples.

    Notes
    -----
    The paper says 60 / 20 / 20; the authors' code takes 60 / 15 / 25 (``test_size=0.25``) and can
    divide the donor at a split point.

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
        """Yield the rows of training and test samples, once.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.
        y : array-like, default=None
            Ignored.
        groups : array-like of shape (n_samples,)
            The donor of every sample.

        Yields
        ------
        train : ndarray of int
            Rows of the training samples.
        test : ndarray of int
            Rows of the test samples.

        Raises
        ------
        ValueError
            If there are no groups or not one a sample, sizes do not fit, or one side would be
            empty.
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
