"""The nine reconstruction metrics as scikit-learn scorers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import make_scorer

from omitrans.metrics._regression import ERROR_METRICS, METRIC_LABELS, report_values


def _report_value(Y_true: Any, Y_pred: Any, *, key: str, threshold: float = 0.3) -> float:
    return report_values(Y_true, Y_pred, [key], threshold)[key]


#: Scorers of the nine metrics of :func:`reconstruction_report`, under its keys, for the
#: ``scoring`` of :func:`sklearn.model_selection.cross_validate` and
#: :class:`sklearn.model_selection.GridSearchCV`. scikit-learn demands that greater scores are
#: better. Therefore **the four errors** (``mse``, ``rmse``, ``mean_ae``, ``median_ae``)
#: **are negative**; :func:`scores_to_report` makes them positive again.
RECONSTRUCTION_SCORERS = {
    key: make_scorer(_report_value, greater_is_better=key not in ERROR_METRICS, key=key)
    for key in METRIC_LABELS
}


def scores_to_report(scores: Mapping[str, Any], *, prefix: str = "test_") -> pd.DataFrame:
    """Collect cross-validated scores in a table whose errors are positive again.

    Parameters
    ----------
    scores : mapping of str to array-like
        The result of :func:`sklearn.model_selection.cross_validate` with
        ``scoring=RECONSTRUCTION_SCORERS``, or the ``cv_results_`` of a search.
    prefix : str, default: ``"test_"``
        The text before the name of a metric in the keys of `scores`: ``"mean_test_"`` for a
        search, ``"train_"`` for training scores.

    Returns
    -------
    DataFrame of shape (n_folds, n_metrics)
        One row per fold (per candidate of a search) and one column per metric found in `scores`,
        in the order of Table 1. Other scores are left out.

    Raises
    ------
    ValueError
        If `scores` holds none of the nine metrics.

    See Also
    --------
    reconstruction_report : The nine metrics and their definitions.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import cross_validate
    >>> from omitrans.metrics import RECONSTRUCTION_SCORERS, scores_to_report
    >>> X, Y = make_regression(n_targets=3, random_state=0)
    >>> scores = cross_validate(Ridge(), X, Y, scoring=RECONSTRUCTION_SCORERS, cv=3)
    >>> bool((scores["test_mse"] < 0).all())
    True
    >>> report = scores_to_report(scores)
    >>> report.shape, bool((report["mse"] > 0).all())
    ((3, 9), True)
    """
    found = [key for key in METRIC_LABELS if prefix + key in scores]
    if not found:
        raise ValueError(
            f"scores holds no key such as {prefix + 'mse'!r}; found {', '.join(scores)}. "
            "Cross-validate with scoring=RECONSTRUCTION_SCORERS and give the prefix of its keys."
        )
    report = {key: np.asarray(scores[prefix + key], dtype=np.float64) for key in found}
    return pd.DataFrame({k: -v if k in ERROR_METRICS else v for k, v in report.items()})
