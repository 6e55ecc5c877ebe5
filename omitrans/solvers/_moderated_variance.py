"""Variances of many genes from few values, moderated by what all genes have in common."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, polygamma

_ROUNDING = 1e-16  # share of the median variance that is none


def moderate_variances(variances: np.ndarray, freedom: float) -> tuple[np.ndarray, float]:
    """Shrink the variances of many genes towards a common one.

    Variances are taken as draws from a scaled inverse chi-squared distribution, whose two
    parameters are estimated from the mean and the variance of their logarithms.

    Parameters
    ----------
    variances : ndarray of shape (n_genes,)
        Variances, each from `freedom` degrees of freedom. Genes that do not vary keep zero.
    freedom : float
        Degrees of freedom.

    Returns
    -------
    moderated : ndarray of shape (n_genes,)
        The moderated variances.
    total_freedom : float
        Degrees of freedom of a t statistic with them. It is infinite if all genes have the same
        variance as far as can be seen.

    References
    ----------
    G. Smyth, "Linear models and empirical Bayes methods for assessing differential expression in
    microarray experiments", Statistical Applications in Genetics and Molecular Biology 3 (2004),
    section 6.2.
    """
    known = variances[variances > 0]
    positive = variances > (_ROUNDING * np.median(known) if len(known) else 0.0)
    if np.count_nonzero(positive) < 3:
        return variances, freedom
    logs = np.log(variances[positive]) - digamma(freedom / 2) + np.log(freedom / 2)
    excess = float(np.var(logs, ddof=1) - polygamma(1, freedom / 2))
    if excess <= 0:
        return np.where(positive, np.exp(logs.mean()), 0.0), np.inf
    # more than 1e7 degrees of freedom, or fewer than 1e-3, are the same for all that follows
    half = brentq(lambda x: polygamma(1, x) - excess, 5e-4, 5e6) if 2e-7 < excess < 3e6 else 5e6
    prior_freedom = 2 * half
    common = np.exp(logs.mean() + digamma(half) - np.log(half))
    total = prior_freedom + freedom
    moderated = (prior_freedom * common + freedom * variances) / total
    return np.where(positive, moderated, 0.0), total
