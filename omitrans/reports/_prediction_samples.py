"""The samples of a prediction: what speaks against each, and their part of the report."""

from functools import partial
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from omitrans.displays._style import BLUE, ORANGE, VERMILION, clean
from omitrans.exceptions import SampleMismatchError
from omitrans.reports import _html

MAX_ROWS = 100
REASONS = {  # from the gravest to the least
    "refused": "far too few probes",
    "missing": "no prediction",
    "shifted": "unlike the training cohort",
    "low": "few probes",
}
_LABELS = {
    "flag": "Verdict",
    "platform": "Platform",
    "coverage": "Probes present",
    "status": "Status",
    "distance": "Distance",
    "p_value": "p",
}


def judge(
    predictions: pd.DataFrame, coverage: pd.DataFrame | None, shift: pd.DataFrame | None
) -> pd.DataFrame:
    """Return a row a sample: measurements, and a column of booleans for every reason.

    Parameters
    ----------
    predictions : DataFrame
        A row a sample.
    coverage, shift : DataFrame or None
        Reports of the harmonizer and of the shift detector on the same samples. Samples that were
        refused need not be among the predictions.

    Returns
    -------
    DataFrame
        The samples in the order of the predictions, then those that lack one.
    """
    predicted = pd.DataFrame({"missing": _without_prediction(predictions)}, predictions.index)
    samples = _join([predicted, *(part for part in (coverage, shift) if part is not None)])
    samples["missing"] = samples["missing"].isna() | samples["missing"].eq(True)
    status = samples.get("status", pd.Series("", samples.index))
    shifted = samples.get("shifted", pd.Series(False, samples.index))
    samples["refused"], samples["low"] = status.eq("refused"), status.eq("low")
    samples["shifted"] = shifted.eq(True)
    # few probes make a prediction less certain, not wrong
    samples["distrusted"] = samples[[name for name in REASONS if name != "low"]].any(axis=1)
    return samples


def sort_worst_first(samples: pd.DataFrame) -> pd.DataFrame:
    """Order by the gravity of what speaks against a sample, then by coverage and p-value."""
    weights = 2 ** np.arange(len(REASONS))[::-1]
    gravity = samples[list(REASONS)].to_numpy(dtype=int) @ weights
    keys = [samples[name].to_numpy() for name in ("p_value", "coverage") if name in samples]
    return samples.iloc[np.lexsort([*keys, -gravity])]


def samples_section(samples: pd.DataFrame) -> str:
    """Return the table of samples, the worst first."""
    shown = sort_worst_first(samples).head(MAX_ROWS)
    n_left = len(samples) - len(shown)
    cells = pd.DataFrame({"flag": [_flag(row) for _, row in shown.iterrows()]}, shown.index)
    if "platform" in shown:
        cells["platform"] = shown["platform"].map(lambda name: escape(_text(name)))
    if "coverage" in shown:
        cells["coverage"] = shown["coverage"].map(partial(_html.percent, digits=1))
        cells["status"] = shown["status"].map(lambda name: escape(_text(name)))
    if "distance" in shown:
        cells["distance"] = shown["distance"].map(_html.fixed)
        cells["p_value"] = shown["p_value"].map(lambda value: escape(_html.p_value(value)))
    text = "The worst first."
    if n_left:
        text += f" {n_left:,} more samples are left out, none of them worse than the last shown."
    return _html.section(
        "Samples",
        _html.table(
            cells,
            _LABELS,
            text,
            corner="Sample",
            caption="Samples",
            ready=True,
            kind="tall verdict",
        ),
    )


def coverage_section(samples: pd.DataFrame) -> str:
    """Return the figure of coverage by platform."""
    caption = (
        "Share of the model's probes that each sample holds, by the array it seems to come from. "
        "A dot is a sample. Missing probes are filled with values of the training cohort, which "
        "pulls predictions towards its average."
    )
    n_platforms = samples["platform"].map(_text).nunique()
    return _html.section(
        "Probes present",
        _html.figure(partial(_draw_coverage, samples), caption, height=1.5 + 0.5 * n_platforms),
    )


def shift_section(samples: pd.DataFrame) -> str:
    """Return the figure of distances from the training cohort."""
    caption = (
        "Distance of each sample from the training cohort. Flagged samples are farther away than "
        "nearly all samples of that cohort are from its others; ticks on the axis show them."
    )
    return _html.section(
        "Likeness to the training cohort",
        _html.figure(partial(_draw_shift, samples), caption, height=3.4),
    )


def _join(parts: list[pd.DataFrame]) -> pd.DataFrame:
    if all(part.index.equals(parts[0].index) for part in parts):
        return pd.concat(parts, axis=1)
    for part in parts:
        if not part.index.is_unique:
            raise SampleMismatchError(
                "predictions, coverage and shift have other samples, and "
                f"{part.index[part.index.duplicated()][0]!r} occurs twice, so that they cannot "
                "be joined by name. Give every sample a name of its own."
            )
    if not all(part.index.isin(parts[0].index).any() for part in parts[1:]):
        raise SampleMismatchError(
            "coverage or shift has no sample of predictions. Report on what was predicted for."
        )
    return pd.concat(parts, axis=1)


def _without_prediction(predictions: pd.DataFrame) -> np.ndarray:
    """Tell which rows hold nothing but NaN, some columns at a time."""
    empty = np.ones(len(predictions), dtype=bool)
    for start in range(0, predictions.shape[1], 256):
        empty &= predictions.iloc[:, start : start + 256].isna().to_numpy().all(axis=1)
        if not empty.any():
            break
    return empty


def _text(value: Any) -> str:
    return "–" if pd.isna(value) else str(value)


def _flag(sample: pd.Series) -> str:
    reasons = [text for name, text in REASONS.items() if sample[name]]
    if not reasons:
        checked = "coverage" in sample or "distance" in sample
        return '<span class="good">no objection</span>' if checked else "not checked"
    kind = "doubt" if reasons == [REASONS["low"]] else "bad"
    return f'<span class="{kind}">{", ".join(reasons)}</span>'


def _draw_coverage(samples: pd.DataFrame, ax: Any) -> None:
    platforms = samples["platform"].map(_text)
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
