"""The result of a downstream report: one table, and what it means in words."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from omitrans.downstream._judgement import judge, sentences
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


@dataclass(frozen=True, eq=False, repr=False)
class DownstreamReport:
    """Result of :func:`downstream_report`.

    Parameters
    ----------
    frame : DataFrame
        One row per number. The columns are ``task``; ``setting`` ("test" or "union"); ``metric``;
        ``model`` (a name of `predictions`, a control, or "measured"); ``value``, of which more is
        better (but for ``log_rank_p``); ``lower`` and ``upper``, an interval of 95 % (over genes
        for gene lists, over folds for survival, over samples for clusters and classes); ``chance``,
        what a guess reaches; ``n_samples``; ``n_positive``, the genes to be found or the events;
        and ``note``, why a number is missing.
    controls : tuple of str
        Names of the controls.
    n_test, n_train : int
        Numbers of test and of training samples.

    Examples
    --------
    >>> import pandas as pd
    >>> from omitrans.downstream import DownstreamReport
    >>> frame = pd.DataFrame({"model": ["ridge", "mean"], "value": [0.9, 0.5], "lower": [0.8, 0.4]})
    >>> frame["upper"] = [0.95, 0.6]
    >>> frame = frame.assign(task="classes", setting="test", metric="auc", chance=0.5, note="")
    >>> print(DownstreamReport(frame, ("mean",), 50, 100).verdict)
    Classes (test), AUC: ridge (.900) is better than the best control, mean (.500).
    """

    frame: pd.DataFrame
    controls: tuple[str, ...]
    n_test: int
    n_train: int

    @property
    def judgements(self) -> pd.DataFrame:
        """Each model beside the best control, by the main number of each task.

        One row per task, setting and model, with the columns ``metric``; ``value``; ``control``,
        the name of the best control; ``control_value``; ``measured``, the same number for measured
        expression, NaN where there is none; ``verdict``, how the interval of the model lies to the
        value of the control ("is better than", "is worse than", "cannot be told from", "has no
        interval to compare with", or "is not judged against"); ``better``; and ``note``, why
        nothing can be judged.
        """
        return judge(self.frame, self.controls)

    @property
    def notes(self) -> pd.DataFrame:
        """What could not be done, and why: the rows of ``frame`` without a value."""
        missing = self.frame["note"].fillna("") != ""
        return self.frame.loc[missing, ["task", "setting", "model", "note"]]

    @property
    def verdict(self) -> str:
        """What the numbers mean, one sentence per task, setting and model."""
        return "\n".join(sentences(self.judgements, self.notes))

    def __repr__(self) -> str:
        return f"DownstreamReport of {self.n_test} test samples\n{self.verdict}"

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
