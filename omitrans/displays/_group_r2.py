"""Box plot of R² of every gene within each group of samples."""

from typing import Any

import numpy as np
import pandas as pd

from omitrans.displays._style import BLUE, GREY, clean, get_axes
from omitrans.metrics import masked_r2_by_group


class GroupR2Display:
    """Box plot of R² over genes within each group (Figure 2 of the PMI paper).

    Boxes span the quartiles, whiskers the 5th to the 95th percentile; groups are in the order of
    their medians. The axis ends at −1: a whisker without a cap continues below that.

    Parameters
    ----------
    r2 : DataFrame of shape (n_genes, n_groups)
        R² of each gene within each group, as :func:`~omitrans.metrics.masked_r2_by_group` returns
        it.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes that hold the drawing.
    figure_ : matplotlib Figure
        Figure that holds the axes.

    See Also
    --------
    R2HistogramDisplay : R² over all samples.

    References
    ----------
    R. Viñas et al., "Deep learning enables fast and accurate imputation of gene expression",
    Frontiers in Genetics 12, 2021, Figure 2.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.displays import GroupR2Display
    >>> rng = np.random.default_rng(0)
    >>> Y = rng.normal(size=(40, 30))
    >>> hidden = rng.random(Y.shape) < 0.5
    >>> tissues = np.repeat(["Lung", "Liver"], 20)
    >>> imputed = Y + 0.5 * rng.normal(size=Y.shape)
    >>> display = GroupR2Display.from_imputation(Y, imputed, hidden, tissues)
    >>> list(display.r2.columns)
    ['Liver', 'Lung']
    """

    def __init__(self, r2: pd.DataFrame) -> None:
        self.r2 = r2

    @classmethod
    def from_imputation(
        cls, Y_true: Any, Y_imputed: Any, hidden: Any, groups: Any, *, ax: Any = None
    ) -> "GroupR2Display":
        """Compute R² within groups over hidden entries and draw it.

        Parameters
        ----------
        Y_true, Y_imputed, hidden : array-like or DataFrame of shape (n_samples, n_genes)
            Real values, imputed values, and a table that is True where a value was hidden.
        groups : array-like or Series of shape (n_samples,)
            Group of each sample, such as its tissue.
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        GroupR2Display
            The display.
        """
        return cls(masked_r2_by_group(Y_true, Y_imputed, hidden, groups)).plot(ax)

    @classmethod
    def from_comparison(
        cls,
        comparison: Any,
        model: str,
        *,
        missing_rate: float | None = None,
        ax: Any = None,
    ) -> "GroupR2Display":
        """Draw R² within groups of one imputer of a comparison.

        Parameters
        ----------
        comparison : ImputerComparison
            Comparison that was computed with ``group_by``.
        model : str
            Name of the imputer to draw.
        missing_rate : float, default=None
            Missing rate to draw; may be None if there is only one.
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        GroupR2Display
            The display.

        Raises
        ------
        ValueError
            If the comparison has no groups, or does not hold the model or the missing rate.
        """
        table = comparison.per_group
        if table is None:
            raise ValueError("The comparison has no groups. Give compare_imputers group_by.")
        if missing_rate is None:
            if len(comparison.missing_rates) > 1:
                raise ValueError(f"missing_rate must be one of {comparison.missing_rates}.")
            missing_rate = comparison.missing_rates[0]
        if (model, missing_rate) not in {column[:2] for column in table.columns}:
            raise ValueError(f"The comparison holds no {model!r} at missing_rate={missing_rate}.")
        return cls(table[model][missing_rate]).plot(ax)

    def plot(self, ax: Any = None) -> "GroupR2Display":
        """Draw one box per group.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        GroupR2Display
            The display itself.
        """
        order = self.r2.median().sort_values().index
        values = [self.r2[group].dropna().to_numpy() for group in order]
        ax = get_axes(ax, figsize=(6.4, 1.2 + 0.28 * len(order)))
        ax.boxplot(
            values,
            orientation="horizontal",
            whis=(5, 95),
            showfliers=False,
            patch_artist=True,
            widths=0.6,
            boxprops={"facecolor": BLUE, "alpha": 0.35, "edgecolor": BLUE},
            medianprops={"color": "black", "linewidth": 1.5},
            whiskerprops={"color": BLUE},
            capprops={"color": BLUE},
        )
        ax.set_yticks(range(1, len(order) + 1), [str(group) for group in order])
        ax.axvline(0, color=GREY, linewidth=0.8, linestyle="--", zorder=1)
        low = min((np.quantile(part, 0.05) for part in values if len(part)), default=0)
        ax.set(xlabel="R² per gene within the group", xlim=(max(-1.0, low - 0.05), 1.0))
        ax.grid(axis="x", color="0.9")
        ax.set_axisbelow(True)
        clean(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self
