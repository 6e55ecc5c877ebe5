"""Transformer that gives samples the distribution of values of a training cohort."""

from collections.abc import Callable, Iterator
from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import Tags, gen_batches
from sklearn.utils.validation import check_is_fitted

from omitrans.preprocessing._columns import check_table, map_values
from omitrans.utils._blocks import FEW_ROWS
from omitrans.utils._sklearn import Interval, fit_context


class ReferenceQuantileNormalizer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Map the values of each sample by rank to the mean distribution of the training samples.

    This is quantile normalisation with a fixed reference: `fit` sorts each training sample and
    averages the sorted profiles; `transform` replaces the smallest value of a sample by the
    smallest value of that reference, and so on. Each sample is transformed alone, independent of
    the other samples in the table.

    Parameters
    ----------
    n_quantiles : int or None, default=None
        Number of quantiles in the reference; values between them are interpolated. None takes as
        many as X has columns, which is quantile normalisation as published.

    Attributes
    ----------
    reference_ : ndarray of shape (n_quantiles,)
        Mean of the sorted training samples, ascending, as float64.
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of str
        Names of the columns of X seen in fit, if X is a frame.

    Notes
    -----
    Equal values get the reference value at their mean rank. Missing values stay missing and have no
    rank; the other values of the sample are spread over the whole reference by interpolation, both
    in `fit` and in `transform`. Results therefore lie between the smallest and the largest
    reference value.

    The distribution of values over the columns must be a property of the assay, not of the
    samples: a tissue or a tumour that is globally hypomethylated loses that trait.

    References
    ----------
    B. M. Bolstad, R. A. Irizarry, M. Astrand and T. P. Speed. A comparison of normalization
    methods for high density oligonucleotide array data based on variance and bias.
    Bioinformatics 19, 185-193 (2003).

    X. Zhou, H. Chai, H. Zhao, C.-H. Luo and Y. Yang. Imputing missing RNA-sequencing data from
    DNA methylation by using a transfer learning-based neural network. GigaScience 9, giaa076
    (2020). Its TARGET Wilms tumours are normalised this way, methylation and expression each,
    sample by sample to a reference from the TCGA (``normalize.quantiles.use.target`` of the R
    package preprocessCore).

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.preprocessing import ReferenceQuantileNormalizer
    >>> X = np.array([[0.1, 0.5, 0.9], [0.6, 0.2, 0.8]])
    >>> normalizer = ReferenceQuantileNormalizer().fit(X)
    >>> normalizer.reference_
    array([0.15, 0.55, 0.85])
    >>> normalizer.transform([[3.0, 1.0, 2.0]])
    array([[0.85, 0.15, 0.55]])
    """

    _parameter_constraints = {"n_quantiles": [Interval(Integral, 2, None, closed="left"), None]}

    def __init__(self, *, n_quantiles: int | None = None) -> None:
        self.n_quantiles = n_quantiles

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Average the sorted training samples.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training samples as rows; NaN is ignored.
        y : None
            Ignored.

        Returns
        -------
        ReferenceQuantileNormalizer
            The fitted transformer.

        Raises
        ------
        ValueError
            If a sample has no observed value.
        """
        X = check_table(self, X, reset=True)
        total = np.zeros(self.n_quantiles or self.n_features_in_)
        for i, values in enumerate(_observed_values(X)):
            if not len(values):
                raise ValueError(
                    f"The sample in row {i} of X has no value, all are missing. Drop it first: "
                    "X = X.dropna(how='all')."
                )
            values.sort()
            total += _stretch(values, len(total))(np.arange(len(total)))
        self.reference_ = total / len(X)
        return self

    def transform(self, X: Any) -> Any:
        """Replace the values of each sample by the reference values at their ranks.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Samples as rows; NaN is allowed.

        Returns
        -------
        ndarray or DataFrame of shape (n_samples, n_features)
            Transformed samples, as a DataFrame if X is a DataFrame.
        """
        check_is_fitted(self)
        X = check_table(self, X, reset=False)
        return map_values(X, self._map_samples)

    def _map_samples(self, X: np.ndarray) -> np.ndarray:
        result = np.empty_like(X)
        for i, sample in enumerate(X):
            known = ~np.isnan(sample)
            values = sample[known]
            result[i] = np.nan
            if len(values):
                result[i, known] = self._at_ranks_of(values)
        return result

    def _at_ranks_of(self, values: np.ndarray) -> np.ndarray:
        order = np.argsort(values)
        ordered = values[order]
        # where each run of equal values begins, from whose length follows its mean rank
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        lengths = np.diff(starts, append=len(values))
        quantiles = _stretch(self.reference_, len(values))(starts + (lengths - 1) / 2)
        result = np.empty(len(values))
        result[order] = np.repeat(quantiles, lengths)
        return result

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _observed_values(X: Any) -> Iterator[np.ndarray]:
    """Yield the values of each sample that are not missing, reading X in blocks of rows."""
    for rows in gen_batches(len(X), FEW_ROWS):
        if isinstance(X, pd.DataFrame):
            part = X.iloc[rows].to_numpy(np.float64, na_value=np.nan)
        else:
            part = X[rows]
        for sample in part:
            yield sample[~np.isnan(sample)]


def _stretch(profile: np.ndarray, length: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function that interpolates an ascending profile at 0 to length - 1."""
    if length == 1:
        return lambda places: np.full(len(places), np.median(profile))
    # the ratio is exactly 1 for equal lengths, so that no rounding moves the values
    step = (len(profile) - 1) / (length - 1)
    return lambda places: np.interp(places * step, np.arange(len(profile)), profile)
