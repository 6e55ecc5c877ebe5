"""Plot of how R² falls when probes are missing."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from omitrans.displays._style import BLUE, COLORS, GREY, clean, get_axes
from omitrans.exceptions import FeatureMismatchError


class CoverageCurveDisplay:
    """Expected R² of the genes against the fraction of the model's probes that are present.

    A line shows the median of the genes and a band shows the quartiles; genes of interest have
    their own lines. Newer arrays lack some of the probes that a model reads: the curve shows how
    much accuracy that costs.

    Parameters
    ----------
    curve : DataFrame of shape (n_coverages, n_genes)
        R² of each gene, indexed by coverage from 0 to 1.
    named : DataFrame of shape (n_coverages, n_named), default=None
        R² of the genes that are drawn as single lines, indexed by coverage.
    coverage : array-like of shape (n_samples,), default=None
        Coverage of samples to mark: a tick on the axis for each sample, a line for their median.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes that hold the drawing.
    figure_ : matplotlib Figure
        Figure that holds the axes.

    See Also
    --------
    R2HistogramDisplay : R² with all probes.
    omitrans.preprocessing.ArrayHarmonizer : Its method ``report`` measures the coverage of samples.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.displays import CoverageCurveDisplay
    >>> curve = pd.DataFrame(
    ...     {"geneA": [0.7, 0.6, 0.2], "geneB": [0.5, 0.4, 0.3]}, index=[1.0, 0.8, 0.5]
    ... )
    >>> CoverageCurveDisplay(curve, named=curve[["geneA"]], coverage=[0.88, 0.92]).plot()
    <...CoverageCurveDisplay object at ...>
    """

    def __init__(
        self, curve: pd.DataFrame, *, named: pd.DataFrame | None = None, coverage: Any = None
    ) -> None:
        self.curve = curve
        self.named = named
        self.coverage = coverage

    @classmethod
    def from_trust_card(
        cls,
        card: Any,
        *,
        genes: Sequence[Any] | None = None,
        coverage: Any = None,
        predictable_only: bool = False,
        ax: Any = None,
    ) -> "CoverageCurveDisplay":
        """Draw the curve that a trust card holds.

        Parameters
        ----------
        card : TrustCard
            The trust card of a fitted model.
        genes : sequence of str, default=None
            Genes to draw as single lines beside the median.
        coverage : array-like of shape (n_samples,), default=None
            Coverage of samples to mark, such as the column ``coverage`` of
            :meth:`omitrans.preprocessing.ArrayHarmonizer.report`.
        predictable_only : bool, default=False
            Whether the median and the band use only the genes that the card calls predictable.
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        CoverageCurveDisplay
            The display.

        Raises
        ------
        FeatureMismatchError
            If the card does not hold one of `genes`.
        ValueError
            If `predictable_only` is True and no gene is predictable.
        """
        curve = card.coverage_curve
        _check_genes(genes or (), curve.columns)
        named = None if genes is None else curve[list(genes)]
        if predictable_only:
            predictable = card.genes["predictable"]
            curve = curve[predictable.index[predictable.to_numpy(dtype=bool)]]
            if curve.empty:
                raise ValueError("The card calls no gene predictable. Use predictable_only=False.")
        return cls(curve, named=named, coverage=coverage).plot(ax)

    def plot(self, ax: Any = None) -> "CoverageCurveDisplay":
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None draws a new figure.

        Returns
        -------
        CoverageCurveDisplay
            The display itself.
        """
        curve = self.curve.dropna(how="all").dropna(axis=1, how="all").sort_index()
        if curve.empty:
            raise ValueError("The curve holds no number; there is nothing to draw.")
        low, middle, high = np.nanquantile(curve.to_numpy(), (0.25, 0.5, 0.75), axis=1)
        places = curve.index.to_numpy(dtype=float)
        ax = get_axes(ax)
        if self.coverage is not None:
            _mark_samples(ax, np.asarray(self.coverage, dtype=float))
        ax.fill_between(places, low, high, color=BLUE, alpha=0.2, linewidth=0, label="quartiles")
        ax.plot(
            places,
            middle,
            "o-",
            color=BLUE,
            markersize=4,
            label=f"median of {curve.shape[1]:,} genes",
        )
        if self.named is not None:
            _draw_named(ax, self.named.sort_index())
        ax.axhline(0, color=GREY, linewidth=0.8, linestyle="--", zorder=1)
        ax.set(xlabel="Share of the model's probes present", ylabel="R² per gene")
        ax.xaxis.set_major_formatter("{x:.0%}")
        ax.margins(x=0.02)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
        clean(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _draw_named(ax: Any, curve: pd.DataFrame) -> None:
    for i, (gene, r2) in enumerate(curve.items()):
        name = str(gene).replace("$", r"\$")  # a dollar sign begins mathematics
        color = COLORS[1 + i % (len(COLORS) - 1)]
        ax.plot(curve.index, r2, ".--", color=color, linewidth=1.2, label=name)


def _mark_samples(ax: Any, coverage: np.ndarray) -> None:
    coverage = coverage[np.isfinite(coverage)]
    if len(coverage):
        middle = np.median(coverage)
        at_bottom = ax.get_xaxis_transform()
        ax.plot(coverage, np.zeros(len(coverage)), "|", color="0.35", ms=9, transform=at_bottom)
        ax.axvline(middle, color="black", linestyle=":", label=f"these samples: {middle:.0%}")


def _check_genes(genes: Iterable[Any], known: pd.Index) -> None:
    unknown = [gene for gene in genes if gene not in known]
    if unknown:
        raise FeatureMismatchError(
            f"genes holds {len(unknown)} that the trust card lacks (first: {unknown[0]!r}). "
            f"Its genes are {', '.join(map(repr, known[:3]))}, ..."
        )
