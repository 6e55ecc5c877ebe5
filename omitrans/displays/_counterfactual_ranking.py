"""Genes that change most in generated samples when one covariate changes."""

from typing import Any

import numpy as np
import pandas as pd

from omitrans.displays._style import BLUE, GREY, VERMILION, clean, get_axes, named


class CounterfactualRankingDisplay:
    """Effects of a change on the strongest genes, with their intervals.

    Parameters
    ----------
    ranking : DataFrame
        Ranking of the genes to draw, one row per gene, with the columns ``gene``, ``effect``,
        ``low`` and ``high``.
    title : str, default=""
        Title of the figure.
    change : (object, object), default=None
        The two values of the covariate, to be named below the axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes that hold the drawing.
    figure_ : matplotlib Figure
        Figure that holds the axes.

    See Also
    --------
    omitrans.generation.counterfactual_ranking : Computes the ranking.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.displays import CounterfactualRankingDisplay
    >>> ranking = pd.DataFrame(
    ...     {"gene": ["TP53", "EGFR"], "rank": [1, 2], "effect": [-1.5, 0.8]}
    ... ).assign(low=lambda r: r.effect - 0.2, high=lambda r: r.effect + 0.2)
    >>> CounterfactualRankingDisplay.from_ranking(ranking, n_genes=1).ranking["gene"].tolist()
    ['TP53']
    """

    def __init__(self, ranking: pd.DataFrame, *, title: str = "", change: Any = None) -> None:
        self.ranking = ranking
        self.title = title
        self.change = change

    @classmethod
    def from_ranking(
        cls,
        ranking: pd.DataFrame,
        *,
        n_genes: int = 20,
        level: Any = None,
        names: Any = None,
        change: Any = None,
        ax: Any = None,
    ) -> "CounterfactualRankingDisplay":
        """Draw the strongest genes of a ranking.

        Parameters
        ----------
        ranking : DataFrame
            What :func:`~omitrans.generation.counterfactual_ranking` returns.
        n_genes : int, default=20
            Number of genes to draw.
        level : object, default=None
            Level of ``by``, if genes were ranked for each level of a covariate.
        names : Series or dict, default=None
            Names of genes by their ids, such as gene symbols, to draw instead of the ids.
        change : (object, object), default=None
            The two values of the covariate, such as ``("healthy", "disease")``, to be named below
            the axis.
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        CounterfactualRankingDisplay
            The display.

        Raises
        ------
        ValueError
            If genes were ranked by level and `level` is none of these.
        """
        title = ""
        by = ranking.columns[0]
        if by != "gene":
            known = list(ranking[by].unique())
            if level not in known:
                raise ValueError(f"level must be one of {known}. Got {level!r} instead.")
            ranking, title = ranking[ranking[by] == level], f"{by}: {level}"
        best = ranking.nsmallest(n_genes, "rank")
        best = best.assign(gene=named(best["gene"], names))
        return cls(best, title=title, change=change).plot(ax)

    def plot(self, ax: Any = None) -> "CounterfactualRankingDisplay":
        """Draw one line per gene, the strongest on top.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        CounterfactualRankingDisplay
            The display itself.
        """
        table = self.ranking
        ax = get_axes(ax, figsize=(5.6, 1.2 + 0.24 * len(table)))
        places = np.arange(len(table))
        colors = [VERMILION if effect > 0 else BLUE for effect in table["effect"]]
        ax.axvline(0, color=GREY, linewidth=0.8)
        ax.hlines(places, table["low"], table["high"], colors=colors, linewidth=1.5)
        ax.scatter(table["effect"], places, c=colors, s=18, zorder=3)
        ax.set_yticks(places, list(map(str, table["gene"])))
        values = "" if self.change is None else ": {} → {}".format(*self.change)
        label = f"change of expression{values}"
        ax.set(ylim=(len(table) - 0.5, -0.5), xlabel=label, title=self.title)
        clean(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self
