"""Report of what predicted expression is good for, as one HTML page."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from omitrans.displays import DownstreamDisplay
from omitrans.displays._downstream import METRIC_NAMES
from omitrans.reports._page import (
    PageFigure,
    PageTable,
    count,
    draw_figure,
    fixed,
    interval,
    write_page,
)
from omitrans.utils._optional import import_optional

_NOTES = {
    "driving genes": "Genes whose expression goes with one CpG, found by measured expression, and "
    "found again by predicted expression at the same CpG. Intervals are over genes.",
    "prognosis genes": "Genes that go with survival, found by measured expression, and found again "
    "by predicted expression. Intervals are over genes.",
    "clusters": "Clusters of samples by the genes that go with survival: agreement of clusters by "
    "predicted expression with clusters by measured expression. Such clusters follow subtypes, "
    "whether or not these fare differently: see the log-rank p, which is too small where genes "
    "were chosen by the same outcomes. Intervals are over samples.",
    "survival": "Survival predicted from many genes by Cox models, tested on held-out samples: "
    "concordance of risk and time. 0.5 is a guess. Intervals are over folds.",
    "classes": "A classifier that learned from measured training samples, tested on measured and "
    "on predicted test samples. Intervals are over test samples.",
}
_SETTINGS = {
    "test": "predicted test samples alone",
    "union": "predicted test samples together with measured training samples, as the TDimpute "
    "paper judges; a guess at the test samples scores high here too",
}


def downstream_page(
    report: Any, path: str | Path, *, title: str = "Use of predicted expression"
) -> Path:
    """Write a downstream report to one HTML page that needs no other files.

    Parameters
    ----------
    report : DownstreamReport
        Result of :func:`omitrans.downstream.downstream_report`.
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

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> from omitrans.downstream import DownstreamReport
    >>> from omitrans.reports import downstream_page
    >>> frame = pd.DataFrame(
    ...     [("clusters", "test", "ari", "ridge", 0.4), ("clusters", "test", "ari", "mean", 0.0)],
    ...     columns=["task", "setting", "metric", "model", "value"],
    ... ).assign(lower=[0.2, 0.0], upper=[0.6, 0.0], chance=0.0, note="")
    >>> with TemporaryDirectory() as folder:
    ...     downstream_page(
    ...         DownstreamReport(frame, ("mean",), 50, 100), Path(folder) / "use.html"
    ...     ).name
    'use.html'
    """
    import_optional("matplotlib", extra="plot", purpose="draw the figures of the report")
    sections = [
        {
            "heading": f"{str(task).capitalize()}, {setting}",
            "note": f"{_NOTES[str(task)]} Here: {_SETTINGS[str(setting)]}.",
            "table": _table(part),
        }
        for (task, setting), part in report.frame.groupby(["task", "setting"], sort=False)
    ]
    controls = ", ".join(report.controls)
    return write_page(
        path,
        "audit.html",
        title=title,
        made=f"{count(report.n_test, 'test sample')} and {report.n_train:,} training samples. "
        f"Controls, which know nothing of single genes: {controls}.",
        verdict=report.verdict,
        sections=sections,
        figures=list(_figures(report)),
    )


def _table(part: pd.DataFrame) -> PageTable:
    cells = pd.DataFrame(
        {
            "Score": part["metric"].replace(METRIC_NAMES).replace("", "–"),
            "Value": part["value"].map(partial(fixed, digits=3)),
            "95 % interval": list(map(interval, part["lower"], part["upper"])),
            "Chance": part["chance"].map(partial(fixed, digits=3)),
            "Note": part["note"].fillna("").replace("", "–"),
        }
    )
    cells.index = pd.Index(part["model"])
    return PageTable.of(cells)


def _figures(report: Any) -> Iterator[PageFigure]:
    frame = report.frame
    main = report.judgements
    for task, metric in dict(zip(main["task"], main["metric"], strict=True)).items():
        drawn = frame[(frame["task"] == task) & (frame["metric"] == metric)]
        if drawn["value"].isna().all():
            continue
        label = f"{task}: {METRIC_NAMES[metric]}"
        display = DownstreamDisplay(drawn, controls=report.controls, label=label)
        yield draw_figure(
            display.plot,
            f"{task.capitalize()}: models (filled), controls (open) and measured expression "
            "(square), with 95 % intervals; chance is dashed.",
            height=1.2 + 0.28 * len(drawn),
        )
