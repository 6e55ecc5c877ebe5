"""A prediction and how far to believe it as one HTML page."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omitrans.exceptions import FeatureMismatchError
from omitrans.reports import _html
from omitrans.reports._prediction_genes import (
    genes_section,
    intervals_section,
    tabulate_genes,
)
from omitrans.reports._prediction_samples import (
    coverage_section,
    judge,
    samples_section,
    shift_section,
)
from omitrans.reports._prediction_summary import summary_section
from omitrans.reports._prediction_texts import NOT_CLAIMED, READING
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
    """Write what to believe of a prediction to one HTML page that needs nothing beside itself.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.
    predictions : DataFrame
        What :func:`omitrans.predict_frame` gave: a row a sample, a column a gene, and with
        intervals the columns ``GENE_lower`` and ``GENE_upper``.
    trust_card : TrustCard, default=None
        How well each gene is predicted. Without it the page cannot tell which to believe.
    coverage : DataFrame, default=None
        Report of an :class:`omitrans.preprocessing.ArrayHarmonizer` on the same samples. It may
        hold samples that were refused and have no prediction.
    shift : DataFrame, default=None
        Report of an :class:`omitrans.trust.DomainShiftDetector` on the same samples.
    model : dict, default=None
        Facts to be listed, such as :func:`omitrans.inference.describe_model` gives. Its
        ``target_unit`` stands beside the values.
    title : str, default="Predicted expression"
        Its heading.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    MissingDependencyError
        If matplotlib is absent.
    FeatureMismatchError
        If the card has no predicted gene, or a gene occurs twice.
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
    sections = [
        summary_section(samples, genes, table, trust.get("min_r2")),
        samples_section(samples),
    ]
    if coverage is not None:
        sections.append(coverage_section(samples))
    if shift is not None:
        sections.append(shift_section(samples))
    if table is not None:
        marked = None if coverage is None else samples["coverage"]
        sections.append(genes_section(table, predictions, trust_card, marked, unit))
    sections += [
        intervals_section(predictions, bounded, table, unit),
        _model_section(facts),
        _html.section("How to read this page", READING),
        _html.section("What is not claimed", NOT_CLAIMED),
    ]
    made = f"{_html.count(len(samples), 'sample')}, {_html.count(len(genes), 'gene')}. "
    made += _html.written_with()
    return _html.write_page(
        path, title=title, made=made, sections=[part for part in sections if part]
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


def _model_section(model: Mapping[str, Any]) -> str:
    facts = dict(_flatten(model))
    if not facts:
        return ""
    shown = pd.DataFrame({"value": facts})
    return _html.section(
        "The model",
        _html.table(
            shown, {"value": "Value"}, "", corner="Fact", caption="The model", kind="prose"
        ),
    )


def _flatten(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give facts as pairs of text; those inside others get both names, unless they say the same."""
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
    """Return a fact as text: long lists cut, numbers short."""
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
