"""Plot of how far samples lie from the training cohort."""

from typing import Any

import numpy as np
from sklearn.utils import check_array

from omitrans.displays._style import BLUE, VERMILION, clean, get_axes, number


class ShiftDisplay:
    """Histogram of the distances of training samples and new samples, with the alarm threshold.

    Parameters
    ----------
    training_distances : array-like of shape (n_training_samples,)
        Distances of the training samples, each measured from components that were learnt without
        that sample.
    threshold : float
        Distance above which a sample is flagged.
    distances : array-like of shape (n_samples,) or None, default=None
        Distances of new samples.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes that hold the drawing.
    figure_ : matplotlib Figure
        Figure that holds the axes.

    See Also
    --------
    omitrans.trust.DomainShiftDetector : Measures the distances.

    Examples
    --------
    >>> import numpy as np
    >>> from omitrans.displays import ShiftDisplay
    >>> from omitrans.trust import DomainShiftDetector
    >>> rng = np.random.default_rng(0)
    >>> detector = DomainShiftDetector(random_state=0).fit(rng.normal(size=(100, 50)))
    >>> ShiftDisplay.from_estimator(detector, rng.normal(size=(20, 50)) * 2)
    <...ShiftDisplay object at ...>
    """

    def __init__(self, *, training_distances: Any, threshold: float, distances: Any = None) -> None:
        self.training_distances = training_distances
        self.threshold = threshold
        self.distances = distances

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any = None, *, ax: Any = None, **plot_options: Any
    ) -> "ShiftDisplay":
        """Measure the distances of samples and draw them.

        Parameters
        ----------
        estimator : DomainShiftDetector
            Fitted detector.
        X : array-like or DataFrame of shape (n_samples, n_features), default=None
            New samples; None draws the training samples alone.
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.
        **plot_options
            Further parameters of :meth:`plot`.

        Returns
        -------
        ShiftDisplay
            The display.
        """
        display = cls(
            training_distances=estimator.training_distances_,
            threshold=estimator.threshold_,
            distances=None if X is None else estimator.distance(X),
        )
        return display.plot(ax, **plot_options)

    def plot(self, ax: Any = None, *, bins: int = 40, name: str = "new") -> "ShiftDisplay":
        """Draw the histograms.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.
        bins : int, default=40
            Number of bins, of equal width on the logarithmic axis.
        name : str, default="new"
            Name of the new samples in the legend.

        Returns
        -------
        ShiftDisplay
            The display itself.
        """
        training = _check(self.training_distances, "training_distances")
        new = None if self.distances is None else _check(self.distances, "distances")
        everything = training if new is None else np.concatenate([training, new])
        edges = _edges(everything, self.threshold, bins)
        ax = get_axes(ax)
        label = f"training, held out ({len(training):,})"
        ax.stairs(_shares(training, edges), edges, fill=True, color=BLUE, alpha=0.75, label=label)
        if new is not None:
            n_flagged = int((new > self.threshold).sum())
            label = f"{name} ({len(new):,}; {n_flagged:,} flagged)"
            ax.stairs(_shares(new, edges), edges, color=VERMILION, linewidth=1.5, label=label)
        ax.axvline(
            self.threshold,
            color="black",
            linestyle="--",
            linewidth=1.5,
            label=f"threshold {number(self.threshold, 2)}",
        )
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(_tick_label)
        ax.xaxis.set_minor_formatter(_tick_label)
        ax.set(xlabel="Distance from the training cohort", ylabel="Share of samples")
        ax.set_ylim(bottom=0)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
        clean(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _check(distances: Any, name: str) -> np.ndarray:
    distances = check_array(distances, ensure_2d=False, dtype=np.float64, input_name=name).ravel()
    if (distances < 0).any():
        raise ValueError(f"{name} must not be negative; found {distances.min():.4g}.")
    return distances


def _tick_label(value: float, _: int) -> str:
    """Return the value as a plain number; an empty text for ticks that are too close together."""
    return f"{value:g}" if f"{value:e}"[0] in "1235" else ""


def _edges(distances: np.ndarray, threshold: float, bins: int) -> np.ndarray:
    """Return edges from the nearest to the farthest sample, so that the threshold is visible."""
    positive = [*distances[distances > 0], threshold]
    return np.geomspace(0.95 * min(positive), 1.05 * max(positive), bins + 1)


def _shares(distances: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the fraction of samples in each bin; the first bin includes distances of zero."""
    counts, _ = np.histogram(np.maximum(distances, edges[0]), edges)
    return counts / len(distances)
