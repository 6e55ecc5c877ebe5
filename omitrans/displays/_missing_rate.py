"""Plot of how well imputers work when more and more values are missing."""

from typing import Any

import pandas as pd

from omitrans.displays._style import clean, distinct_colors, get_axes
from omitrans.metrics._regression import METRIC_LABELS


class MissingRateDisplay:
    """Plot of a metric against the fraction of missing values, one line per imputer.

    The plot follows Figure 4 of the PMI paper.

    Lines show means over masks and folds, bands show one standard deviation.

    Parameters
    ----------
    mean, deviation : DataFrame of shape (n_rates, n_models)
        Mean and standard deviation of the metric, indexed by missing rate.
    metric : str, default="mean_r2_per_feature"
        Name of the metric, for the axis label.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes that hold the drawing.
    figure_ : matplotlib Figure
        Figure that holds the axes.

    See Also
    --------
    omitrans.comparison.compare_imputers : Compares imputers at several ``missing_rates``.

    References
    ----------
    R. Viñas et al., "Deep learning enables fast and accurate imputation of gene expression",
    Frontiers in Genetics 12, 2021, Figure 4.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.impute import KNNImputer, SimpleImputer
    >>> from omitrans.displays import MissingRateDisplay
    >>> from omitrans.comparison import compare_imputers
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 10))
    >>> imputers = {"mean": SimpleImputer(), "5-NN": KNNImputer()}
    >>> comparison = compare_imputers(
    ...     imputers, X, missing_rates=[0.1, 0.5], n_masks=1, cv=3, random_state=0
    ... )
    >>> display = MissingRateDisplay.from_comparison(comparison)
    >>> list(display.mean.columns)
    ['mean', '5-NN']
    """

    def __init__(
        self, mean: pd.DataFrame, deviation: pd.DataFrame, *, metric: str = "mean_r2_per_feature"
    ) -> None:
        self.mean = mean
        self.deviation = deviation
        self.metric = metric

    @classmethod
    def from_comparison(
        cls, comparison: Any, *, metric: str = "mean_r2_per_feature", ax: Any = None
    ) -> "MissingRateDisplay":
        """Draw one metric of a comparison.

        Parameters
        ----------
        comparison : ImputerComparison
            Comparison with two or more missing rates.
        metric : str, default="mean_r2_per_feature"
            Name of the metric to draw.
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        MissingRateDisplay
            The display.

        Raises
        ------
        ValueError
            If the comparison has only one missing rate, or does not hold the metric.
        """
        results = comparison.results
        rows = results[results["metric"] == metric]
        if rows.empty:
            known = ", ".join(results["metric"].unique())
            raise ValueError(f"The comparison holds no metric {metric!r}. It holds: {known}.")
        if rows["missing_rate"].nunique() < 2:
            raise ValueError(
                "A line needs two missing rates. Give compare_imputers several missing_rates."
            )
        models = list(dict.fromkeys(rows["model"]))
        mean, deviation = (
            rows.pivot_table(
                index="missing_rate",
                columns="model",
                values="value",
                aggfunc=lambda values, what=what: getattr(values, what)(skipna=False),
                dropna=False,
            )[models]
            for what in ("mean", "std")
        )
        return cls(mean, deviation, metric=metric).plot(ax)

    def plot(self, ax: Any = None) -> "MissingRateDisplay":
        """Draw the lines and their bands.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        MissingRateDisplay
            The display itself.
        """
        ax = get_axes(ax, figsize=(6.8, 4.0))
        rates = 100 * self.mean.index.to_numpy(dtype=float)
        colors = distinct_colors(self.mean.shape[1])
        for model, color in zip(self.mean.columns, colors, strict=True):
            mean = self.mean[model].to_numpy(dtype=float)
            spread = self.deviation[model].fillna(0).to_numpy(dtype=float)
            ax.plot(rates, mean, marker="o", markersize=4, color=color, label=str(model))
            ax.fill_between(rates, mean - spread, mean + spread, color=color, alpha=0.15, lw=0)
        label = METRIC_LABELS.get(self.metric, self.metric)
        ax.set(xlabel="Missing values (%)", ylabel=f"{label}, hidden values")
        ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize="small")
        ax.grid(color="0.9")
        ax.set_axisbelow(True)
        clean(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self
