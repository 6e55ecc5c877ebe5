"""Histogram of R² over genes or samples."""

from typing import Any

import numpy as np
from sklearn.utils import check_array

from omitrans.displays._style import BLUE, GREY, VERMILION, clean, get_axes, number
from omitrans.metrics import r2_per_feature, r2_per_sample

_R2 = {"feature": r2_per_feature, "sample": r2_per_sample}


class R2HistogramDisplay:
    """Histogram of R² per feature or per sample, with mean and median.

    R² has no lower bound, and a few features that are predicted worse than by their mean can reach
    minus thousands. Values below a limit are counted in one bin, so that the other values stay
    visible.

    Parameters
    ----------
    r2 : array-like of shape (n_features,) or (n_samples,)
        R² of each feature or each sample.
    axis : {"feature", "sample"}, default="feature"
        Whether `r2` holds one value per feature or per sample, for the labels.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes that hold the drawing.
    figure_ : matplotlib Figure
        Figure that holds the axes.

    See Also
    --------
    omitrans.metrics.r2_per_feature : Computes the values of ``axis="feature"``.
    omitrans.metrics.r2_per_sample : Computes the values of ``axis="sample"``.

    References
    ----------
    X. Zhang and Y. Guo. OmiTrans: generative adversarial networks based omics-to-omics
    translation framework. 2021. Figures 6 and 7.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.displays import R2HistogramDisplay
    >>> rng = np.random.default_rng(0)
    >>> Y_true = rng.normal(size=(50, 200))
    >>> Y_pred = Y_true + rng.normal(size=(50, 200)) * rng.uniform(size=200)
    >>> R2HistogramDisplay.from_predictions(Y_true, Y_pred)
    <...R2HistogramDisplay object at ...>
    """

    def __init__(self, *, r2: Any, axis: str = "feature") -> None:
        self.r2 = r2
        self.axis = axis

    @classmethod
    def from_predictions(
        cls, Y_true: Any, Y_pred: Any, *, axis: str = "feature", ax: Any = None, **plot_options: Any
    ) -> "R2HistogramDisplay":
        """Compute R² and draw its histogram.

        Parameters
        ----------
        Y_true, Y_pred : array-like or DataFrame of shape (n_samples, n_features)
            Real and predicted values of the same samples.
        axis : {"feature", "sample"}, default="feature"
            Whether R² is computed for every feature or for every sample.
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.
        **plot_options
            Further parameters of :meth:`plot`.

        Returns
        -------
        R2HistogramDisplay
            The display.
        """
        if axis not in _R2:
            raise ValueError(f"axis must be 'feature' or 'sample'; found {axis!r}.")
        return cls(r2=_R2[axis](Y_true, Y_pred), axis=axis).plot(ax, **plot_options)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        Y: Any,
        *,
        axis: str = "feature",
        ax: Any = None,
        **options: Any,
    ) -> "R2HistogramDisplay":
        """Predict, compute R² and draw its histogram.

        Parameters
        ----------
        estimator : estimator
            Fitted model, or a fitted Pipeline that ends in one.
        X : array-like or DataFrame of shape (n_samples, n_source_features)
            Source profiles of samples that the model was not fitted on.
        Y : array-like or DataFrame of shape (n_samples, n_features)
            Real profiles of the same samples.
        axis : {"feature", "sample"}, default="feature"
            Whether R² is computed for every feature or for every sample.
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.
        **options
            Further parameters of :meth:`plot`.

        Returns
        -------
        R2HistogramDisplay
            The display.
        """
        return cls.from_predictions(Y, estimator.predict(X), axis=axis, ax=ax, **options)

    def plot(self, ax: Any = None, *, bins: int = 30, lower: float = -0.25) -> "R2HistogramDisplay":
        """Draw the histogram.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.
        bins : int, default=30
            Number of bins above `lower`.
        lower : float, default=-0.25
            Values below this limit are counted in one bin at the left. That bin is drawn cut off
            where it would be far taller than the others; its count is printed.

        Returns
        -------
        R2HistogramDisplay
            The display itself.
        """
        r2 = check_array(self.r2, ensure_2d=False, dtype=np.float64, input_name="r2").ravel()
        ax = get_axes(ax)
        edges = _edges(r2, bins, lower)
        counts, _ = np.histogram(r2, edges)
        ax.stairs(counts, edges, fill=True, color=BLUE, alpha=0.75)
        n_below = int((r2 < lower).sum())
        if n_below:
            # cut where it would dwarf the others; its count is printed
            height = min(n_below, 1.2 * counts.max()) if counts.any() else n_below
            _draw_gathered(ax, edges, lower, height, cut=height < n_below)
            _label_gathered(ax, edges, height, f"{n_below:,} ({n_below / len(r2):.0%})")
        for name, value, color, line in (
            ("mean", r2.mean(), VERMILION, "-"),
            ("median", np.median(r2), "black", "--"),
        ):
            _mark(ax, name, value, edges, color=color, linestyle=line)
        ax.set(
            xlabel=f"R² per {self.axis} ({len(r2):,} {self.axis}s)",
            ylabel=f"Number of {self.axis}s",
        )
        ax.margins(y=0.12)
        ax.set_ylim(bottom=0)
        ax.yaxis.get_major_locator().set_params(integer=True)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
        clean(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _edges(r2: np.ndarray, bins: int, lower: float) -> np.ndarray:
    """Return the edges of the bins above the limit."""
    low, high = max(lower, r2.min()), r2.max()
    if high < low:  # all lie below the limit
        high = low + 1
    elif high == low:
        low, high = low - 0.05, high + 0.05
    return np.linspace(low, high, bins + 1)


def _gathered_span(edges: np.ndarray) -> tuple[float, float]:
    """Return the left and right side of the bin of the values below the limit."""
    span = edges[-1] - edges[0]
    return edges[0] - 0.16 * span, edges[0] - 0.1 * span


def _draw_gathered(ax: Any, edges: np.ndarray, lower: float, height: float, *, cut: bool) -> None:
    """Draw the bin of the values below the limit apart from the others, with its own tick."""
    left, right = _gathered_span(edges)
    ax.bar(left, height, width=right - left, align="edge", color="0.8", edgecolor=GREY, hatch="//")
    if cut:
        for share in (0.84, 0.88):
            ax.plot([left, right], [(share - 0.02) * height, (share + 0.02) * height], "w", lw=3)
    ticks = [tick for tick in ax.get_xticks() if edges[0] <= tick <= edges[-1]]
    labels = [number(tick, 2) for tick in ticks]
    ax.set_xticks([(left + right) / 2, *ticks], [f"< {number(lower, 2)}", *labels])
    ax.set_xlim(left - (right - left), edges[-1] + (right - left) / 2)


def _label_gathered(ax: Any, edges: np.ndarray, height: float, text: str) -> None:
    place = (_gathered_span(edges)[0], height)
    ax.annotate(text, place, (0, 3), textcoords="offset points", va="bottom")


def _mark(ax: Any, name: str, value: float, edges: np.ndarray, **style: Any) -> None:
    """Draw a line at `value`, or say in the legend that the value lies outside the axis."""
    if value < edges[0]:
        label = f"{name} {number(value)} (off scale, left)"
        ax.plot([], [], label=label, **style)
    else:
        ax.axvline(value, label=f"{name} {number(value)}", linewidth=1.5, **style)
