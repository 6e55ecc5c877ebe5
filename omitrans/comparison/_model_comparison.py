"""Result of a comparison of models."""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from omitrans.comparison._outcome import COSTS
from omitrans.exceptions import UnknownNameError
from omitrans.metrics._regression import ERROR_METRICS
from omitrans.reports import comparison_report

LEVEL = 0.05


def nadeau_bengio(differences: np.ndarray, test_over_train: float) -> tuple[float, float]:
    """Return the corrected resampled t statistic and its two-sided p-value.

    Training samples of different folds overlap, so that differences vary less than those of
    independent experiments would; the variance of their mean is enlarged by ``n_test / n_train``.

    Parameters
    ----------
    differences : ndarray of shape (n_folds,)
        Differences between two models, one per fold.
    test_over_train : float
        Size of the test folds divided by the size of the training folds.

    Returns
    -------
    tuple of float
        The statistic and its p-value.
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
        Differences between two models, one per fold.
    test_over_train : float
        Not used; the statistic does not depend on it.

    Returns
    -------
    tuple of float
        The statistic and its p-value.
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
        P-values, one per test.

    Returns
    -------
    ndarray of shape (n_tests,)
        Adjusted p-values.
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
        Values of one metric.
    pairs : list of (str, str)
        Pairs of model and reference.
    lower_is_better : bool
        Whether lower values of the metric are better.
    test : str
        Name of the test, a key of ``TESTS``.
    test_over_train : float
        Size of the test folds divided by the size of the training folds.
    correction : {"holm"} or None
        Correction of the p-values for the number of pairs.

    Returns
    -------
    DataFrame
        Table with one row per pair of models.
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


@dataclass(frozen=True, eq=False)
class ModelComparison:
    """Result of :func:`compare_models`: the metrics of every model and fold.

    Parameters
    ----------
    results : DataFrame
        Table with one metric value per row and the columns ``model``, ``fold`` (from 0), ``metric``
        and ``value``. The metrics are the keys of :func:`~omitrans.metrics.reconstruction_report`
        with its signs and units, then extra scorers, then ``fit_seconds``, ``predict_seconds`` and
        ``peak_memory_mib``. NaN where a model failed.
    errors : DataFrame
        Table with one row per failure and the columns ``model``, ``fold`` and ``error``.
    predictions : dict of str to DataFrame, Series or ndarray, default=None
        Out-of-fold predictions of every model, as a table of the same kind as Y, if
        `return_predictions` was True. NaN where a sample is in no test fold or the model failed.
    folds : DataFrame, default=None
        Number of samples in each fold, with the columns ``fold``, ``n_train`` and ``n_test``.

    See Also
    --------
    compare_models : Compares models and returns this object.
    """

    results: pd.DataFrame
    errors: pd.DataFrame
    predictions: dict[str, Any] | None = None
    folds: pd.DataFrame | None = None

    def summary(self, *, std: bool = False, costs: bool = False) -> pd.DataFrame:
        """Return one row per model and one column per metric: the mean over folds.

        A model that failed in a fold gets NaN, because means over different folds cannot be
        compared.

        Parameters
        ----------
        std : bool, default=False
            Return text, "mean ± standard deviation over folds", instead of numbers.
        costs : bool, default=False
            Add the seconds of fit and predict and the peak memory (MiB).

        Returns
        -------
        DataFrame of shape (n_models, n_metrics)
            Models in the order in which they were given, metrics in the order of Table 1 of the
            paper.
        """
        mean = self._over_folds("mean", costs)
        if not std:
            return mean
        deviation = self._over_folds("std", costs)
        text = {
            metric: [
                f"{_format(metric, value)} ± {_format(metric, spread)}"
                for value, spread in zip(mean[metric], deviation[metric], strict=True)
            ]
            for metric in mean.columns
        }
        return pd.DataFrame(text, index=mean.index)

    def tests(
        self,
        metric: str = "median_r2_per_feature",
        *,
        baseline: str | None = None,
        test: str = "nadeau-bengio",
        correction: str | None = "holm",
    ) -> pd.DataFrame:
        """Test whether models differ by more than chance differences between folds explain.

        Parameters
        ----------
        metric : str, default="median_r2_per_feature"
            Name of a metric in the column ``metric`` of `results`.
        baseline : str, default=None
            Name of the model that all others are compared with. None compares all pairs.
        test : {"nadeau-bengio", "wilcoxon"}, default="nadeau-bengio"
            The t-test of [1]_ with a variance that allows for the overlap of training folds, or
            Wilcoxon's signed-rank test over folds, which ignores that overlap and cannot give a
            p-value below 0.06 with five folds.
        correction : {"holm"} or None, default="holm"
            Adjustment of p-values for the number of pairs.

        Returns
        -------
        DataFrame
            One row per pair: ``model``, ``reference``, ``difference`` (mean over folds of model
            minus reference), ``better`` (the name of the better one), ``statistic``, ``p_value``
            and ``p_adjusted``. NaN where a model failed in a fold.

        Raises
        ------
        UnknownNameError
            If the metric, the baseline or the test is unknown.
        ValueError
            If there are fewer than two folds or models.

        References
        ----------
        .. [1] C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine Learning
           52, 2003.
        """
        rows = self.results[self.results["metric"] == metric]
        _check_known(metric, self.results["metric"].unique(), "metric")
        _check_known(test, TESTS, "test")
        if correction not in ("holm", None):
            raise ValueError(f"correction must be 'holm' or None. Got {correction!r} instead.")
        values = rows.pivot_table(
            index="model", columns="fold", values="value", dropna=False, sort=False
        )
        models = list(dict.fromkeys(self.results["model"]))
        if len(models) < 2:
            raise ValueError(f"A test needs two models; this comparison has {len(models)}.")
        if baseline is None:
            pairs = list(combinations(models, 2))
        else:
            _check_known(baseline, models, "baseline")
            pairs = [(model, baseline) for model in models if model != baseline]
        return pairwise_tests(
            values,
            pairs=pairs,
            lower_is_better=metric in ERROR_METRICS or metric in COSTS,
            test=test,
            test_over_train=self._test_over_train(values.shape[1]),
            correction=correction,
        )

    def to_html(self, path: Any, *, title: str = "Comparison of models", Y: Any = None) -> Path:
        """Write tables and figures to one HTML page that needs no other files.

        Parameters
        ----------
        path : str or pathlib.Path
            Path of the HTML file to write.
        title : str, default="Comparison of models"
            Heading of the page.
        Y : DataFrame or array-like of shape (n_samples, n_targets), default=None
            Real profiles that the predictions are compared with. With them, and with kept
            predictions (``return_predictions=True``), the page shows how well each gene is
            predicted.

        Returns
        -------
        pathlib.Path
            Path of the written file.
        """
        return comparison_report(self, path, title=title, Y=Y)

    def _test_over_train(self, n_folds: int) -> float:
        if self.folds is None:  # as for folds of equal size that take turns
            return 1 / max(1, n_folds - 1)
        return float((self.folds["n_test"] / self.folds["n_train"]).mean())

    def _over_folds(self, statistic: str, costs: bool) -> pd.DataFrame:
        metrics = self.results
        if not costs:
            metrics = metrics[~metrics["metric"].isin(COSTS)]
        table = metrics.pivot_table(
            values="value",
            index="model",
            columns="metric",
            aggfunc=lambda folds: getattr(folds, statistic)(skipna=False),
            dropna=False,
            sort=False,
        )
        return table.rename_axis(columns=None)


def _format(metric: str, value: float) -> str:
    """Return a number as text: counts without decimals, other metrics with four."""
    return f"{value:,.0f}" if metric.startswith("n_") else f"{value:,.4f}"


def _check_known(name: str, known: Iterable[str], what: str) -> None:
    if name not in set(known):
        raise UnknownNameError(f"Unknown {what} {name!r}. Available: {', '.join(known)}.")
