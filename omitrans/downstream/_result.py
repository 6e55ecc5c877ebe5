"""The result of a downstream report: one table, and what it means in words."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from omitrans.reports import downstream_page

COLUMNS = [
    "task",
    "setting",
    "metric",
    "model",
    "value",
    "lower",
    "upper",
    "chance",
    "n_samples",
    "n_positive",
    "note",
]
MAIN_METRICS = {
    "driving genes": "pr_auc_integral",
    "prognosis genes": "pr_auc_integral",
    "clusters": "ari",
    "survival": "harrell_c",
    "classes": "accuracy",
}
"""The number by which each task is judged in words."""
MEASURED = "measured"


@dataclass(frozen=True, eq=False)
class DownstreamReport:
    """Result of :func:`downstream_report`.

    Parameters
    ----------
    frame : DataFrame
        One row per number. The columns are ``task``; ``setting`` ("test" or "union"); ``metric``;
        ``model`` (a name of `predictions`, a control, or "measured"); ``value``, of which more is
        better; ``lower`` and ``upper``, an interval of 95 % (over genes for gene lists, over folds
        for survival, over test samples for classes; NaN for clusters); ``chance``, what a guess
        reaches; ``n_samples``; ``n_positive``, the genes to be found or the events; and ``note``,
        why a number is missing.
    controls : tuple of str
        Names of the controls.
    n_test, n_train : int
        Numbers of test and of training samples.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.downstream import DownstreamReport
    >>> frame = pd.DataFrame({"model": ["ridge", "mean"], "value": [0.9, 0.5], "lower": [0.8, 0.4]})
    >>> frame = frame.assign(task="classes", setting="test", metric="accuracy", chance=0.5)
    >>> print(DownstreamReport(frame, ("mean",), 50, 100).verdict)
    Classes (test): ridge .900 is better than the best control, mean .500.
    """

    frame: pd.DataFrame
    controls: tuple[str, ...]
    n_test: int
    n_train: int

    main_metrics: ClassVar[dict[str, str]] = MAIN_METRICS

    @property
    def judgements(self) -> pd.DataFrame:
        """Each model beside the best control, by the main number of each task.

        One row per task, setting and model, with the columns ``value``, ``lower`` (the lower end
        of its interval), ``control`` (the name of the best control), ``control_value``,
        ``measured`` (the same number for measured expression; NaN where there is none) and
        ``better``: whether the interval of the model lies above the value of the control; for
        clusters, which have no interval, whether the value does. A model without an interval for
        another task, as with too few folds that have a concordance, is not better than a control.
        """
        rows = []
        main = self.frame[self.frame["metric"] == self.frame["task"].map(MAIN_METRICS)]
        for (task, setting), part in main.groupby(["task", "setting"], sort=False):
            values = part.set_index("model")
            controls = values.loc[values.index.isin(self.controls), "value"].dropna()
            best = controls.idxmax() if len(controls) else None
            level = controls.max() if len(controls) else values["chance"].max()
            for model, found in values.iterrows():
                if model in (MEASURED, *self.controls):
                    continue
                bound = found["value"] if task == "clusters" else found["lower"]
                rows.append(
                    {
                        "task": task,
                        "setting": setting,
                        "model": model,
                        "value": found["value"],
                        "lower": found["lower"],
                        "control": best,
                        "control_value": level,
                        "measured": values["value"].get(MEASURED, float("nan")),
                        "better": bool(bound > level),
                    }
                )
        return pd.DataFrame(rows)

    @property
    def verdict(self) -> str:
        """What the numbers mean, one sentence per task, setting and model."""
        if self.judgements.empty:
            return "No task could be judged; the notes of the table say why."
        return "\n".join(map(_sentence, self.judgements.itertuples()))

    def to_html(self, path: str | Path, *, title: str = "Use of predicted expression") -> Path:
        """Write the report to one HTML page that needs no other files.

        Parameters
        ----------
        path : str or pathlib.Path
            Path of the HTML file to write.
        title : str, default="Use of predicted expression"
            Heading of the page.

        Returns
        -------
        pathlib.Path
            Path of the written file.

        Raises
        ------
        MissingDependencyError
            If matplotlib is absent.
        """
        return downstream_page(self, path, title=title)


def _sentence(found: Any) -> str:
    control = "chance" if found.control is None else f"the best control, {found.control}"
    verb = "is better than" if found.better else "is no better than"
    if pd.isna(found.lower) and found.task != "clusters":
        verb = "has no interval to compare with"
    place = f"{found.task.capitalize()} ({found.setting})"
    level = "" if pd.isna(found.control_value) else f" {_short(found.control_value)}"
    return f"{place}: {found.model} {_short(found.value)} {verb} {control}{level}."


def _short(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.3f}"
