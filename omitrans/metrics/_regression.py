"""Metrics that compare predicted profiles with real ones: the nine of the OmiTrans paper."""

from collections.abc import Callable, Collection
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from omitrans.metrics._blockwise import SAMPLE_STATISTICS, walk
from omitrans.metrics._tables import check_tables
from omitrans.utils._sklearn import Interval, validate_params

# The metrics in the order of Table 1, with their labels for axes and table headings.
METRIC_LABELS = {
    "mse": "MSE",
    "rmse": "RMSE",
    "mean_ae": "Mean AE",
    "median_ae": "Median AE",
    "mean_r2_per_sample": "Mean R² per sample",
    "mean_r2_per_feature": "Mean R² per feature",
    "median_r2_per_feature": "Median R² per feature",
    "n_r2_per_feature_above": "Features above R² threshold",
    "fraction_r2_per_feature_above": "Fraction above R² threshold",
}
ERROR_METRICS = frozenset({"mse", "rmse", "mean_ae", "median_ae"})

_TABLES = {"Y_true": ["array-like"], "Y_pred": ["array-like"]}

# The count and the fraction are NaN if R² is NaN.
_R2_SUMMARIES: dict[str, Callable[[np.ndarray, np.ndarray], Any]] = {
    "mean_r2_per_feature": lambda r2, above: r2.mean(),
    "median_r2_per_feature": lambda r2, above: np.median(r2),
    "n_r2_per_feature_above": lambda r2, above: above.sum(),
    "fraction_r2_per_feature_above": lambda r2, above: above.mean(),
}


@validate_params(
    {**_TABLES, "threshold": [Interval(Real, None, None, closed="neither")]},
    prefer_skip_nested_validation=True,
)
def reconstruction_report(Y_true: Any, Y_pred: Any, *, threshold: float = 0.3) -> dict[str, float]:
    """Compute the nine reconstruction metrics of the OmiTrans paper's Table 1.

    Errors are in the unit of the tables (``mse`` in its square), for example
    log2(FPKM + 1). As published, they are first computed for every sample over its features and
    then averaged over samples. Therefore ``rmse`` is not the root of ``mse``.

    Parameters
    ----------
    Y_true : array-like, DataFrame or Series of shape (n_samples, n_features) or (n_samples,)
        Real values without NaN; rows are samples.
    Y_pred : array-like, DataFrame or Series of the same shape
        Predicted values. If both are pandas objects, their labels must agree.
    threshold : float, default=0.3
        A feature is counted if its R² is strictly greater than this value.

    Returns
    -------
    dict of str to float
        The nine metrics in the order of Table 1:

        - ``mse``, ``rmse``, ``mean_ae``, ``median_ae``: the mean over samples of the sample's
          mean squared error, root mean squared error, mean absolute error and median absolute
          error;
        - ``mean_r2_per_sample``: the mean of :func:`r2_per_sample`;
        - ``mean_r2_per_feature``, ``median_r2_per_feature``: the mean and the median of
          :func:`r2_per_feature`;
        - ``n_r2_per_feature_above``, ``fraction_r2_per_feature_above``: the number and the
          fraction of features whose R² is above `threshold`.

    Raises
    ------
    SampleMismatchError, FeatureMismatchError
        If the tables differ in shape or labels.
    ValueError
        If a value is NaN or infinite.

    See Also
    --------
    r2_per_feature : R² of every feature, and its rule for constant features.
    RECONSTRUCTION_SCORERS : The same metrics as scorers for cross-validation.

    Notes
    -----
    The tables are read in blocks of rows and summed in float64, whatever their dtype. They are
    never copied as a whole.

    References
    ----------
    X. Zhang and Y. Guo. OmiTrans: generative adversarial networks based omics-to-omics
    translation framework. 2021. Table 1 and section "Reconstruction Performance".

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.metrics import reconstruction_report
    >>> Y_true = np.array([[0.0, 1.0, 4.0], [2.0, 1.0, 5.0], [4.0, 1.0, 6.0]])
    >>> report = reconstruction_report(Y_true, Y_true + [[1, 0, 0], [0, 0, 0], [0, 0, 0]])
    >>> round(report["mse"], 3), round(report["median_r2_per_feature"], 3)
    (0.111, 1.0)
    """
    return report_values(Y_true, Y_pred, METRIC_LABELS, threshold)


def report_values(
    Y_true: Any, Y_pred: Any, keys: Collection[str], threshold: float
) -> dict[str, float]:
    """Compute only the metrics of the report that `keys` names.

    Parameters
    ----------
    Y_true, Y_pred : array-like, DataFrame or Series
        Real and predicted values.
    keys : collection of str
        Names of the metrics, which are keys of ``METRIC_LABELS``.
    threshold : float
        A feature is counted if its R² is strictly greater than this value.

    Returns
    -------
    dict of str to float
        One number per key, in the order of `keys`.
    """
    tables = check_tables(Y_true, Y_pred)
    statistics = [key for key in keys if key in SAMPLE_STATISTICS]
    summaries = [key for key in keys if key in _R2_SUMMARIES]
    per_sample, r2 = walk(tables.truth, tables.prediction, statistics, features=bool(summaries))
    values = {key: column.mean() for key, column in per_sample.items()}
    if r2 is not None:
        above = np.where(np.isnan(r2), np.nan, r2 > threshold)
        values |= {key: _R2_SUMMARIES[key](r2, above) for key in summaries}
    return {key: float(values[key]) for key in keys}


@validate_params(_TABLES, prefer_skip_nested_validation=True)
def r2_per_feature(Y_true: Any, Y_pred: Any) -> np.ndarray | pd.Series:
    """Compute the coefficient of determination of every feature over samples.

    Parameters
    ----------
    Y_true : array-like, DataFrame or Series of shape (n_samples, n_features) or (n_samples,)
        Real values without NaN; rows are samples.
    Y_pred : array-like, DataFrame or Series of the same shape
        Predicted values. If both are pandas objects, their labels must agree.

    Returns
    -------
    ndarray or Series of shape (n_features,)
        R², at most 1 and without a lower bound. A Series named ``"r2"`` and indexed by
        feature if either table is a pandas object, else an array.

    Raises
    ------
    SampleMismatchError, FeatureMismatchError
        If the tables differ in shape or labels.
    ValueError
        If a value is NaN or infinite.

    See Also
    --------
    r2_per_sample : R² of every sample over features.

    Notes
    -----
    A feature whose real values are all equal has no variance to explain. Its R² is 1.0
    if it is predicted without error and 0.0 otherwise, which is the ``force_finite`` rule
    of :func:`sklearn.metrics.r2_score`. A gene that is zero in every training and test sample
    is therefore predicted perfectly by any model and raises all summaries. Leave such
    genes out of both tables if they should not count. With a single sample R² is NaN, and
    :class:`sklearn.exceptions.UndefinedMetricWarning` is given.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.metrics import r2_per_feature
    >>> Y_true = pd.DataFrame({"TP53": [1.0, 2.0, 3.0], "XIST": [0.0, 0.0, 0.0]})
    >>> r2_per_feature(Y_true, [[1.0, 0.0], [2.0, 0.0], [2.0, 0.0]])
    TP53    0.5
    XIST    1.0
    Name: r2, dtype: float64
    """
    tables = check_tables(Y_true, Y_pred)
    _, r2 = walk(tables.truth, tables.prediction, (), features=True)
    return _labelled(r2, tables.features)


@validate_params(_TABLES, prefer_skip_nested_validation=True)
def r2_per_sample(Y_true: Any, Y_pred: Any) -> np.ndarray | pd.Series:
    """Compute the coefficient of determination of every sample over its features.

    Parameters
    ----------
    Y_true : array-like, DataFrame or Series of shape (n_samples, n_features) or (n_samples,)
        Real values without NaN; rows are samples.
    Y_pred : array-like, DataFrame or Series of the same shape
        Predicted values. If both are pandas objects, their labels must agree.

    Returns
    -------
    ndarray or Series of shape (n_samples,)
        R², at most 1 and without a lower bound. A Series named ``"r2"`` and indexed by
        sample if either table is a pandas object, else an array.

    Raises
    ------
    SampleMismatchError, FeatureMismatchError
        If the tables differ in shape or labels.
    ValueError
        If a value is NaN or infinite.

    See Also
    --------
    r2_per_feature : R² of every feature, and the rule for constant values.

    Notes
    -----
    Features differ far more from one another than samples do. Therefore even the mean profile
    reaches a high R² per sample; read it together with :func:`r2_per_feature`. With a single
    feature R² is NaN, and :class:`sklearn.exceptions.UndefinedMetricWarning` is given.

    Examples
    --------
    >>> from omitrans.metrics import r2_per_sample
    >>> r2_per_sample([[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]], [[1.0, 2.0, 2.0], [2.0, 2.0, 1.0]])
    array([0.5, 0. ])
    """
    tables = check_tables(Y_true, Y_pred)
    per_sample, _ = walk(tables.truth, tables.prediction, ["mean_r2_per_sample"], features=False)
    return _labelled(per_sample["mean_r2_per_sample"], tables.samples)


def _labelled(values: Any, labels: pd.Index | None) -> np.ndarray | pd.Series:
    return values if labels is None else pd.Series(values, index=labels, name="r2")
