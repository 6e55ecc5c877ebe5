"""Genes of a prediction: how reliable they are, and their part of the report."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from omitrans.displays import CoverageCurveDisplay, R2HistogramDisplay
from omitrans.exceptions import FeatureMismatchError
from omitrans.reports._page import PageFigure, PageTable, draw_figure, fixed
from omitrans.reports._prediction_figures import widths_figure
from omitrans.utils._interval_columns import limits

MAX_ROWS = 2000
N_BEST = 20
_LABELS = {
    "believed": "Believed",
    "r2": "R²",
    "expected": "R² expected here",
    "n_samples": "Samples tested",
    "calibration_slope": "Slope",
    "half_width": "Half width",
    "mean": "Mean here",
    "low": "Lowest here",
    "high": "Highest here",
}


def tabulate_genes(genes: list, card: Any, coverage: float | None) -> pd.DataFrame:
    """Return the rows of the trust card for the predicted genes, the best gene first.

    Parameters
    ----------
    genes : list
        Names of the predicted genes.
    card : TrustCard
        Trust card of the model.
    coverage : float or None
        Fraction of probes that the samples hold, from which the expected R² follows.

    Returns
    -------
    DataFrame
        Columns of the trust card and the column ``expected``, indexed by gene.
    """
    table = card.genes.reindex(genes)
    if not card.genes.index.isin(genes).any():
        raise FeatureMismatchError(
            f"The trust card holds no gene of predictions ({genes[0]!r}, ...); its own are "
            f"{', '.join(map(repr, card.genes.index[:3]))}, .... Give the card of the model that "
            "predicted."
        )
    table["predictable"] = table["predictable"].eq(True)
    if coverage is not None and np.isfinite(coverage):
        table["expected"] = card.expected_r2(coverage).reindex(genes)
    return table.sort_values("r2", ascending=False, kind="stable")


def genes_part(
    table: pd.DataFrame, predictions: pd.DataFrame, card: Any, coverage: Any
) -> dict[str, Any]:
    """Return tables and figures of how well the genes are predicted, for the template."""
    figures = [_histogram(table), _curve(card, table, coverage)]
    return {
        "figures": [figure for figure in figures if figure is not None],
        "best": _gene_table(table[table["predictable"]].head(N_BEST), predictions),
        "every": _gene_table(table.head(MAX_ROWS), predictions),
        "number": len(table),
    }


def intervals_part(
    predictions: pd.DataFrame, bounded: list, table: pd.DataFrame | None, unit: str
) -> dict[str, Any] | None:
    """Return the figure of the half widths of intervals; None if they are not known."""
    if bounded:
        widths = _half_widths(predictions, bounded)
        what = "Half widths of the intervals of this prediction, the mean over samples."
    elif table is not None:
        widths = table["half_width"]
        what = "Half widths of 90% intervals, by the trust card."
    else:
        return None
    widths = widths[np.isfinite(widths)]  # infinite if too few samples were in the folds
    if not len(widths):
        return {"figure": None}
    believed = table["predictable"].reindex(widths.index) if table is not None else None
    return {"figure": widths_figure(widths, believed, unit, what)}


def _half_widths(predictions: pd.DataFrame, bounded: list) -> pd.Series:
    """Return the mean half width of each gene with bounds, gene by gene to save memory."""
    widths = {}
    for gene in bounded:
        lower, upper = limits(predictions, gene)
        widths[gene] = float((upper - lower).mean()) / 2
    return pd.Series(widths, dtype=float)


def _gene_table(table: pd.DataFrame, predictions: pd.DataFrame) -> PageTable:
    values = predictions[list(table.index)]
    cells = pd.DataFrame({"believed": np.where(table["predictable"], "yes", "no")}, table.index)
    cells["r2"] = table["r2"].map(fixed)
    if "expected" in table:
        cells["expected"] = table["expected"].map(fixed)
    cells["n_samples"] = table["n_samples"].map(partial(fixed, digits=0))
    cells["calibration_slope"] = table["calibration_slope"].map(fixed)
    cells["half_width"] = table["half_width"].map(fixed)
    cells["mean"] = values.mean().map(fixed)
    cells["low"], cells["high"] = values.min().map(fixed), values.max().map(fixed)
    return PageTable.of(cells, _LABELS)


def _histogram(table: pd.DataFrame) -> PageFigure | None:
    r2 = table["r2"].dropna()
    if not len(r2):
        return None
    caption = (
        "Cross-validated R² of the genes in the training cohort: the share of a gene's differences "
        "between samples that the model finds. 0 is no better than the average for everyone."
    )
    return draw_figure(
        partial(R2HistogramDisplay(r2=r2, axis="gene").plot, bins=min(30, 5 + int(len(r2) ** 0.5))),
        caption,
    )


def _curve(card: Any, table: pd.DataFrame, coverage: Any) -> PageFigure | None:
    if not card.coverage_curve.notna().to_numpy().any():
        return None
    good_only = bool(card.genes["predictable"].any())
    which = "genes that can be believed" if good_only else "genes"
    draw = partial(
        CoverageCurveDisplay.from_trust_card, card, coverage=coverage, predictable_only=good_only
    )
    caption = f"R² of the {which} as probes go missing, tried in the training cohort."
    if coverage is not None:
        caption += " Ticks on the axis are these samples, the dotted line is their median."
    return draw_figure(draw, caption)
