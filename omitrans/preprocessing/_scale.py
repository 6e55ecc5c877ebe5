"""Conversion between the two units of methylation: beta values and M-values."""

from numbers import Real
from typing import Any, Self

import numpy as np
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from omitrans.preprocessing._columns import check_table, map_values
from omitrans.utils._sklearn import Interval, StrOptions, fit_context, validate_params
from omitrans.utils._validation import check_beta_values

_LN2 = float(np.log(2))
_OFFSET = Interval(Real, 0, 0.5, closed="neither")


@validate_params({"beta": ["array-like"], "offset": [_OFFSET]}, prefer_skip_nested_validation=True)
def beta_to_m(beta: Any, *, offset: float = 1e-6) -> Any:
    """Convert beta values to M-values, log2(beta / (1 - beta)).

    Parameters
    ----------
    beta : array-like or DataFrame of shape (n_samples, n_features)
        Beta values in [0, 1]; NaN is allowed.
    offset : float, default=1e-6
        Smallest distance of a beta value from 0 and from 1: values closer to 0 or 1 are set to this
        distance, so that the M-values stay finite (in [-19.9, 19.9] by default).

    Returns
    -------
    ndarray or DataFrame
        M-values, as a DataFrame if `beta` is a DataFrame; float32 stays float32.

    Raises
    ------
    ValueError
        If a value lies outside [0, 1].

    See Also
    --------
    m_to_beta : Converts M-values to beta values.

    References
    ----------
    Du et al. (2010), Comparison of Beta-value and M-value methods for quantifying methylation
    levels by microarray analysis, BMC Bioinformatics 11:587, equation 3.

    Examples
    --------
    >>> from omitrans.preprocessing import beta_to_m
    >>> beta_to_m([[0.5, 0.8]])
    array([[0., 2.]])
    """

    def convert(values: np.ndarray) -> np.ndarray:
        check_beta_values(values, name="beta")
        return _to_m(values, offset)

    return map_values(beta, convert)


@validate_params({"m": ["array-like"]}, prefer_skip_nested_validation=True)
def m_to_beta(m: Any) -> Any:
    """Convert M-values to beta values, 2**m / (2**m + 1).

    Parameters
    ----------
    m : array-like or DataFrame of shape (n_samples, n_features)
        M-values; NaN is allowed.

    Returns
    -------
    ndarray or DataFrame
        Beta values, as a DataFrame if `m` is a DataFrame; float32 stays float32.

    See Also
    --------
    beta_to_m : Converts beta values to M-values.

    Examples
    --------
    >>> from omitrans.preprocessing import m_to_beta
    >>> m_to_beta([[0.0, 2.0]])
    array([[0.5, 0.8]])
    """
    return map_values(m, _to_beta)


class BetaToM(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Convert beta values to M-values, log2(beta / (1 - beta)).

    Parameters
    ----------
    offset : float, default=1e-6
        Smallest distance of a beta value from 0 and from 1: values closer to 0 or 1 are set to this
        distance, so that the M-values stay finite (in [-19.9, 19.9] by default).
    unit : {"beta"} or None, default=None
        "beta" declares that X holds beta values: values outside [0, 1] are then an error, with a
        hint if they look like M-values. None does not check, and also sets values outside [0, 1] to
        the distance `offset`.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns of X seen in fit.
    feature_names_in_ : ndarray of str
        Names of the columns of X seen in fit, if X is a frame.

    See Also
    --------
    beta_to_m : The same conversion as a function.

    References
    ----------
    Du et al. (2010), Comparison of Beta-value and M-value methods for quantifying methylation
    levels by microarray analysis, BMC Bioinformatics 11:587, equation 3.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.preprocessing import BetaToM
    >>> BetaToM(unit="beta").fit_transform(np.array([[0.5, 0.8], [np.nan, 0.2]]))
    array([[ 0.,  2.],
           [nan, -2.]])
    """

    _parameter_constraints = {"offset": [_OFFSET], "unit": [StrOptions({"beta"}), None]}

    def __init__(self, *, offset: float = 1e-6, unit: str | None = None) -> None:
        self.offset = offset
        self.unit = unit

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check X; nothing is learnt.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Beta values; NaN is allowed.
        y : None
            Ignored.

        Returns
        -------
        BetaToM
            The fitted transformer.
        """
        check_table(self, X, reset=True, unit=self.unit)
        return self

    def transform(self, X: Any) -> Any:
        """Convert beta values to M-values.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Beta values; NaN is allowed.

        Returns
        -------
        ndarray or DataFrame of shape (n_samples, n_features)
            M-values, as a DataFrame if X is a DataFrame.
        """
        check_is_fitted(self)
        X = check_table(self, X, reset=False, unit=self.unit)
        return map_values(X, lambda values: _to_m(values, self.offset))

    def inverse_transform(self, X: Any) -> Any:
        """Convert M-values to beta values.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            M-values; NaN is allowed.

        Returns
        -------
        ndarray or DataFrame of shape (n_samples, n_features)
            Beta values, as a DataFrame if X is a DataFrame.
        """
        check_is_fitted(self)
        return map_values(X, _to_beta)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _to_m(beta: np.ndarray, offset: float) -> np.ndarray:
    m = np.clip(beta, offset, 1 - offset)
    logit(m, out=m)
    m /= _LN2
    return m


def _to_beta(m: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # R's NA is a NaN that signals
        beta = m * m.dtype.type(_LN2)
    return expit(beta, out=beta)
