"""Plot of the losses during training."""

from typing import Any

import numpy as np
import pandas as pd

from omitrans.displays._style import COLORS, GREY, clean, get_panels
from omitrans.utils._wrapped import find_layer

_PREFIXES = {"train_": "training ", "valid_": "validation "}
_ADVERSARIAL_WORDS = ("adversarial", "discriminator", "critic")


class HistoryDisplay:
    """Curves of the training losses: reconstruction in one panel, adversarial losses in another.

    Parameters
    ----------
    history : DataFrame of shape (n_epochs, n_columns)
        One row per epoch, numbered by the column ``epoch`` or else by the index. Columns that start
        with ``train_`` or ``valid_`` are losses; other columns are not drawn. Losses whose name
        contains "adversarial", "discriminator" or "critic" are drawn in a separate panel. If a
        column ``network`` numbers several networks, each has curves of its own.
    best_epoch : int, default=None
        Epoch whose weights were kept; it is marked.

    Attributes
    ----------
    ax_ : ndarray of matplotlib Axes
        Axes of the panels.
    figure_ : matplotlib Figure
        Figure that holds the axes.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.displays import HistoryDisplay
    >>> history = pd.DataFrame(
    ...     {"epoch": [1, 2, 3], "train_reconstruction": [0.9, 0.5, 0.4], "lr": [1e-4] * 3}
    ... )
    >>> HistoryDisplay(history, best_epoch=3).plot()
    <...HistoryDisplay object at ...>
    """

    def __init__(self, history: pd.DataFrame, *, best_epoch: int | None = None) -> None:
        self.history = history
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> "HistoryDisplay":
        """Draw ``history_`` of a fitted estimator, and mark its ``best_epoch_`` if it has one.

        Parameters
        ----------
        estimator : estimator
            Fitted model, or a fitted Pipeline, search or other wrapper that holds one.
        ax : array-like of matplotlib Axes, default=None
            Axes to draw on, one per panel; None draws a new figure.

        Returns
        -------
        HistoryDisplay
            The display.
        """
        trained = find_layer(estimator, "history_")
        if trained is None:
            raise ValueError(
                f"{type(estimator).__name__} has no history_. Fit it first; only estimators that "
                "are trained in epochs have a history."
            )
        best = getattr(trained, "best_epoch_", None)
        best = None if isinstance(best, np.ndarray) else best  # several networks have one each
        return cls(trained.history_, best_epoch=best).plot(ax)

    def plot(self, ax: Any = None) -> "HistoryDisplay":
        """Draw the curves.

        Parameters
        ----------
        ax : array-like of matplotlib Axes, default=None
            Axes to draw on, one per panel; None draws a new figure.

        Returns
        -------
        HistoryDisplay
            The display itself.
        """
        history = self.history
        networks = [history]
        if "network" in history:
            networks = [part for _, part in history.groupby("network", sort=False)]
        groups = _group_losses(history)
        panels = get_panels(ax, len(groups), n_columns=2, size=(5.2, 3.6))
        for panel, (title, names) in zip(panels, groups.items(), strict=True):
            for name, color in zip(names, _cycle(len(names)), strict=True):
                for number, network in enumerate(networks):
                    epochs = pd.Series(network.get("epoch", network.index), network.index)
                    values = network[name].dropna()  # not every epoch need have a validation
                    marker = "o" if len(values) == 1 else None
                    label = "_nolegend_" if number else _label(name)
                    drawn = epochs[values.index]
                    panel.plot(drawn, values, color=color, marker=marker, label=label)
            if self.best_epoch is not None:
                label = f"best epoch {self.best_epoch}"
                panel.axvline(self.best_epoch, color=GREY, linestyle=":", label=label)
            panel.set(xlabel="Epoch", ylabel=title)
            panel.xaxis.get_major_locator().set_params(integer=True)
            panel.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
            clean(panel)
        self.ax_, self.figure_ = np.array(panels), panels[0].figure
        return self


def _group_losses(history: pd.DataFrame) -> dict[str, list[str]]:
    """Return the drawn columns of every panel, by its axis label."""
    losses = [name for name in map(str, history) if name.startswith(tuple(_PREFIXES))]
    losses = [name for name in losses if history[name].notna().any()]
    adversarial = [name for name in losses if any(word in name for word in _ADVERSARIAL_WORDS)]
    rest = [name for name in losses if name not in adversarial]
    reconstructs = any("reconstruction" in name for name in rest)
    groups = {
        "Reconstruction loss" if reconstructs else "Loss": rest,
        "Adversarial loss": adversarial,
    }
    groups = {title: names for title, names in groups.items() if names}
    if not groups:
        raise ValueError(
            "history holds no losses: no column with numbers starts with 'train_' or 'valid_'. "
            f"Found {', '.join(map(str, history.columns))}."
        )
    return groups


def _cycle(n: int) -> list[str]:
    return [COLORS[i % len(COLORS)] for i in range(n)]


def _label(name: str) -> str:
    for prefix, word in _PREFIXES.items():
        name = name.replace(prefix, word, 1) if name.startswith(prefix) else name
    return name.replace("_", " ")
