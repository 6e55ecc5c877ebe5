"""Figures of the prediction report: coverage, distances and widths of intervals."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from omitrans.displays._style import BLUE, ORANGE, VERMILION, clean, get_axes
from omitrans.reports._page import PageFigure, draw_figure


def coverage_figure(samples: pd.DataFrame) -> PageFigure:
    """Return the figure of coverage by platform."""
    platforms = samples["platform"].astype(object).where(samples["platform"].notna(), "–")
    samples = samples.assign(platform=platforms.map(str))
    return draw_figure(
        partial(_draw_coverage, samples),
        "Share of the model's probes that each sample holds, by the array it seems to come from. "
        "A dot is a sample. Missing probes are filled with values of the training cohort, which "
        "pulls predictions towards its average.",
        height=1.5 + 0.5 * samples["platform"].nunique(),
    )


def shift_figure(samples: pd.DataFrame) -> PageFigure:
    """Return the figure of distances from the training cohort."""
    return draw_figure(
        partial(_draw_shift, samples),
        "Distance of each sample from the training cohort. Flagged samples are farther away than "
        "nearly all samples of that cohort are from its others; ticks on the axis show them.",
        height=3.4,
    )


def widths_figure(
    widths: pd.Series, believed: pd.Series | None, unit: str, what: str
) -> PageFigure:
    """Return the figure of the half widths of intervals, one value per gene."""
    middle = f"{widths.median():.2f} {unit}".strip()
    return draw_figure(
        partial(_draw_widths, widths, believed, unit),
        f"{what} Half of the genes have one below {middle}. An interval that is as wide as the "
        "gene's differences between samples says little about a sample.",
        height=3.4,
    )


def _draw_coverage(samples: pd.DataFrame, ax: Any) -> None:
    platforms = samples["platform"]
    names = sorted(platforms.unique(), reverse=True)
    heights = platforms.map({name: place for place, name in enumerate(names)})
    jitter = (0.5 + 0.618034 * np.arange(len(samples))) % 1 - 0.5  # even, and the same every time
    styles = {"ok": ("o", BLUE), "low": ("^", ORANGE), "refused": ("X", VERMILION)}
    for status, (marker, color) in styles.items():
        rows = samples["status"].eq(status).to_numpy()
        if rows.any():
            ax.scatter(
                samples["coverage"][rows],
                (heights + 0.5 * jitter)[rows],
                marker=marker,
                color=color,
                s=16,
                alpha=0.7,
                linewidths=0,
                rasterized=len(samples) > 2000,
                label=f"{status} ({rows.sum():,})",
            )
    ax.set_yticks(range(len(names)), [name.replace("$", r"\$") for name in names])
    ax.set(xlabel="Share of the model's probes present", ylim=(-0.6, len(names) - 0.4))
    # at least a tenth of the axis: shares that hardly differ should not look different
    lowest = float(np.nanmin(samples["coverage"]))
    ax.set_xlim(max(-0.01, min(lowest - 0.01, 0.895)), 1.005)
    ax.xaxis.set_major_formatter("{x:.0%}")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)
    ax.grid(axis="x", color="0.92")
    ax.set_axisbelow(True)
    clean(ax)


def _draw_shift(samples: pd.DataFrame, ax: Any) -> None:
    distance = samples["distance"].to_numpy(dtype=float)
    distance = np.maximum(distance, 1e-3 * np.nanmax(distance))  # none is 0 on the log axis
    known, flagged = np.isfinite(distance), samples["shifted"].to_numpy()
    low, high = 0.9 * distance[known].min(), 1.1 * distance[known].max()
    groups = {"like the training cohort": distance[known & ~flagged]}
    groups["unlike it"] = distance[known & flagged]
    ax.hist(
        list(groups.values()),
        np.geomspace(low, high, min(40, 10 + int(known.sum() ** 0.5))),
        stacked=True,
        color=[BLUE, VERMILION],
        alpha=0.8,
        label=[f"{name} ({len(places):,})" for name, places in groups.items()],
    )
    places, at_bottom = groups["unlike it"], ax.get_xaxis_transform()
    ax.plot(places, np.zeros(len(places)), "|", color=VERMILION, markersize=9, transform=at_bottom)
    ax.set_xscale("log")
    ax.xaxis.get_major_locator().set_params(subs=(1, 2, 5))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.xaxis.set_minor_formatter("")
    ax.set(xlabel="Distance from the training cohort", ylabel="Number of samples", xlim=(low, high))
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    clean(ax)


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
