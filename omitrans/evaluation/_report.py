"""A comparison of models as one HTML page."""

import base64
import sys
import tempfile
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from html import escape
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import pandas as pd

from omitrans.evaluation._displays import (
    GenePredictionDisplay,
    ModelComparisonDisplay,
    R2HistogramDisplay,
)
from omitrans.evaluation._report_page import PAGE
from omitrans.metrics._regression import ERROR_METRICS, METRIC_LABELS
from omitrans.utils._optional import import_optional

_MAIN = "median_r2_per_feature"
_COSTS = {
    "fit_seconds": "Fit, seconds",
    "predict_seconds": "Predict, seconds",
    "peak_memory_mib": "Peak memory of the fit, MiB",
}
_PACKAGES = ("omitrans", "numpy", "pandas", "scikit-learn", "torch")


def comparison_report(
    comparison: Any, path: str | Path, *, title: str = "Comparison of models", Y: Any = None
) -> Path:
    """Write tables and figures of a comparison to one HTML page that needs nothing beside itself.

    Parameters
    ----------
    comparison : ModelComparison
        What :func:`omitrans.model_selection.compare_models` returned.
    path : str or pathlib.Path
        The file.
    title : str, default="Comparison of models"
        Its heading.
    Y : DataFrame or array-like of shape (n_samples, n_targets), default=None
        The real profiles that were compared with. With them, and with predictions kept
        (``return_predictions=True``), the page shows how well the genes are predicted.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    MissingDependencyError
        If matplotlib is absent.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import make_regression
    >>> from sklearn.dummy import DummyRegressor
    >>> from sklearn.linear_model import Ridge
    >>> from omitrans.evaluation import comparison_report
    >>> from omitrans.model_selection import compare_models
    >>> X, Y = make_regression(n_targets=4, random_state=0)
    >>> comparison = compare_models({"mean": DummyRegressor(), "ridge": Ridge()}, X, Y)
    >>> with TemporaryDirectory() as folder:
    ...     page = comparison_report(comparison, Path(folder) / "report.html")
    ...     page.name
    'report.html'
    """
    import_optional("matplotlib", extra="plot", purpose="draw the figures of the report")
    sections = [
        _section("Accuracy", _accuracy(comparison)),
        _section("Figures", _figures(comparison, Y)),
        _section("Are the differences more than chance?", _tests(comparison)),
        _section("Time and memory", _costs(comparison)),
    ]
    if len(comparison.errors):
        sections.insert(1, _section("What failed", _errors(comparison.errors)))
    page = Template(PAGE).substitute(
        title=escape(title),
        made=escape(_made(comparison)),
        body="\n".join(sections),
    )
    return _write(page, Path(path))


def _section(heading: str, body: str) -> str:
    return f"<section>\n<h2>{escape(heading)}</h2>\n{body}\n</section>"


def _made(comparison: Any) -> str:
    versions = [f"Python {sys.version.split()[0]}"]
    for package in _PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    results = comparison.results
    n_models, n_folds = results["model"].nunique(), results["fold"].nunique()
    when = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    return f"{n_models} models, {n_folds} folds. Written {when} with {', '.join(versions)}."


# --- tables ---


def _accuracy(comparison: Any) -> str:
    numbers, texts = comparison.summary(), comparison.summary(std=True)
    cells, labels = texts.copy(), {}
    for metric in texts.columns:
        lower = metric in ERROR_METRICS
        labels[metric] = f"{METRIC_LABELS.get(metric, metric)} {'↓' if lower else '↑'}"
        best = numbers[metric].min() if lower else numbers[metric].max()
        cells[metric] = [
            _cell(text, failed=np.isnan(value), best=value == best)
            for text, value in zip(texts[metric], numbers[metric], strict=True)
        ]
    note = (
        "Mean ± standard deviation over folds. ↓ lower is better, ↑ higher is better; ★ marks the "
        "best. R² compares with a constant: 1 is perfect, 0 no better than the average. Genes "
        "differ more from one another than samples do, so R² per sample is high for any model; "
        "read R² per feature first."
    )
    return _table(cells, labels, note, ready=True)


def _cell(text: str, *, failed: bool, best: bool) -> str:
    """Return a mean with its deviation in small below, so that nine of them fit on a page."""
    if failed:
        return "failed"
    mean, _, deviation = escape(text).partition(" ± ")
    mean = f"<strong>★ {mean}</strong>" if best else mean
    return f"{mean}<br><small>± {deviation}</small>"


def _tests(comparison: Any) -> str:
    try:
        table = comparison.tests(_MAIN)
    except ValueError as error:  # one model, one fold, or another set of metrics
        return f"<p>No test: {escape(str(error))}</p>"
    shown = pd.DataFrame(
        {
            "pair": table["model"].astype(str) + " − " + table["reference"].astype(str),
            "difference": table["difference"].map(_signed),
            "better": table["better"].fillna("–"),
            "p": table["p_value"].map(_p_value),
            "adjusted": table["p_adjusted"].map(_p_value),
        }
    ).set_index("pair")
    labels = {
        "difference": "Mean difference",
        "better": "Better",
        "p": "p",
        "adjusted": "p, adjusted",
    }
    note = (
        f"{METRIC_LABELS[_MAIN]}: t-test over folds, corrected for the overlap of their training "
        "samples (Nadeau and Bengio); adjusted for the number of pairs by Holm's method."
    )
    return _table(shown, labels, note)


def _costs(comparison: Any) -> str:
    results = comparison.results
    rows = results[results["metric"].isin(_COSTS)]
    if rows.empty:
        return "<p>Not measured.</p>"
    table = rows.pivot_table(index="model", columns="metric", values="value", sort=False)
    table = table.reindex(columns=[name for name in _COSTS if name in table.columns])
    note = "Means over folds, with other fits beside them if there were several processes."
    return _table(table.map(lambda value: f"{value:,.3g}"), _COSTS, note)


def _errors(errors: pd.DataFrame) -> str:
    shown = errors.set_index("model")[["fold", "error"]].astype(str)
    return _table(shown, {"fold": "Fold", "error": "Error"}, "These models have no means.")


def _table(frame: pd.DataFrame, labels: dict[str, str], note: str, *, ready: bool = False) -> str:
    """Return a table in a box that scrolls by itself; `ready` cells are HTML already."""
    keep: Callable[[Any], str] = str if ready else lambda cell: escape(str(cell))
    head = "".join(f'<th scope="col">{escape(labels.get(c, str(c)))}</th>' for c in frame.columns)
    rows = "\n".join(
        f'<tr><th scope="row">{escape(str(name))}</th>'
        + "".join(f"<td>{keep(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, cells in zip(frame.index, frame.to_numpy(), strict=True)
    )
    return (
        f'<p class="note">{escape(note)}</p>\n<div class="box" tabindex="0" role="region" '
        f'aria-label="Table"><table>\n<thead><tr><td></td>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def _signed(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:+.4f}".replace("-", "−")


def _p_value(value: float) -> str:
    if np.isnan(value):
        return "–"
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"


# --- figures ---


def _figures(comparison: Any, Y: Any) -> str:
    known = set(comparison.results["metric"])
    drawings = [
        _figure(
            partial(ModelComparisonDisplay.from_results, comparison.results, metric=metric),
            f"{METRIC_LABELS[metric]} of every model. A dot is a fold, a bar the mean.",
            height=1.4 + 0.45 * comparison.results["model"].nunique(),
        )
        for metric in (_MAIN, "mse")
        if metric in known
    ]
    if Y is not None and comparison.predictions:
        drawings += _prediction_figures(comparison, Y)
    return "\n".join(drawings)


def _prediction_figures(comparison: Any, Y: Any) -> Iterable[str]:
    """Draw the genes of the best model, on the samples that some fold tested."""
    best = comparison.summary()[_MAIN].idxmax()
    if not isinstance(best, str):
        return
    predicted = np.asarray(comparison.predictions[best])
    tested = np.isfinite(predicted.reshape(len(predicted), -1)).all(axis=1)
    if isinstance(Y, pd.DataFrame | pd.Series):
        Y, predicted = pd.DataFrame(Y)[tested], predicted[tested].reshape(tested.sum(), -1)
    else:
        Y, predicted = np.asarray(Y)[tested], predicted[tested]
    yield _figure(
        partial(R2HistogramDisplay.from_predictions, Y, predicted),
        f"R² of every gene over all test folds, model {best}.",
    )
    n_genes = min(6, np.shape(Y)[1] if np.ndim(Y) > 1 else 1)
    yield _figure(
        partial(GenePredictionDisplay.from_predictions, Y, predicted, n_genes=n_genes),
        f"Genes from the best to the worst predicted by {best}. A dot is a sample, dashed: "
        "prediction equals truth.",
        grid=(-(-n_genes // 3), min(3, n_genes)),
        height=3.2 * -(-n_genes // 3),
    )


def _figure(
    draw: Callable[..., Any],
    caption: str,
    *,
    grid: tuple[int, int] | None = None,
    height: float = 4.0,
) -> str:
    """Draw without pyplot, which would keep the figure, and return it as an image in text."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, height), layout="constrained")
    draw(ax=figure.subplots() if grid is None else figure.subplots(*grid, squeeze=False))
    content = BytesIO()
    figure.savefig(content, format="svg", metadata={"Date": None})
    source = base64.b64encode(content.getvalue()).decode()
    text = escape(caption, quote=True)
    return (
        f'<figure><img alt="{text}" src="data:image/svg+xml;base64,{source}">'
        f"<figcaption>{text}</figcaption></figure>"
    )


def _write(page: str, path: Path) -> Path:
    """Write beside the file and move it there, so that it is never half a page."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, suffix=".part", delete=False
    ) as file:
        unfinished = Path(file.name)
        try:
            file.write(page)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
    unfinished.chmod(0o644)
    return unfinished.replace(path)
