"""Samples of a prediction: reasons to doubt each sample, and their table."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from omitrans.exceptions import SampleMismatchError
from omitrans.reports._page import PageTable, fixed, p_value, percent

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
    """Return one row per sample: measurements, and one column of booleans per reason.

    Parameters
    ----------
    predictions : DataFrame
        Predictions with one row per sample.
    coverage, shift : DataFrame or None
        Reports of the harmonizer and of the shift detector on the same samples. Samples that were
        refused may be absent from the predictions.

    Returns
    -------
    DataFrame
        Samples in the order of the predictions, then the samples without prediction.
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
    """Sort samples by their most serious reason for doubt, then by coverage and p-value."""
    weights = 2 ** np.arange(len(REASONS))[::-1]
    gravity = samples[list(REASONS)].to_numpy(dtype=int) @ weights
    keys = [samples[name].to_numpy() for name in ("p_value", "coverage") if name in samples]
    return samples.iloc[np.lexsort([*keys, -gravity])]


def samples_table(samples: pd.DataFrame) -> tuple[PageTable, int]:
    """Return the table of the samples, the worst first, and the number of omitted samples."""
    shown = sort_worst_first(samples).head(MAX_ROWS)
    cells = pd.DataFrame(index=shown.index)
    cells["flag"] = pd.Series([_verdict(row) for _, row in shown.iterrows()], shown.index, object)
    if "platform" in shown:
        cells["platform"] = shown["platform"].map(_text)
    if "coverage" in shown:
        cells["coverage"] = shown["coverage"].map(partial(percent, digits=1))
        cells["status"] = shown["status"].map(_text)
    if "distance" in shown:
        cells["distance"] = shown["distance"].map(fixed)
        cells["p_value"] = shown["p_value"].map(p_value)
    return PageTable.of(cells, _LABELS), len(samples) - len(shown)


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
    """Return a mask of the rows that hold only NaN, reading some columns at a time."""
    empty = np.ones(len(predictions), dtype=bool)
    for start in range(0, predictions.shape[1], 256):
        empty &= predictions.iloc[:, start : start + 256].isna().to_numpy().all(axis=1)
        if not empty.any():
            break
    return empty


def _text(value: Any) -> str:
    return "–" if pd.isna(value) else str(value)


def _verdict(sample: pd.Series) -> dict[str, str] | str:
    """Return the reasons to doubt a sample, and how serious they are."""
    reasons = [text for name, text in REASONS.items() if sample[name]]
    if reasons:
        return {
            "kind": "doubt" if reasons == [REASONS["low"]] else "bad",
            "text": ", ".join(reasons),
        }
    checked = "coverage" in sample or "distance" in sample
    return {"kind": "good", "text": "no objection"} if checked else "not checked"
