"""The genes of a prediction: which can be believed, and their part of the report."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from omitrans.displays import CoverageCurveDisplay, R2HistogramDisplay
from omitrans.displays._style import BLUE, VERMILION, clean, get_axes
from omitrans.exceptions import FeatureMismatchError
from omitrans.reports import _html
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
_SEARCH = """\
<p class="search" hidden><label>Find a gene: <input type="search" id="gene-search"
 autocomplete="off" spellcheck="false"></label> <span id="gene-count" role="status"></span></p>"""
_SCRIPT = """\
<script>
(function () {
  var box = document.getElementById("gene-search");
  var count = document.getElementById("gene-count");
  var rows = document.querySelectorAll("#all-genes tbody tr");
  box.closest("p").hidden = false;
  box.addEventListener("input", function () {
    var wanted = box.value.trim().toLowerCase(), found = 0;
    rows.forEach(function (row) {
      var hit = row.cells[0].textContent.toLowerCase().indexOf(wanted) >= 0;
      row.hidden = !hit;
      found += hit;
    });
    count.textContent = wanted ? found + " found" : "";
  });
}());
</script>"""


def tabulate_genes(genes: list, card: Any, coverage: float | None) -> pd.DataFrame:
    """Return what the trust card says of the predicted genes, the best first.

    Parameters
    ----------
    genes : list
        The predicted genes.
    card : TrustCard
        The card of the model.
    coverage : float or None
        Share of probes that the samples at hand hold, for the R² to be expected of them.

    Returns
    -------
    DataFrame
        The card's columns and ``expected``, indexed by gene.
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


def genes_section(
    table: pd.DataFrame, predictions: pd.DataFrame, card: Any, coverage: Any, unit: str
) -> str:
    """Return tables and figures of how well the genes are predicted."""
    parts = [_histogram(table), _curve(card, table, coverage)]
    best = table[table["predictable"]].head(N_BEST)
    if len(best):
        text = f"The {len(best)} best predicted genes. " + _explain(unit)
        parts.append("<h3>Best predicted genes</h3>")
        parts.append(_gene_table(best, predictions, text))
    text = "All genes, the best first."
    if len(table) > MAX_ROWS:
        text = (
            f"The {MAX_ROWS:,} best of {len(table):,} genes. The others are in the predictions "
            "and in the model's trust card."
        )
    everything = _gene_table(table.head(MAX_ROWS), predictions, text, kind="tall")
    parts += [
        "<h3>Every gene</h3>",
        "<details open>" if len(table) <= 50 else "<details>",
        f"<summary>Table of {min(len(table), MAX_ROWS):,} genes</summary>",
        _SEARCH,
        f'<div id="all-genes">{everything}</div>',
        "</details>",
        _SCRIPT,
    ]
    return _html.section("Genes", *parts)


def intervals_section(
    predictions: pd.DataFrame, bounded: list, table: pd.DataFrame | None, unit: str
) -> str:
    """Return the figure of the half widths of intervals."""
    heading = "Width of the intervals"
    if bounded:
        widths = _half_widths(predictions, bounded)
        what = "Half widths of the intervals of this prediction, the mean over samples."
    elif table is not None:
        widths = table["half_width"]
        what = "Half widths of 90% intervals, by the trust card."
    else:
        return ""
    widths = widths[np.isfinite(widths)]  # infinite if too few samples were in the folds
    if not len(widths):
        return _html.section(heading, "<p>No gene has samples enough for an interval.</p>")
    believed = table["predictable"].reindex(widths.index) if table is not None else None
    middle = f"{widths.median():.2f} {unit}".strip()
    caption = (
        f"{what} Half of the genes have one below {middle}. An interval that is "
        "as wide as the gene's differences between samples says little about a sample."
    )
    return _html.section(
        heading,
        _html.figure(partial(_draw_widths, widths, believed, unit), caption, height=3.4),
    )


def _half_widths(predictions: pd.DataFrame, bounded: list) -> pd.Series:
    """Return the mean half width of every gene with bounds, gene by gene to spare memory."""
    widths = {}
    for gene in bounded:
        lower, upper = limits(predictions, gene)
        widths[gene] = float((upper - lower).mean()) / 2
    return pd.Series(widths, dtype=float)


def _explain(unit: str) -> str:
    return (
        "R²: cross-validated in the training cohort; expected here: at the probes that these "
        "samples hold. Slope: 1 is ideal, below 1 differences are exaggerated. Half width: of a "
        f"90% interval{unit and f', in {unit}'}. Lowest and highest: of these samples."
    )


def _gene_table(
    table: pd.DataFrame, predictions: pd.DataFrame, text: str, *, kind: str = ""
) -> str:
    values = predictions[list(table.index)]
    cells = pd.DataFrame({"believed": np.where(table["predictable"], "yes", "no")}, table.index)
    cells["r2"] = table["r2"].map(_html.fixed)
    if "expected" in table:
        cells["expected"] = table["expected"].map(_html.fixed)
    cells["n_samples"] = table["n_samples"].map(partial(_html.fixed, digits=0))
    cells["calibration_slope"] = table["calibration_slope"].map(_html.fixed)
    cells["half_width"] = table["half_width"].map(_html.fixed)
    cells["mean"] = values.mean().map(_html.fixed)
    cells["low"], cells["high"] = values.min().map(_html.fixed), values.max().map(_html.fixed)
    return _html.table(cells, _LABELS, text, corner="Gene", caption="Genes", kind=kind)


def _histogram(table: pd.DataFrame) -> str:
    r2 = table["r2"].dropna()
    if not len(r2):
        return "<p>The trust card holds no R² of these genes.</p>"
    caption = (
        "Cross-validated R² of the genes in the training cohort: the share of a gene's differences "
        "between samples that the model finds. 0 is no better than the average for everyone."
    )
    return _html.figure(
        partial(R2HistogramDisplay(r2=r2, axis="gene").plot, bins=min(30, 5 + int(len(r2) ** 0.5))),
        caption,
    )


def _curve(card: Any, table: pd.DataFrame, coverage: Any) -> str:
    if not card.coverage_curve.notna().to_numpy().any():
        return ""
    good_only = bool(card.genes["predictable"].any())
    which = "genes that can be believed" if good_only else "genes"
    draw = partial(
        CoverageCurveDisplay.from_trust_card, card, coverage=coverage, predictable_only=good_only
    )
    caption = f"R² of the {which} as probes go missing, tried in the training cohort."
    if coverage is not None:
        caption += " Ticks on the axis are these samples, the dotted line is their median."
    return _html.figure(draw, caption)


def _draw_widths(widths: pd.Series, believed: pd.Series | None, unit: str, ax: Any) -> None:
    top = np.quantile(widths, 0.995)
    n_bins = min(40, 5 + int(len(widths) ** 0.5))
    edges = np.histogram_bin_edges(widths.clip(upper=top), bins=n_bins)
    groups = {"genes": np.ones(len(widths), dtype=bool)}
    if believed is not None:
        mask = believed.eq(True).to_numpy()
        groups = {"genes that can be believed": mask, "others": ~mask}
    ax = get_axes(ax)
    ax.hist(
        [widths[rows].clip(upper=top) for rows in groups.values()],
        edges,
        stacked=True,
        color=[BLUE, "0.75"][: len(groups)],
        label=[f"{name} ({rows.sum():,})" for name, rows in groups.items()],
    )
    middle = widths.median()
    ax.axvline(middle, color=VERMILION, linewidth=1.5, label=f"median {middle:.2f}")
    ax.set(xlabel=f"Half width{unit and f', {unit}'}", ylabel="Number of genes", xlim=(0, None))
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)
    clean(ax)
