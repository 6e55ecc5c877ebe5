"""Whether models differ by more than their folds do."""

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

LEVEL = 0.05


def nadeau_bengio(differences: np.ndarray, test_over_train: float) -> tuple[float, float]:
    """Return the corrected resampled t statistic and its two-sided p-value.

    Training samples of different folds overlap, so that differences vary less than those of
    independent experiments would; the variance of their mean is enlarged by ``n_test / n_train``.

    Parameters
    ----------
    differences : ndarray of shape (n_folds,)
        Of two models, fold by fold.
    test_over_train : float
        Size of the test folds in units of the training folds.

    Returns
    -------
    tuple of float
        Statistic and p-value.
    """
    n = len(differences)
    mean = float(differences.mean())
    error = float(np.sqrt((1 / n + test_over_train) * differences.var(ddof=1)))
    if error == 0:
        return (0.0, 1.0) if mean == 0 else (float(np.copysign(np.inf, mean)), 0.0)
    statistic = mean / error
    return statistic, float(2 * stats.t.sf(abs(statistic), n - 1))


def wilcoxon(differences: np.ndarray, test_over_train: float) -> tuple[float, float]:
    """Return the signed-rank statistic and its two-sided p-value.

    Parameters
    ----------
    differences : ndarray of shape (n_folds,)
        Of two models, fold by fold.
    test_over_train : float
        Ignored.

    Returns
    -------
    tuple of float
        Statistic and p-value.
    """
    if not differences.any():
        return 0.0, 1.0
    found = stats.wilcoxon(differences)
    return float(found.statistic), float(found.pvalue)


TESTS: dict[str, Callable[[np.ndarray, float], tuple[float, float]]] = {
    "nadeau-bengio": nadeau_bengio,
    "wilcoxon": wilcoxon,
}


def holm(p_values: np.ndarray) -> np.ndarray:
    """Return p-values adjusted for their number by Holm's method; NaN stays NaN.

    Parameters
    ----------
    p_values : ndarray of shape (n_tests,)
        One a test.

    Returns
    -------
    ndarray of shape (n_tests,)
        Adjusted.
    """
    adjusted = np.full(len(p_values), np.nan)
    order = np.argsort(p_values)[: np.isfinite(p_values).sum()]  # NaN sort last
    steps = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def pairwise_tests(
    values: pd.DataFrame,
    *,
    pairs: list[tuple[str, str]],
    lower_is_better: bool,
    test: str,
    test_over_train: float,
    correction: str | None,
) -> pd.DataFrame:
    """Test the differences of pairs of models.

    Parameters
    ----------
    values : DataFrame of shape (n_models, n_folds)
        One metric.
    pairs : list of (str, str)
        Model and reference.
    lower_is_better : bool
        Direction of the metric.
    test : str
        A key of ``TESTS``.
    test_over_train : float
        Size of the test folds in units of the training folds.
    correction : {"holm"} or None
        For the number of pairs.

    Returns
    -------
    DataFrame
        One row a pair.
    """
    n_folds = values.shape[1]
    if n_folds < 2:
        raise ValueError(f"A test needs at least 2 folds; this comparison has {n_folds}.")
    smallest = 2 / 2**n_folds
    if test == "wilcoxon" and smallest > LEVEL:
        warnings.warn(
            f"With {n_folds} folds Wilcoxon's test cannot give a p-value below {smallest:.3g}, "
            "whatever the models do. Use more folds, or test='nadeau-bengio'.",
            stacklevel=3,
        )
    rows = []
    for model, reference in pairs:
        differences = (values.loc[model] - values.loc[reference]).to_numpy(dtype=float)
        mean = float(differences.mean())
        statistic, p_value = np.nan, np.nan  # where a model failed in a fold
        if np.isfinite(differences).all():
            statistic, p_value = TESTS[test](differences, test_over_train)
        ahead = model if (mean < 0) == lower_is_better else reference
        better = None if mean == 0 or np.isnan(mean) else ahead
        rows.append((model, reference, mean, better, statistic, p_value))
    columns = ["model", "reference", "difference", "better", "statistic", "p_value"]
    table = pd.DataFrame(rows, columns=columns)
    table["better"] = pd.Series([row[3] for row in rows], dtype=object)  # pandas 3: None is kept
    p_values = table["p_value"].to_numpy()
    return table.assign(p_adjusted=holm(p_values) if correction == "holm" else p_values)
