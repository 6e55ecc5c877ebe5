"""Plot of survival curves with numbers at risk."""

from typing import Any

import numpy as np
import pandas as pd

from omitrans.displays._style import clean, distinct_colors, get_axes
from omitrans.metrics._kaplan_meier import kaplan_meier, log_rank_test

_LINE_POINTS = 13.0  # height of a line of the table
_FIRST_LINE_POINTS = 38.0  # of the table, below the axis, its ticks and its label


class KaplanMeierDisplay:
    """Kaplan-Meier curves of groups, with confidence bands and numbers at risk.

    Ticks on the curves mark censored samples. The table below the axes says how many samples of
    each group are still at risk.

    Parameters
    ----------
    curves : DataFrame
        Estimates by group, as :func:`omitrans.metrics.kaplan_meier` returns them.
    p_value : float, default=None
        Result of the log-rank test, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes that hold the drawing.
    figure_ : matplotlib Figure
        Figure that holds the axes.
    at_risk_ : DataFrame of shape (n_groups, n_ticks)
        Numbers of the table: samples at risk by group and time.

    See Also
    --------
    omitrans.downstream.cluster_survival : Clusters samples and computes the curves.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.displays import KaplanMeierDisplay
    >>> rng = np.random.default_rng(0)
    >>> group = np.repeat(["low", "high"], 50)
    >>> time = rng.exponential(np.where(group == "low", 60, 30))
    >>> KaplanMeierDisplay.from_groups(time, rng.random(100) < 0.7, group)
    <...KaplanMeierDisplay object at ...>
    """

    def __init__(self, curves: pd.DataFrame, *, p_value: float | None = None) -> None:
        self.curves = curves
        self.p_value = p_value

    @classmethod
    def from_groups(
        cls,
        time: Any,
        event: Any,
        groups: Any = None,
        *,
        level: float = 0.95,
        ax: Any = None,
        **plot_options: Any,
    ) -> "KaplanMeierDisplay":
        """Estimate the curves of groups and draw them.

        Parameters
        ----------
        time : array-like or Series of shape (n_samples,)
            Time of the event or of censoring, in any unit; numbers above 0.
        event : array-like or Series of shape (n_samples,)
            True or 1 where the event was seen, False or 0 where the sample was censored.
        groups : array-like or Series of shape (n_samples,), default=None
            Group of each sample. None draws one curve.
        level : float, default=0.95
            Level of the confidence bands.
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.
        **plot_options
            Further parameters of :meth:`plot`.

        Returns
        -------
        KaplanMeierDisplay
            The display.
        """
        curves = kaplan_meier(time, event, groups, level=level)
        p_value = None
        if len(curves["group"].unique()) > 1:
            _, p_value = log_rank_test(time, event, groups)
        return cls(curves, p_value=p_value).plot(ax, **plot_options)

    @classmethod
    def from_clusters(
        cls, clusters: Any, *, ax: Any = None, **plot_options: Any
    ) -> "KaplanMeierDisplay":
        """Draw the curves of clusters.

        Parameters
        ----------
        clusters : ClusterSurvival
            Result of :func:`omitrans.downstream.cluster_survival`.
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.
        **plot_options
            Further parameters of :meth:`plot`.

        Returns
        -------
        KaplanMeierDisplay
            The display.
        """
        curves = clusters.curves.assign(group=[f"cluster {i}" for i in clusters.curves["group"]])
        return cls(curves, p_value=clusters.p_value).plot(ax, **plot_options)

    def plot(
        self, ax: Any = None, *, unit: str | None = None, at_risk: bool = True
    ) -> "KaplanMeierDisplay":
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.
        unit : str, default=None
            Unit of the times, such as "days", for the label of the axis.
        at_risk : bool, default=True
            Whether to write the numbers at risk below the axes.

        Returns
        -------
        KaplanMeierDisplay
            The display itself.
        """
        if self.curves.empty:
            raise ValueError("The curves hold no row; there is nothing to draw.")
        groups = list(pd.unique(self.curves["group"]))
        colors = distinct_colors(len(groups))
        by_group = dict(list(self.curves.groupby("group", sort=False)))
        ax = get_axes(ax, figsize=(6.4, 4.0 + 0.2 * len(groups) * at_risk))
        for group, color in zip(groups, colors, strict=True):
            _draw_curve(ax, by_group[group], _text(group), color)
        ax.set(ylim=(0, 1.03), ylabel="Survival", xlabel=f"Time ({unit})" if unit else "Time")
        ax.set_xlim(0, 1.02 * self.curves["time"].max())
        ticks = [tick for tick in ax.get_xticks() if 0 <= tick <= ax.get_xlim()[1]]
        ax.set_xticks(ticks)
        self.at_risk_ = _numbers_at_risk(by_group, ticks)
        if at_risk:
            _write_table(ax, self.at_risk_, colors)
        if self.p_value is not None:
            ax.set_title(f"log-rank {_p_text(self.p_value)}", fontsize="medium")
        ax.legend(frameon=False, loc="best")
        clean(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _draw_curve(ax: Any, curve: pd.DataFrame, name: str, color: Any) -> None:
    """Draw the steps of one group, its band, and a tick for each time of censoring."""
    time = np.concatenate([[0.0], curve["time"]])
    steps = {
        column: np.concatenate([[1.0], curve[column]]) for column in ("survival", "lower", "upper")
    }
    label = f"{name} ({curve['at_risk'].max():,}; {curve['events'].sum():,} events)"
    ax.step(time, steps["survival"], where="post", color=color, label=label)
    ax.fill_between(
        time, steps["lower"], steps["upper"], step="post", color=color, alpha=0.15, linewidth=0
    )
    censored = curve[curve["censored"] > 0]
    ax.plot(censored["time"], censored["survival"], "|", color=color, markersize=7)


def _numbers_at_risk(curves: dict[Any, pd.DataFrame], ticks: list[float]) -> pd.DataFrame:
    """Return how many samples of each group have a time of this or later."""
    table = {}
    for group, curve in curves.items():
        counts = np.append(curve["at_risk"].to_numpy(), 0)
        table[group] = counts[np.searchsorted(curve["time"].to_numpy(), ticks, side="left")]
    return pd.DataFrame(table, index=pd.Index(ticks, name="time")).T.rename_axis("group")


def _write_table(ax: Any, table: pd.DataFrame, colors: list[Any]) -> None:
    """Write the numbers at risk below their times."""
    at_bottom = ax.get_xaxis_transform()
    options = {
        "xycoords": at_bottom,
        "textcoords": "offset points",
        "fontsize": "small",
        "va": "top",
        "annotation_clip": False,
    }
    top = (-14, -_FIRST_LINE_POINTS)
    ax.annotate("At risk", (0, 0), top, ha="right", weight="bold", **options)
    for i, ((group, counts), color) in enumerate(zip(table.iterrows(), colors, strict=True)):
        height = -_FIRST_LINE_POINTS - _LINE_POINTS * (i + 1)
        ax.annotate(_text(group), (0, 0), (-14, height), ha="right", color=color, **options)
        for tick, count in counts.items():
            ax.annotate(f"{count:,}", (tick, 0), (0, height), ha="center", **options)


def _text(name: Any) -> str:
    return str(name).replace("$", r"\$")  # a dollar sign begins mathematics


def _p_text(p_value: float) -> str:
    if np.isnan(p_value):
        return "p: not defined"
    return f"p = {p_value:.3f}" if p_value >= 0.001 else f"p = {p_value:.1e}".replace("-", "−")
