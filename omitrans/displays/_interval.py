"""Plot of whether prediction intervals hold as many real values as they should."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binom

from omitrans.displays._style import BLUE, GREY, VERMILION, clean, get_axes
from omitrans.exceptions import FeatureMismatchError, SampleMismatchError
from omitrans.utils._interval_columns import limits, split_columns


class IntervalDisplay:
    """Histogram over genes of how often the real value lay within its prediction interval.

    Intervals of level 0.9 should hold nine of ten real values. With few samples the fraction of a
    gene differs from the level by chance; the outline shows how the genes would spread if every
    interval were right. If more genes lie far to the left than the outline shows, the intervals are
    too narrow.

    Parameters
    ----------
    held : array-like of shape (n_genes,)
        Fraction of the samples whose real value lay within the interval, for each gene.
    n_samples : int
        Number of samples, from which the outline is computed.
    level : float, default=0.9
        Level of the intervals: the fraction of real values that they should hold.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes that hold the drawing.
    figure_ : matplotlib Figure
        Figure that holds the axes.

    See Also
    --------
    omitrans.predict_frame : With ``intervals``, returns the bounds.
    GenePredictionDisplay : Predicted against real values of a few genes.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from omitrans.displays import IntervalDisplay
    >>> rng = np.random.default_rng(0)
    >>> Y = pd.DataFrame({"geneA": rng.normal(size=200), "geneB": rng.normal(size=200)})
    >>> bounds = {"geneA_lower": -1.6, "geneA_upper": 1.6, "geneB_lower": -1, "geneB_upper": 1}
    >>> display = IntervalDisplay.from_predictions(Y, (0 * Y).assign(**bounds), level=0.9)
    >>> display.held.round(2).to_dict()
    {'geneA': 0.92, 'geneB': 0.68}
    """

    def __init__(self, held: Any, *, n_samples: int, level: float = 0.9) -> None:
        self.held = held
        self.n_samples = n_samples
        self.level = level

    @classmethod
    def from_predictions(
        cls, Y_true: pd.DataFrame, predictions: pd.DataFrame, *, level: float = 0.9, ax: Any = None
    ) -> "IntervalDisplay":
        """Measure how often the intervals hold the real values and draw the histogram.

        Parameters
        ----------
        Y_true : DataFrame of shape (n_samples, n_genes)
            Real values of samples that the model was not fitted on. NaN values are not counted.
        predictions : DataFrame
            Result of :func:`omitrans.predict_frame` with ``intervals=level`` for the same samples,
            with the columns ``GENE_lower`` and ``GENE_upper``.
        level : float, default=0.9
            Level of the intervals: the fraction of real values that they should hold.
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        IntervalDisplay
            The display.

        Raises
        ------
        FeatureMismatchError
            If no gene has both intervals and real values.
        SampleMismatchError
            If the two tables do not hold the same samples in the same order.
        """
        if not Y_true.index.equals(predictions.index):
            raise SampleMismatchError(
                "Y_true and predictions have other samples, or the same in another order. "
                "Use Y_true.loc[predictions.index]."
            )
        genes = [gene for gene in split_columns(predictions)[1] if gene in Y_true]
        if not genes:
            raise FeatureMismatchError(
                "predictions has no columns GENE_lower and GENE_upper for a gene of Y_true. "
                f"Use predict_frame(..., intervals={level})."
            )
        held = pd.Series({gene: _share_held(Y_true[gene], predictions, gene) for gene in genes})
        return cls(held, n_samples=len(Y_true), level=level).plot(ax)

    def plot(self, ax: Any = None) -> "IntervalDisplay":
        """Draw the histogram.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        IntervalDisplay
            The display itself.
        """
        held = np.asarray(self.held, dtype=float)
        held = held[np.isfinite(held)]
        edges = _edges(held, self.n_samples, self.level)
        counts, _ = np.histogram(held, edges)
        cumulated = binom.cdf(np.floor(edges * self.n_samples), self.n_samples, self.level)
        chance = len(held) * np.diff(cumulated)
        ax = get_axes(ax)
        ax.stairs(counts, edges, fill=True, color=BLUE, alpha=0.75, label="measured")
        ax.stairs(chance, edges, color="black", linewidth=1.2, label="if every interval is right")
        ax.axvline(self.level, color=GREY, linestyle="--", label=f"promised {self.level:.0%}")
        mean = held.mean()
        ax.axvline(mean, color=VERMILION, linewidth=1.5, label=f"mean {mean:.1%}")
        ax.set(
            xlabel=f"Share of {self.n_samples:,} samples within the interval",
            ylabel=f"Number of genes (of {len(held):,})",
        )
        ax.xaxis.set_major_formatter("{x:.0%}")
        ax.yaxis.get_major_locator().set_params(integer=True)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
        clean(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _share_held(truth: pd.Series, predictions: pd.DataFrame, gene: Any) -> float:
    held = truth.between(*limits(predictions, gene))
    return float(held[truth.notna()].mean())


def _edges(held: np.ndarray, n_samples: int, level: float) -> np.ndarray:
    """Return about 30 edges half way between possible fractions, the last above 1."""
    spread = 4 * np.sqrt(level * (1 - level) / n_samples)
    low = max(0.0, min(held.min(), level - spread))
    n_shares = int(np.ceil((1 - low) * n_samples)) + 1
    step = -(-n_shares // 30)
    n_bins = -(-n_shares // step)
    return (n_samples + 0.5 - step * np.arange(n_bins, -1, -1)) / n_samples
