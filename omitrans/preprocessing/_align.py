"""Transformer that sorts columns along the genome."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from omitrans.annotation import check_locations, genomic_order
from omitrans.exceptions import FeatureMismatchError
from omitrans.preprocessing._columns import ColumnsMixin, find_rows
from omitrans.utils._sklearn import StrOptions, fit_context


class LocationAligner(ColumnsMixin, BaseEstimator):
    """Sort the columns by chromosome (1 to 22, X, Y) and position.

    It works for probes and genes, and for Y through
    :class:`sklearn.compose.TransformedTargetRegressor`, since ``inverse_transform`` restores the
    order.

    Parameters
    ----------
    annotation : DataFrame or None, default=None
        A probe or gene table (:func:`omitrans.annotation.check_locations`). Columns are found by
        their exact name; ids that X lacks are ignored. If X has no column names, the rows of the
        table describe the columns of X one by one, so that both must have the same number. None
        keeps the order of X.
    unmapped : {"last", "drop", "error"}, default="last"
        What to do with columns that the annotation does not list or gives no position for: put them
        after all others in the given order, drop them, or raise an error.

    Attributes
    ----------
    n_unmapped_ : int
        Number of columns without a known position.
    column_indices_ : ndarray of int
        Positions in X of the columns, sorted along the genome.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of str
        Names of the columns of X seen in fit, if X is a frame.

    Notes
    -----
    A version suffix is part of the name of a gene: "ENSG00000141510.11" is not found in a table
    that lists "ENSG00000141510". If no column is found at all, fit raises and says how to rename.

    References
    ----------
    The OmiTrans preprint, section Datasets (location alignment).

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.preprocessing import LocationAligner
    >>> genes = pd.DataFrame({
    ...     "gene_id": ["ENSG01", "ENSG02", "ENSG03"], "chromosome": ["chrX", "chr2", "chr10"],
    ...     "start": [5, 80, 1],
    ... })
    >>> Y = pd.DataFrame([[1.0, 2.0, 3.0]], columns=genes["gene_id"], index=["patient"])
    >>> aligner = LocationAligner(genes).fit(Y)
    >>> aligner.transform(Y)
    gene_id  ENSG02  ENSG03  ENSG01
    patient     2.0     3.0     1.0
    >>> aligner.inverse_transform(aligner.transform(Y)).equals(Y)
    True
    """

    _parameter_constraints = {
        "annotation": [pd.DataFrame, None],
        "unmapped": [StrOptions({"last", "drop", "error"})],
    }

    def __init__(self, annotation: pd.DataFrame | None = None, *, unmapped: str = "last") -> None:
        self.annotation = annotation
        self.unmapped = unmapped

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the order of the columns.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows; only the column names are used.
        y : None
            Ignored.

        Returns
        -------
        LocationAligner
            The fitted aligner.

        Raises
        ------
        ValueError
            If X and the annotation do not belong together, or all columns would be dropped.
        """
        return self._fit_columns(X)

    def _choose(self, missing_rates: Callable[[], np.ndarray]) -> None:
        if self.annotation is None:
            self.n_unmapped_ = 0
            self.column_indices_ = np.arange(self.n_features_in_)
            return
        places = self._places(self.annotation)
        unmapped = places.isna().any(axis=1).to_numpy()
        self.n_unmapped_ = int(unmapped.sum())
        if self.n_unmapped_ and self.unmapped == "error":
            raise FeatureMismatchError(
                f"The annotation does not place {self.n_unmapped_} of the {len(places)} columns of "
                f"X (first: {places.index[unmapped][0]}). Add them, or use unmapped='last' or "
                "'drop'."
            )
        order = genomic_order(places["chromosome"], places["position"])
        if self.unmapped == "drop":
            order = order[: len(order) - self.n_unmapped_]
        if not len(order):
            raise ValueError(
                f"LocationAligner left none of the {len(places)} columns: the annotation places "
                "none of them. Use unmapped='last', or check its chromosomes and positions."
            )
        self.column_indices_ = order

    def _places(self, annotation: pd.DataFrame) -> pd.DataFrame:
        """Return chromosome and position of each column of X."""
        places = check_locations(annotation)
        names = getattr(self, "feature_names_in_", None)
        if names is not None:
            rows = find_rows(places.index, names)
            take = pd.api.extensions.take  # with allow_fill, -1 gives a missing place
            found = {
                name: take(column.array, rows, allow_fill=True) for name, column in places.items()
            }
            return pd.DataFrame(found, index=names, copy=False)
        if len(places) != self.n_features_in_:
            raise FeatureMismatchError(
                f"X has no column names, so the {len(places)} rows of the annotation must describe "
                f"its {self.n_features_in_} columns one by one. Give X as a DataFrame, or the rows "
                "of its columns: annotation.set_index(...).loc[names].reset_index()."
            )
        return places
