"""The result of an audit: one table, and what it means in words."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from omitrans.generation._sketch import AuditSketch
from omitrans.reports import audit_report

_POOR = {
    "utility": "A classifier that learns from synthetic samples does worse on real ones, for {}.",
    "discrimination": "Synthetic samples can be told from real ones ({}).",
    "memorisation": "The generator repeats training samples ({}). Do not share the table.",
    "attribute privacy": "The table tells more of training samples than of others ({}).",
    "recall": "Real samples of some conditions have no synthetic neighbour: {}.",
    "precision": "Synthetic samples of some conditions are far from all real ones: {}.",
    "gene clusters": "Genes cluster in another way than in real expression ({}).",
    "gene correlations": "Genes do not correlate as in real expression ({}).",
    "genes": "Single genes are distributed otherwise than in real expression ({}).",
}
_MAX_NAMED = 4


@dataclass(frozen=True)
class SyntheticAudit:
    """Result of :func:`audit_synthetic`.

    Parameters
    ----------
    frame : DataFrame
        One row per number, with the columns ``check``, ``target`` (what was measured, such as the
        covariate), ``level`` (of a covariate), ``value``, ``reference`` (the same number for real
        training samples, or what is expected without any fault), ``low`` and ``high`` (an interval
        of 95 %; NaN where there is none), and ``verdict`` ("good", "fair", "poor", or "" for
        numbers that are shown only).
    n_samples : dict of str to int
        Number of samples in each table.
    sketch : AuditSketch or None, default=None
        Correlations of some genes and a map of the samples, which the page draws.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from omitrans.generation import audit_synthetic
    >>> rng = np.random.default_rng(0)
    >>> covariates = pd.DataFrame({"tissue": ["liver", "lung"] * 20})
    >>> train, test = (
    ...     pd.DataFrame(rng.normal(size=(40, 6))).add_prefix("gene") for _ in range(2)
    ... )
    >>> audit = audit_synthetic(  # the training samples themselves as synthetic ones
    ...     train, covariates, test, covariates, train, classifier="logistic", random_state=0
    ... )
    >>> "repeats training samples" in audit.verdict
    True
    >>> audit.n_samples
    {'train': 40, 'test': 40, 'synthetic': 40}
    """

    frame: pd.DataFrame
    n_samples: dict[str, int]
    sketch: AuditSketch | None = field(default=None, repr=False, compare=False)

    @property
    def verdict(self) -> str:
        """One sentence for each check with a poor number; else that nothing was found."""
        poor = self.frame[self.frame["verdict"] == "poor"]
        kinds = poor["check"].str.split(",").str[0]
        sentences = []
        for kind, text in _POOR.items():
            rows = poor[kinds == kind]
            if len(rows):
                sentences.append(text.format(_listed(rows)))
        if not sentences:
            n_fair = int((self.frame["verdict"] == "fair").sum())
            more = f" {n_fair} numbers are only fair." if n_fair else ""
            return f"No check gives a poor result.{more}"
        return " ".join(sentences)

    def to_html(self, path: str | Path, *, title: str = "Audit of synthetic expression") -> Path:
        """Write the audit to one HTML page; see :func:`omitrans.reports.audit_report`.

        Parameters
        ----------
        path : str or pathlib.Path
            Path of the HTML file to write.
        title : str, default="Audit of synthetic expression"
            Heading of the page.

        Returns
        -------
        pathlib.Path
            Path of the written file.
        """
        return audit_report(self, path, title=title)


def _listed(rows: pd.DataFrame) -> str:
    """Return the targets of some rows, with their levels."""
    names: list[Any] = [
        f"{target}={level}" if level else target
        for target, level in zip(rows["target"], rows["level"], strict=True)
    ]
    names = list(dict.fromkeys(names))
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return ", ".join(names[:_MAX_NAMED]) + more
