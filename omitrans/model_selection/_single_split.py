"""What splitters with one split share."""

from typing import Any

from sklearn.model_selection import BaseCrossValidator


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
            One.
        """
        return 1
