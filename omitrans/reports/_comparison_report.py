"""Report of a comparison of models as one HTML page."""

from collections.abc import Iterable
from functools import partial
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
from omitrans.reports._page import (
    PageFigure,
    PageTable,
    draw_figure,
    p_value,
    signed,
    write_page,
)
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
    """Write tables and figures of a comparison to one HTML page that needs no other files.

    Parameters
    ----------
    comparison : ModelComparison
        Result of :func:`omitrans.comparison.compare_models`.
    path : str or pathlib.Path
        Path of the HTML file to write.
    title : str, default="Comparison of models"
        Heading of the page.
    Y : DataFrame or array-like of shape (n_samples, n_targets), default=None
        Real profiles that the predictions are compared with. With them, and with kept predictions
        (``return_predictions=True``), the page shows how well each gene is predicted.

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
    results = comparison.results
    tests, why_no_test = _tests(comparison)
    errors = comparison.errors.set_index("model")[["fold", "error"]].astype(str)
    return write_page(
        path,
        "comparison.html",
        title=title,
        made=f"{results['model'].nunique()} models, {results['fold'].nunique()} folds.",
        accuracy=_accuracy(comparison),
        errors=PageTable.of(errors, {"fold": "Fold", "error": "Error"}) if len(errors) else None,
        figures=list(_figures(comparison, Y)),
        tested_metric=METRIC_LABELS[_MAIN],
        tests=tests,
        why_no_test=why_no_test,
        costs=_costs(results),
    )


# --- tables ---


def _accuracy(comparison: Any) -> PageTable:
    """Return the table of means, whose cells mark the best models and the failures."""
    numbers, texts = comparison.summary(), comparison.summary(std=True)
    cells, labels = texts.astype(object), {}
    for metric in texts.columns:
        lower = metric in ERROR_METRICS
        labels[metric] = f"{METRIC_LABELS.get(metric, metric)} {'↓' if lower else '↑'}"
        best = numbers[metric].min() if lower else numbers[metric].max()
        cells[metric] = [
            _cell(text, failed=bool(np.isnan(value)), best=bool(value == best))
            for text, value in zip(texts[metric], numbers[metric], strict=True)
        ]
    return PageTable.of(cells, labels)


def _cell(text: str, **marks: bool) -> dict[str, Any]:
    mean, _, deviation = text.partition(" ± ")
    return {"mean": mean, "deviation": deviation, **marks}


def _tests(comparison: Any) -> tuple[PageTable | None, str]:
    """Return the table of tests, or the reason why there is none."""
    try:
        table = comparison.tests(_MAIN)
    except ValueError as error:  # one model, one fold, or another set of metrics
        return None, str(error)
    shown = pd.DataFrame(
        {
            "pair": table["model"].astype(str) + " − " + table["reference"].astype(str),
            "Mean difference": table["difference"].map(signed),
            "Better": table["better"].fillna("–"),
            "p": table["p_value"].map(p_value),
            "p, adjusted": table["p_adjusted"].map(p_value),
        }
    )
    return PageTable.of(shown.set_index("pair")), ""


def _costs(results: pd.DataFrame) -> PageTable | None:
    rows = results[results["metric"].isin(_COSTS)]
    if rows.empty:
        return None
    table = rows.pivot_table(index="model", columns="metric", values="value", sort=False)
    table = table.reindex(columns=[name for name in _COSTS if name in table.columns])
    return PageTable.of(table.map(lambda value: f"{value:,.3g}"), _COSTS)


# --- figures ---


def _figures(comparison: Any, Y: Any) -> Iterable[PageFigure]:
    known = set(comparison.results["metric"])
    for metric in (_MAIN, "mse"):
        if metric in known:
            yield draw_figure(
                partial(ModelComparisonDisplay.from_results, comparison.results, metric=metric),
                f"{METRIC_LABELS[metric]} of every model. A dot is a fold, a bar the mean.",
                height=1.4 + 0.45 * comparison.results["model"].nunique(),
            )
    if Y is not None and comparison.predictions:
        yield from _prediction_figures(comparison, Y)


def _prediction_figures(comparison: Any, Y: Any) -> Iterable[PageFigure]:
    """Draw the genes of the best model, on the samples that were test samples in a fold."""
    best = comparison.summary()[_MAIN].idxmax()
    if not isinstance(best, str):
        return
    predicted = np.asarray(comparison.predictions[best])
    tested = np.isfinite(predicted.reshape(len(predicted), -1)).all(axis=1)
    if isinstance(Y, pd.DataFrame | pd.Series):
        Y, predicted = pd.DataFrame(Y)[tested], predicted[tested].reshape(tested.sum(), -1)
    else:
        Y, predicted = np.asarray(Y)[tested], predicted[tested]
    yield draw_figure(
        partial(R2HistogramDisplay.from_predictions, Y, predicted),
        f"R² of every gene over all test folds, model {best}.",
    )
    n_genes = min(6, np.shape(Y)[1] if np.ndim(Y) > 1 else 1)
    yield draw_figure(
        partial(GenePredictionDisplay.from_predictions, Y, predicted, n_genes=n_genes),
        f"Genes from the best to the worst predicted by {best}. A dot is a sample, dashed: "
        "prediction equals truth.",
        grid=(-(-n_genes // 3), min(3, n_genes)),
        height=3.2 * -(-n_genes // 3),
    )
