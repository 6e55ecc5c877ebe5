"""Plot of one metric of several models over the same folds."""

from typing import Any

import numpy as np
import pandas as pd

from omitrans.displays._style import BLUE, clean, get_axes, number
from omitrans.metrics._regression import ERROR_METRICS, METRIC_LABELS

_TIME_LABELS = {"fit_seconds": "Time to fit", "predict_seconds": "Time to predict"}


class ModelComparisonDisplay:
    """Dot plot of one metric: one row per model, one dot per fold, a line at the mean.

    Parameters
    ----------
    values : DataFrame of shape (n_models, n_folds)
        The metric of every model in every fold; NaN where a model failed.
    metric : str
        Name of the metric: a key of :func:`~omitrans.metrics.reconstruction_report` or the name of
        a scorer.
    unit : str, default=None
        Unit of the profiles, such as "log2(FPKM + 1)", for the axis label of a metric that is an
        error.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes that hold the drawing.
    figure_ : matplotlib Figure
        Figure that holds the axes.

    See Also
    --------
    omitrans.comparison.compare_models : Compares models and returns the results.

    Examples
    --------
    >>> from sklearn.datasets import make_regression
    >>> from sklearn.dummy import DummyRegressor
    >>> from sklearn.linear_model import Ridge
    >>> from omitrans.displays import ModelComparisonDisplay
    >>> from omitrans.comparison import compare_models
    >>> X, Y = make_regression(n_targets=4, random_state=0)
    >>> comparison = compare_models({"mean": DummyRegressor(), "ridge": Ridge()}, X, Y)
    >>> ModelComparisonDisplay.from_results(comparison.results, metric="rmse")
    <...ModelComparisonDisplay object at ...>
    """

    def __init__(self, *, values: pd.DataFrame, metric: str, unit: str | None = None) -> None:
        self.values = values
        self.metric = metric
        self.unit = unit

    @classmethod
    def from_results(
        cls,
        results: pd.DataFrame,
        *,
        metric: str = "median_r2_per_feature",
        unit: str | None = None,
        ax: Any = None,
    ) -> "ModelComparisonDisplay":
        """Draw one metric of the results of a comparison.

        Parameters
        ----------
        results : DataFrame
            The attribute ``results`` of a :class:`~omitrans.comparison.ModelComparison`, with the
            columns ``model``, ``fold``, ``metric`` and ``value``.
        metric : str, default="median_r2_per_feature"
            Name of the metric to draw.
        unit : str, default=None
            Unit of the profiles, for the axis label of a metric that is an error.
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        ModelComparisonDisplay
            The display.
        """
        found = results[results["metric"] == metric]
        if found.empty:
            known = ", ".join(results["metric"].unique())
            raise ValueError(f"results holds no metric {metric!r}. It holds: {known}.")
        values = found.pivot_table(
            values="value", index="model", columns="fold", dropna=False, sort=False
        )
        return cls(values=values, metric=metric, unit=unit).plot(ax)

    def plot(self, ax: Any = None) -> "ModelComparisonDisplay":
        """Draw the dots.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        ModelComparisonDisplay
            The display itself.
        """
        values = self.values.to_numpy(dtype=np.float64)
        n_models, n_folds = values.shape
        ax = get_axes(ax, figsize=(6.4, 1.2 + 0.5 * n_models))
        offsets = np.linspace(-0.2, 0.2, n_folds) if n_folds > 1 else np.zeros(1)
        digits = 0 if self.metric.startswith("n_") else 3
        for row, folds in enumerate(values):
            ax.scatter(folds, row + offsets, s=28, color=BLUE, alpha=0.7, linewidths=0)
            mean = folds.mean()
            ax.vlines(mean, row - 0.32, row + 0.32, color="black", linewidth=2)
            text = "failed" if np.isnan(mean) else number(mean, digits)
            ax.annotate(text, (1.02, row), xycoords=("axes fraction", "data"), va="center")
        ax.annotate("mean", (1.02, 1), xycoords="axes fraction", va="bottom", style="italic")
        ax.set_yticks(range(n_models), self.values.index)
        ax.set(ylim=(n_models - 0.5, -0.5), xlabel=self._axis_label())
        if self.metric in _TIME_LABELS and np.nanmax(values) > 10 * np.nanmin(values):
            ax.set_xscale("log")
            ax.xaxis.set_major_formatter("{x:g}")
        ax.grid(axis="x", color="0.9")
        ax.set_axisbelow(True)
        clean(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _axis_label(self) -> str:
        """Return the name of the metric, its unit, and the direction that is better."""
        if self.metric in _TIME_LABELS:
            return f"{_TIME_LABELS[self.metric]}, seconds (lower is better)"
        label = METRIC_LABELS.get(self.metric, self.metric)
        if self.metric not in ERROR_METRICS:
            return f"{label} (higher is better)"
        if self.unit is not None:
            label += f", ({self.unit})²" if self.metric == "mse" else f", {self.unit}"
        return f"{label} (lower is better)"
