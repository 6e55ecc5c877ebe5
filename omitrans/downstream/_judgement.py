"""Which models are better than trivial controls, and where nobody can tell."""

from typing import Any

import pandas as pd

from omitrans.displays._downstream import MEASURED, METRIC_NAMES

MAIN_METRICS = {
    "driving genes": "pr_auc_integral",
    "prognosis genes": "pr_auc_integral",
    "clusters": "ari",
    "survival": "harrell_c",
    "classes": "auc",
}
"""The number by which each task is judged in words."""
N_SIGNIFICANT = "n_significant"
BETTER, WORSE, OPEN, BARE, NONE = (
    "is better than",
    "is worse than",
    "cannot be told from",
    "has no interval to compare with",
    "is not judged against",
)
_MAX_SHARE = 0.9  # of positive genes, above which any ranking has a large area


def judge(frame: pd.DataFrame, controls: tuple[str, ...]) -> pd.DataFrame:
    """Return each model beside the best control, by the main number of each task.

    Parameters
    ----------
    frame : DataFrame
        The numbers of a report.
    controls : tuple of str
        Names of the controls.

    Returns
    -------
    DataFrame
        One row per task, setting and model, see
        :attr:`omitrans.downstream.DownstreamReport.judgements`.
    """
    rows = []
    main = frame[frame["metric"] == frame["task"].map(MAIN_METRICS)]
    for (task, setting), part in main.groupby(["task", "setting"], sort=False):
        values = part.set_index("model")
        known = values.loc[values.index.isin(controls), "value"].dropna()
        control = known.idxmax() if len(known) else "chance"
        level = known.max() if len(known) else values["chance"].max()
        why = _why_not(frame, str(task), str(setting), values)
        for model, found in values.iterrows():
            if model in (MEASURED, *controls):
                continue
            rows.append(
                {
                    "task": task,
                    "setting": setting,
                    "metric": MAIN_METRICS[str(task)],
                    "model": model,
                    "value": found["value"],
                    "control": control,
                    "control_value": level,
                    "measured": values["value"].get(MEASURED, float("nan")),
                    "verdict": NONE if why else _compared(found, level),
                    "better": not why and _compared(found, level) == BETTER,
                    "note": why,
                }
            )
    return pd.DataFrame(rows)


def _compared(found: pd.Series, level: float) -> str:
    """Compare the interval of a model with a value."""
    if pd.isna(found["lower"]):
        return BARE
    if found["lower"] > level:
        return BETTER
    return WORSE if found["upper"] < level else OPEN


def _why_not(frame: pd.DataFrame, task: str, setting: str, values: pd.DataFrame) -> str:
    """Return why a task tells nothing of any model; empty if it does."""
    if task.endswith("genes") and (values["chance"] > _MAX_SHARE).any():
        return (
            f"{values['chance'].max():.0%} of the genes are to be found, so that any ranking finds "
            "them: choose a stricter limit"
        )
    counts = frame[
        (frame["task"] == task) & (frame["setting"] == setting) & (frame["metric"] == N_SIGNIFICANT)
    ]
    if len(counts) and counts["value"].iloc[0] == 0:
        return (
            "measured expression itself finds no gene at the false discovery rate that was asked, "
            "so that there is nothing to find again"
        )
    return ""


def sentences(judgements: pd.DataFrame, notes: pd.DataFrame) -> list[str]:
    """Return what the numbers mean.

    Parameters
    ----------
    judgements : DataFrame
        Result of :func:`judge`.
    notes : DataFrame
        Rows of a report that say why a number is missing.

    Returns
    -------
    list of str
        One sentence per task, setting and model, then one for each task that could not be done.
    """
    found = [_sentence(each) for each in judgements.itertuples()]
    undone = notes[notes["model"] == MEASURED].drop_duplicates(["task", "setting"])
    found += [f"{_place(each)}: not done. {each.note}" for each in undone.itertuples()]
    return found or ["No task could be judged; the notes of the table say why."]


def _sentence(found: Any) -> str:
    metric = METRIC_NAMES.get(found.metric, found.metric)
    name = "chance" if found.control == "chance" else f"the best control, {found.control}"
    model = f"{found.model} ({_short(found.value)})"
    level = "" if pd.isna(found.control_value) else f" ({_short(found.control_value)})"
    why = f": {found.note}" if found.note else ""
    return f"{_place(found)}, {metric}: {model} {found.verdict} {name}{level}{why}."


def _place(found: Any) -> str:
    return f"{str(found.task).capitalize()} ({found.setting})"


def _short(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.3f}"
