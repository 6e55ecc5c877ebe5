"""Report of a prediction and its reliability as one HTML page."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omitrans.exceptions import FeatureMismatchError
from omitrans.reports._page import PageTable, count, write_page
from omitrans.reports._prediction_figures import coverage_figure, shift_figure
from omitrans.reports._prediction_genes import genes_part, intervals_part, tabulate_genes
from omitrans.reports._prediction_samples import judge, samples_table
from omitrans.reports._prediction_summary import sentences, tiles
from omitrans.utils._interval_columns import split_columns
from omitrans.utils._optional import import_optional


def prediction_report(
    path: str | Path,
    predictions: pd.DataFrame,
    *,
    trust_card: Any = None,
    coverage: pd.DataFrame | None = None,
    shift: pd.DataFrame | None = None,
    model: Mapping[str, Any] | None = None,
    title: str = "Predicted expression",
) -> Path:
    """Write a report on the reliability of a prediction to one HTML page that needs no other files.

    Parameters
    ----------
    path : str or pathlib.Path
        Path of the HTML file to write.
    predictions : DataFrame
        Result of :func:`omitrans.predict_frame`: one row per sample, one column per gene, and with
        intervals also the columns ``GENE_lower`` and ``GENE_upper``.
    trust_card : TrustCard, default=None
        Trust card that says how well each gene is predicted. Without it the page cannot say which
        genes are reliable.
    coverage : DataFrame, default=None
        Report of an :class:`omitrans.preprocessing.ArrayHarmonizer` on the same samples. The report
        may hold samples that were refused and have no prediction.
    shift : DataFrame, default=None
        Report of an :class:`omitrans.trust.DomainShiftDetector` on the same samples.
    model : dict, default=None
        Facts about the model to list, as :func:`omitrans.inference.describe_model` returns them.
        ``target_unit`` is printed beside the values.
    title : str, default="Predicted expression"
        Heading of the page.

    Returns
    -------
    pathlib.Path
        Path of the written file.

    Raises
    ------
    MissingDependencyError
        If matplotlib is absent.
    FeatureMismatchError
        If the trust card holds none of the predicted genes, or a gene occurs more than once.
    SampleMismatchError
        If the tables cannot be joined by sample.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> from omitrans.reports import prediction_report
    >>> predictions = pd.DataFrame({"geneA": [1.0, 2.0], "geneB": [0.5, 0.4]}, ["s1", "s2"])
    >>> coverage = pd.DataFrame({"platform": "EPIC", "coverage": [0.9, 0.5]}, predictions.index)
    >>> coverage["status"] = ["ok", "refused"]
    >>> with TemporaryDirectory() as folder:
    ...     page = prediction_report(Path(folder) / "report.html", predictions, coverage=coverage)
    ...     page.name
    'report.html'
    """
    import_optional("matplotlib", extra="plot", purpose="draw the figures of the report")
    genes, bounded = _check_columns(predictions)
    samples = judge(predictions, coverage, shift)
    if model is not None and not isinstance(model, Mapping):
        raise TypeError(
            f"model must be a dict of facts; found {type(model).__name__}. "
            "Use omitrans.inference.describe_model(model)."
        )
    facts = dict(model or {})
    table = None
    if trust_card is not None:
        typical = None if coverage is None else float(samples["coverage"].median())
        table = tabulate_genes(genes, trust_card, typical)
        facts["trust"] = facts.get("trust") or trust_card.summary()
    trust = facts.get("trust") or {}
    unit = str(facts.get("target_unit") or trust.get("target_unit") or "")
    marked = None if coverage is None else samples["coverage"]
    rows, n_left_out = samples_table(samples)
    return write_page(
        path,
        "prediction.html",
        title=title,
        made=f"{count(len(samples), 'sample')}, {count(len(genes), 'gene')}.",
        tiles=tiles(samples, genes, table),
        sentences=sentences(samples, table, trust.get("min_r2")),
        samples=rows,
        n_samples_left_out=n_left_out,
        coverage_figure=None if coverage is None else coverage_figure(samples),
        shift_figure=None if shift is None else shift_figure(samples),
        genes=None if table is None else genes_part(table, predictions, trust_card, marked),
        intervals=intervals_part(predictions, bounded, table, unit),
        unit=unit,
        facts=PageTable(["Value"], [(name, [value]) for name, value in _flatten(facts)]),
    )


def _check_columns(predictions: pd.DataFrame) -> tuple[list, list]:
    if not isinstance(predictions, pd.DataFrame):
        raise TypeError(
            f"predictions must be a DataFrame; found {type(predictions).__name__}. "
            "Use omitrans.predict_frame."
        )
    if not predictions.columns.is_unique:
        twice = predictions.columns[predictions.columns.duplicated()][0]
        raise FeatureMismatchError(
            f"predictions has the column {twice!r} twice. Give every gene a name of its own."
        )
    if not predictions.size:
        raise ValueError(
            f"predictions has {len(predictions)} samples and {predictions.shape[1]} columns; "
            "a report needs at least one of each."
        )
    return split_columns(predictions)


def _flatten(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield facts as pairs of text; nested facts get both names, unless the names are equal."""
    for name, value in facts.items():
        if not isinstance(value, Mapping):
            yield _label(name), _say(value)
            continue
        for inner, part in value.items():
            if not (inner in facts and facts[inner] == part):
                label = _label(inner)
                yield f"{_label(name)}: {label[:1].lower()}{label[1:]}", _say(part)


def _label(name: Any) -> str:
    text = str(name).replace("_", " ").replace("r2", "R²")
    text = f"number of {text[2:]}" if text.startswith("n ") else text
    return text[:1].upper() + text[1:]


def _say(value: Any) -> str:
    """Return a fact as text, with long lists cut and numbers shortened."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_say(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        text = ", ".join(map(_say, value[:8]))
        return f"{text} and {len(value) - 8:,} more" if len(value) > 8 else text
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
