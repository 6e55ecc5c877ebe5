"""Report of an audit of synthetic expression as one HTML page."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from omitrans.displays import GeneCorrelationDisplay, SyntheticEmbeddingDisplay
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
    "utility": "Classifiers that learn from synthetic samples, or (reference) from real training "
    "samples, and are tested on real ones. The interval is two standard deviations over fits.",
    "discrimination": "Classifiers that tell synthetic from real test samples: an AUC of 0.5 is "
    "perfect. The reference tells training from test samples.",
    "memorisation": "Distances of synthetic samples to training samples, beside those of test "
    "samples. Copies are nearer to a training sample than any real sample is.",
    "attribute privacy": "How much better the table tells covariates, or unknown genes, of "
    "training samples than of test samples to someone who knows half of their genes. 0 is perfect.",
    "samples": "Number of synthetic and (reference) of test samples of each level.",
    "recall": "Share of the test samples of a level that have a synthetic neighbour, and "
    "(reference) a neighbour among the training samples.",
    "precision": "Share of the synthetic samples of a level that have a neighbour among the test "
    "samples.",
    "gene clusters": "Clusters of genes in synthetic and in test expression, matched one to one. "
    "The reference clusters the training samples.",
    "gene correlations": "Scores of the correlations between genes against those in the test "
    "samples: s_dist compares all pairs, s_dend dendrograms, s_tf_tg and s_tg_tg the edges of the "
    "network. 1 is best, but for s_sdcc, where it is 0. The reference are the training samples.",
    "genes": "Distribution of each gene. The reference compares training with test samples.",
}
_DRAWN = {"utility, macro AUC": "Macro AUC of each covariate", "recall": "Recall of each level"}


def audit_report(
    audit: Any, path: str | Path, *, title: str = "Audit of synthetic expression"
) -> Path:
    """Write an audit of synthetic expression to one HTML page that needs no other files.

    Parameters
    ----------
    audit : SyntheticAudit
        Result of :func:`omitrans.generation.audit_synthetic`.
    path : str or pathlib.Path
        Path of the HTML file to write.
    title : str, default="Audit of synthetic expression"
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
    >>> import numpy as np
    >>> import pandas as pd
    >>> from omitrans.generation import audit_synthetic
    >>> from omitrans.reports import audit_report
    >>> rng = np.random.default_rng(0)
    >>> covariates = pd.DataFrame({"tissue": ["liver", "lung"] * 20})
    >>> tables = [pd.DataFrame(rng.normal(size=(40, 6))).add_prefix("gene") for _ in range(3)]
    >>> train, test, synthetic = tables
    >>> audit = audit_synthetic(
    ...     train, covariates, test, covariates, synthetic, classifier="logistic", random_state=0
    ... )
    >>> with TemporaryDirectory() as folder:
    ...     audit_report(audit, Path(folder) / "audit.html").name
    'audit.html'
    """
    import_optional("matplotlib", extra="plot", purpose="draw the figures of the report")
    kinds = audit.frame["check"].str.split(",").str[0]
    sections = [
        {"heading": kind.capitalize(), "note": _NOTES[kind], "table": _table(audit.frame, rows)}
        for kind, rows in kinds.groupby(kinds, sort=False).groups.items()
    ]
    n = audit.n_samples
    return write_page(
        path,
        "audit.html",
        title=title,
        made=f"{count(n['synthetic'], 'synthetic sample')}, {n['train']:,} real training samples "
        f"and {n['test']:,} real test samples.",
        verdict=audit.verdict,
        sections=sections,
        figures=[*_figures(audit.frame), *_maps(audit.sketch)],
    )


def _table(frame: pd.DataFrame, rows: Any) -> PageTable:
    part = frame.loc[rows]
    digits = 0 if (part["check"] == "samples").all() else 3
    cells = pd.DataFrame(
        {
            "Value": part["value"].map(partial(fixed, digits=digits)),
            "Reference": part["reference"].map(partial(fixed, digits=digits)),
            "95 % interval": list(map(interval, part["low"], part["high"])),
            "Verdict": part["verdict"].replace("", "–"),
        }
    )
    cells.index = pd.Index(_names(part))
    return PageTable.of(cells)


def _names(part: pd.DataFrame) -> list[str]:
    """Return the check where it says more than the heading, the target and the level."""
    names = []
    for check, target, level in part[["check", "target", "level"]].itertuples(index=False):
        measure = check.partition(", ")[2]
        name = f"{target}={level}" if level else str(target)
        names.append(f"{name}, {measure}" if measure else name)
    return names


def _figures(frame: pd.DataFrame) -> Iterator[PageFigure]:
    for check, caption in _DRAWN.items():
        part = frame[frame["check"] == check].head(40)
        if len(part):
            yield draw_figure(
                partial(_draw, part),
                f"{caption}: synthetic samples (filled) and real training samples (open).",
                height=1.2 + 0.3 * len(part),
            )


def _maps(sketch: Any) -> Iterator[PageFigure]:
    """Draw the samples and the correlations of the most variable genes, if they are known."""
    if sketch is None:
        return
    n_panels = sketch.labels.shape[1]
    samples = SyntheticEmbeddingDisplay(places=sketch.places, labels=sketch.labels, method="pca")
    n_rows = -(-n_panels // 2)
    yield draw_figure(
        partial(_fill, samples),
        "Map of real test samples and of synthetic ones, by the first two principal components of "
        "both. Good samples lie among real ones of the same level.",
        grid=(n_rows, 2),
        height=2.9 * n_rows,
    )
    genes = GeneCorrelationDisplay(sketch.correlations)
    n_genes = len(next(iter(sketch.correlations.values())))
    yield draw_figure(
        partial(_fill, genes),
        f"Correlations of the {n_genes} most variable genes, in the order of the first dendrogram, "
        "and the dendrogram of each table.",
        grid=(2, 2),
        height=6.6,
    )


def _fill(display: Any, ax: Any) -> None:
    """Draw a display on some axes, and remove the axes that it leaves empty."""
    display.plot(ax)
    for panel in ax.flat:
        if not panel.has_data() and not panel.images:
            panel.remove()


def _draw(part: pd.DataFrame, ax: Any) -> None:
    names, places = _names(part), range(len(part))
    ax.hlines(places, part["value"], part["reference"], color="0.7", zorder=1)
    ax.scatter(part["reference"], places, facecolor="white", edgecolor="C0", zorder=2)
    ax.scatter(part["value"], places, color="C0", zorder=3)
    ax.set_yticks(places, [name.partition(", ")[0] for name in names])
    ax.invert_yaxis()
    ax.set_xlim(-0.02, 1.02)
