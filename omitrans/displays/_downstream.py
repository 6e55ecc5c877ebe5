"""What models score on one downstream task, beside controls and measured expression."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from omitrans.displays._style import BLUE, GREY, clean, get_axes

MEASURED = "measured"
METRIC_NAMES = {
    "pr_auc_integral": "area under precision and recall",
    "pr_auc_average_precision": "average precision",
    "top_overlap": "overlap of the first genes",
    "f_score": "F-score",
    "n_significant": "genes found by measured expression",
    "ari": "adjusted Rand index",
    "nmi": "normalised mutual information",
    "log_rank_p": "log-rank p of the clusters",
    "harrell_c": "Harrell's C",
    "uno_c": "Uno's C",
    "auc": "AUC",
    "accuracy": "accuracy",
    "precision": "macro precision",
    "recall": "macro recall",
    "f1": "macro F1",
}
"""The metrics in words."""


class DownstreamDisplay:
    """Scores of models on one downstream task, with intervals.

    Models are filled, controls open, and measured expression is a square. A dashed line stands at
    what a guess reaches.

    Parameters
    ----------
    scores : DataFrame
        One row per model and setting, with the columns ``model``, ``setting``, ``value``,
        ``lower``, ``upper`` and ``chance``.
    controls : sequence of str, default=()
        Names of the controls.
    label : str, default=""
        Label of the axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes that hold the drawing.
    figure_ : matplotlib Figure
        Figure that holds the axes.

    See Also
    --------
    omitrans.downstream.downstream_report : Computes the scores.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.displays import DownstreamDisplay
    >>> frame = pd.DataFrame(
    ...     {"task": "clusters", "metric": "ari", "setting": "test", "model": ["ridge", "mean"],
    ...      "value": [0.4, 0.0], "lower": None, "upper": None, "chance": 0.0}
    ... )
    >>> display = DownstreamDisplay.from_frame(frame, task="clusters", metric="ari")
    >>> display.scores["model"].tolist()
    ['ridge', 'mean']
    """

    def __init__(
        self, scores: pd.DataFrame, *, controls: Sequence[str] = (), label: str = ""
    ) -> None:
        self.scores = scores
        self.controls = controls
        self.label = label

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        task: str,
        metric: str,
        controls: Sequence[str] = (),
        ax: Any = None,
    ) -> "DownstreamDisplay":
        """Draw one score of one task.

        Parameters
        ----------
        frame : DataFrame
            The attribute ``frame`` of a :class:`~omitrans.downstream.DownstreamReport`.
        task : str
            Name of the task, such as "driving genes".
        metric : str
            Name of the score, such as "pr_auc_integral".
        controls : sequence of str, default=()
            Names of the controls, as the report holds them.
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        DownstreamDisplay
            The display.

        Raises
        ------
        ValueError
            If the frame holds no such score.
        """
        found = frame[(frame["task"] == task) & (frame["metric"] == metric)]
        if not len(found):
            pairs = frame[["task", "metric"]].drop_duplicates().itertuples(index=False)
            known = ", ".join(f"{name}: {score}" for name, score in pairs if score)
            raise ValueError(f"No score {metric!r} of {task!r}; there are {known}.")
        label = f"{task}: {METRIC_NAMES.get(metric, metric)}"
        return cls(found, controls=controls, label=label).plot(ax)

    def plot(self, ax: Any = None) -> "DownstreamDisplay":
        """Draw one line per model, with a gap between settings.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        DownstreamDisplay
            The display itself.
        """
        table = self.scores
        ax = get_axes(ax, figsize=(5.6, 1.2 + 0.28 * len(table)))
        setting = pd.factorize(table["setting"])[0]
        places = np.arange(len(table)) + 0.7 * setting
        numbers = table[["value", "lower", "upper", "chance"]].astype(float)
        for place, model, (value, low, high, chance) in zip(
            places, table["model"], numbers.to_numpy(), strict=True
        ):
            ax.hlines(place, low, high, colors=GREY, linewidth=1.5)
            ax.vlines(chance, place - 0.5, place + 0.5, colors=GREY, linestyles="--", linewidth=1)
            face = "white" if model in self.controls else BLUE
            shape = "s" if model == MEASURED else "o"
            ax.scatter(value, place, s=30, marker=shape, facecolor=face, edgecolor=BLUE, zorder=3)
        several = setting.max() > 0
        names = [
            f"{model} ({place})" if several else str(model)
            for model, place in zip(table["model"], table["setting"], strict=True)
        ]
        ax.set_yticks(places, names)
        ax.set(ylim=(places[-1] + 0.6, -0.6), xlabel=self.label)
        clean(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self
