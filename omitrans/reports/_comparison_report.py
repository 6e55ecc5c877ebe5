"""A comparison of models as one HTML page."""

from collections.abc import Iterable
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omitrans.displays import (
    GenePredictionDisplay,
    ModelComparisonDisplay,
    R2HistogramDisplay,
)
from omitrans.metrics._regression import ERROR_METRICS, METRIC_LABELS
from omitrans.reports import _html
from omitrans.utils._optional import import_optional

_MAIN = "median_r2_per_feature"
_COSTS = {
    "fit_seconds": "Fit, seconds",
    "predict_seconds": "Predict, seconds",
    "peak_memory_mib": "Peak memory of the fit, MiB",
}


def comparison_report(
    comparison: Any, path: str | Path, *, title: str = "Comparison of models", Y: Any = None
) -> Path:
    """Write tables and figures of a comparison to one HTML page that needs nothing beside itself.

    Parameters
    ----------
    comparison : ModelComparison
        What :func:`omitrans.comparison.compare_models` returned.
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
    >>> from omitrans.reports import comparison_report
    >>> from omitrans.comparison import compare_models
    >>> X, Y = make_regression(n_targets=4, random_state=0)
    >>> comparison = compare_models({"mean": DummyRegressor(), "ridge": Ridge()}, X, Y)
    >>> with TemporaryDirectory() as folder:
    ...     page = comparison_report(comparison, Path(folder) / "report.html")
    ...     page.name
    'report.html'
    """
    import_optional("matplotlib", extra="plot", purpose="draw the figures of the report")
    sections = [
        _html.section("Accuracy", _accuracy(comparison)),
        _html.section("Figures", _figures(comparison, Y)),
        _html.section("Are the differences more than chance?", _tests(comparison)),
        _html.section("Time and memory", _costs(comparison)),
    ]
    if len(comparison.errors):
        sections.insert(1, _html.section("What failed", _errors(comparison.errors)))
    return _html.write_page(path, title=title, made=_made(comparison), sections=sections)


def _made(comparison: Any) -> str:
    results = comparison.results
    n_models, n_folds = results["model"].nunique(), results["fold"].nunique()
    return f"{n_models} models, {n_folds} folds. {_html.written_with()}"


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
    return _html.table(cells, labels, note, ready=True)


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
            "difference": table["difference"].map(_html.signed),
            "better": table["better"].fillna("–"),
            "p": table["p_value"].map(_html.p_value),
            "adjusted": table["p_adjusted"].map(_html.p_value),
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
    return _html.table(shown, labels, note)


def _costs(comparison: Any) -> str:
    results = comparison.results
    rows = results[results["metric"].isin(_COSTS)]
    if rows.empty:
        return "<p>Not measured.</p>"
    table = rows.pivot_table(index="model", columns="metric", values="value", sort=False)
    table = table.reindex(columns=[name for name in _COSTS if name in table.columns])
    note = "Means over folds, with other fits beside them if there were several processes."
    return _html.table(table.map(lambda value: f"{value:,.3g}"), _COSTS, note)


def _errors(errors: pd.DataFrame) -> str:
    shown = errors.set_index("model")[["fold", "error"]].astype(str)
    return _html.table(shown, {"fold": "Fold", "error": "Error"}, "These models have no means.")


# --- figures ---


def _figures(comparison: Any, Y: Any) -> str:
    known = set(comparison.results["metric"])
    drawings = [
        _html.figure(
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
    yield _html.figure(
        partial(R2HistogramDisplay.from_predictions, Y, predicted),
        f"R² of every gene over all test folds, model {best}.",
    )
    n_genes = min(6, np.shape(Y)[1] if np.ndim(Y) > 1 else 1)
    yield _html.figure(
        partial(GenePredictionDisplay.from_predictions, Y, predicted, n_genes=n_genes),
        f"Genes from the best to the worst predicted by {best}. A dot is a sample, dashed: "
        "prediction equals truth.",
        grid=(-(-n_genes // 3), min(3, n_genes)),
        height=3.2 * -(-n_genes // 3),
    )
