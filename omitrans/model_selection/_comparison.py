"""What a comparison of models found."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from omitrans.model_selection._fold import TIMES


@dataclass(frozen=True, eq=False)
class ModelComparison:
    """What :func:`compare_models` found.

    Parameters
    ----------
    results : DataFrame
        One number a row, with the columns ``model``, ``fold`` (from 0), ``metric`` and
        ``value``. The metrics are the keys of
        :func:`~omitrans.metrics.reconstruction_report` with its signs and units, then extra
        scorers, then ``fit_seconds`` and ``predict_seconds``. NaN where a model failed.
    errors : DataFrame
        What failed, with the columns ``model``, ``fold`` and ``error``.
    predictions : dict of str to DataFrame, Series or ndarray, default=None
        For every model the out-of-fold predictions in the form of Y, if asked for. NaN where
        a sample is in no test fold or the model failed.

    See Also
    --------
    compare_models : Makes a comparison.
    """

    results: pd.DataFrame
    errors: pd.DataFrame
    predictions: dict[str, Any] | None = None

    def summary(self, *, std: bool = False) -> pd.DataFrame:
        """Return one row a model and one column a metric: the mean over folds.

        A model that failed in a fold gets NaN, as means over different folds do not compare.

        Parameters
        ----------
        std : bool, default=False
            Return text, "mean ± standard deviation over folds", instead of numbers.

        Returns
        -------
        DataFrame of shape (n_models, n_metrics)
            Models in the order they were given, metrics in that of the paper's Table 1.
        """
        mean = self._over_folds("mean")
        if not std:
            return mean
        deviation = self._over_folds("std")
        text = {
            metric: [
                f"{_format(metric, value)} ± {_format(metric, spread)}"
                for value, spread in zip(mean[metric], deviation[metric], strict=True)
            ]
            for metric in mean.columns
        }
        return pd.DataFrame(text, index=mean.index)

    def _over_folds(self, statistic: str) -> pd.DataFrame:
        metrics = self.results[~self.results["metric"].isin(TIMES)]
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
    """Write counts without and other numbers with the four decimals of the paper."""
    return f"{value:,.0f}" if metric.startswith("n_") else f"{value:,.4f}"
