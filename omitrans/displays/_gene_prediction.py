"""Plot of predicted against real values of a few genes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from omitrans.displays._style import BLUE, GREY, clean, get_panels, number
from omitrans.exceptions import FeatureMismatchError
from omitrans.metrics import r2_per_feature
from omitrans.metrics._tables import check_tables


class GenePredictionDisplay:
    """Scatter plots of predicted against real expression of example genes, one panel per gene.

    Parameters
    ----------
    y_true, y_pred : ndarray of shape (n_samples, n_genes)
        Real and predicted values of the genes to draw.
    genes : sequence of str
        Names of the genes.
    r2 : array-like of shape (n_genes,)
        R² of each gene.
    unit : str, default="log2(FPKM + 1)"
        Unit of the values, for the axis labels.

    Attributes
    ----------
    ax_ : ndarray of matplotlib Axes
        Axes of the panels.
    figure_ : matplotlib Figure
        Figure that holds the axes.

    See Also
    --------
    R2HistogramDisplay : Histogram of R² of all genes.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.displays import GenePredictionDisplay
    >>> rng = np.random.default_rng(0)
    >>> Y_true = rng.normal(5.0, 1.0, size=(50, 20))
    >>> Y_pred = Y_true + rng.normal(size=(50, 20)) * rng.uniform(size=20)
    >>> display = GenePredictionDisplay.from_predictions(Y_true, Y_pred, n_genes=3)
    >>> len(display.ax_)
    3
    """

    def __init__(
        self,
        *,
        y_true: np.ndarray,
        y_pred: np.ndarray,
        genes: Sequence[str],
        r2: Any,
        unit: str = "log2(FPKM + 1)",
    ) -> None:
        self.y_true = y_true
        self.y_pred = y_pred
        self.genes = genes
        self.r2 = r2
        self.unit = unit

    @classmethod
    def from_predictions(
        cls,
        Y_true: Any,
        Y_pred: Any,
        *,
        genes: Sequence[Any] | None = None,
        n_genes: int = 6,
        unit: str = "log2(FPKM + 1)",
        ax: Any = None,
        **plot_options: Any,
    ) -> "GenePredictionDisplay":
        """Select genes and draw them.

        Parameters
        ----------
        Y_true, Y_pred : array-like or DataFrame of shape (n_samples, n_features)
            Real and predicted values of the same samples.
        genes : sequence of str or int, default=None
            Genes to draw: names if one of the tables is a DataFrame, else column numbers. None
            takes `n_genes` of the genes that vary, at even distances in the order of R², from the
            best predicted to the worst.
        n_genes : int, default=6
            Number of genes to draw if `genes` is None.
        unit : str, default="log2(FPKM + 1)"
            Unit of the values, for the axis labels.
        ax : array-like of matplotlib Axes, default=None
            Axes to draw on, one per gene; None draws a new figure.
        **plot_options
            Further parameters of :meth:`plot`.

        Returns
        -------
        GenePredictionDisplay
            The display.
        """
        r2 = pd.Series(r2_per_feature(Y_true, Y_pred))
        truth, prediction, *_ = check_tables(Y_true, Y_pred)
        columns = _spread(r2, truth, n_genes) if genes is None else _columns_of(genes, r2.index)
        display = cls(
            y_true=truth[:, columns],
            y_pred=prediction[:, columns],
            genes=[str(name) for name in r2.index[columns]],
            r2=r2.to_numpy()[columns],
            unit=unit,
        )
        return display.plot(ax, **plot_options)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, Y: Any, *, ax: Any = None, **options: Any
    ) -> "GenePredictionDisplay":
        """Predict, select genes and draw them.

        Parameters
        ----------
        estimator : estimator
            Fitted model, or a fitted Pipeline that ends in one.
        X : array-like or DataFrame of shape (n_samples, n_source_features)
            Source profiles of samples that the model was not fitted on.
        Y : array-like or DataFrame of shape (n_samples, n_features)
            Real profiles of the same samples.
        ax : array-like of matplotlib Axes, default=None
            Axes to draw on, one per gene; None draws a new figure.
        **options
            Further parameters of :meth:`from_predictions`.

        Returns
        -------
        GenePredictionDisplay
            The display.
        """
        return cls.from_predictions(Y, estimator.predict(X), ax=ax, **options)

    def plot(self, ax: Any = None, *, n_columns: int = 3) -> "GenePredictionDisplay":
        """Draw one panel per gene.

        Parameters
        ----------
        ax : array-like of matplotlib Axes, default=None
            Axes to draw on, one per gene; None draws a new figure.
        n_columns : int, default=3
            Number of panels side by side in a new figure.

        Returns
        -------
        GenePredictionDisplay
            The display itself.
        """
        panels = get_panels(ax, len(self.genes), n_columns=n_columns, size=(2.9, 3.1))
        for i, (panel, gene) in enumerate(zip(panels, self.genes, strict=True)):
            _draw_gene(panel, self.y_true[:, i], self.y_pred[:, i])
            panel.set_title(f"{gene}\nR² = {number(self.r2[i], 2)}", fontsize="medium")
        self.ax_, self.figure_ = np.array(panels), panels[0].figure
        x_label, y_label = f"Real, {self.unit}", f"Predicted, {self.unit}"
        if ax is None:
            self.figure_.supxlabel(x_label, fontsize="medium")
            self.figure_.supylabel(y_label, fontsize="medium")
        else:
            for panel in panels:
                panel.set(xlabel=x_label, ylabel=y_label)
        return self


def _draw_gene(ax: Any, y_true: np.ndarray, y_pred: np.ndarray) -> None:
    """Draw samples and the line of equality on axes of one scale."""
    low = min(y_true.min(), y_pred.min())
    high = max(y_true.max(), y_pred.max())
    margin = 0.05 * (high - low) or 0.5
    limits = (low - margin, high + margin)
    ax.axline((low, low), slope=1, color=GREY, linestyle="--", linewidth=1, zorder=1)
    alpha = 0.6 if len(y_true) <= 500 else 0.25
    ax.scatter(y_true, y_pred, s=12, color=BLUE, alpha=alpha, linewidths=0, rasterized=True)
    ax.set(xlim=limits, ylim=limits, aspect="equal")
    ax.locator_params(nbins=4)
    clean(ax)


def _spread(r2: pd.Series, truth: np.ndarray, n_genes: int) -> np.ndarray:
    """Return columns of varying genes at even distances in the order of R²."""
    varying = np.flatnonzero(truth.max(axis=0) > truth.min(axis=0))
    if not len(varying):
        varying = np.arange(len(r2))
    ranked = varying[np.argsort(-r2.to_numpy()[varying], kind="stable")]
    places = np.linspace(0, len(ranked) - 1, min(n_genes, len(ranked)))
    return ranked[places.round().astype(int)]


def _columns_of(genes: Sequence[Any], known: pd.Index) -> np.ndarray:
    columns = known.get_indexer(pd.Index(genes))
    unknown = [gene for gene, column in zip(genes, columns, strict=True) if column < 0]
    if unknown:
        raise FeatureMismatchError(
            f"genes holds {len(unknown)} that Y_true lacks (first: {unknown[0]!r}). "
            f"Its features are {', '.join(map(repr, known[:3]))}, ..."
        )
    return columns
